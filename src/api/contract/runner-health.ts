import { z } from 'zod';

const name = z.string().min(1).max(200);

/** Answer of `GET /health` of a runner. */
export const runnerHealthSchema = z.object({
  instance: name,
  pid: z.number().int(),
  town: name,
  startedAtMs: z.number().int(),
  draining: z.boolean(),
  live: z.array(z.object({ attempt: name, agent: name, pid: z.number().int().nullable() })),
  jobsRunning: z.number().int(),
  freeDiskBytes: z.number().int().nullable(),
  freeMemoryBytes: z.number().int(),
  versions: z.record(z.string(), z.string()),
  /** Protocol of this runner; one that does not say so speaks the first. */
  protocol: z.number().int().default(1),
  /** Agents of one rig at once; null: no limit of its own. */
  capacity: z.number().int().min(0).nullable().default(null),
  labels: z.array(z.string()).default([]),
  /** Its time; an older runner does not say it. */
  nowMs: z.number().int().nullable().default(null),
  /** Reports that the town refused for what they are; they wait for its next process. */
  refusedFacts: z.object({ count: z.number().int(), reason: z.string() }).nullable().default(null),
});
export type RunnerHealth = z.infer<typeof runnerHealthSchema>;

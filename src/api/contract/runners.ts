import { z } from 'zod';
import { RUNNER_STATES } from '../../core/model/runner.ts';
import { count, name, pageOf, time } from './common.ts';

export const runnerSchema = z.object({
  id: z.string(),
  status: z.enum(RUNNER_STATES),
  instance: z.string().nullable(),
  /** Where the town calls it; null for one that dials in. */
  url: z.string().nullable(),
  /** Why the town does not reach it at its address now; null: it does, or the runner dials in. */
  unmet: z.string().nullable(),
  last_seen_at: time.nullable(),
  /** Agents of one rig at once; null: no limit but the rig's own. */
  capacity: count.nullable(),
  labels: z.array(z.string()),
  versions: z.record(z.string(), z.string()),
  draining: z.boolean(),
  /** A new token waits for its first use. */
  rotating: z.boolean(),
  /** Agents that are there now. */
  agents: count,
  created_at: time,
});
export type RunnerItem = z.infer<typeof runnerSchema>;
export const runnerPageSchema = pageOf(runnerSchema);

const url = z
  .string()
  .min(1)
  .max(2_048)
  .regex(/^https?:\/\//, 'must begin with http:// or https://');
export const addRunnerSchema = z.strictObject({ name, url: url.optional() });
/** A token is shown once; the town keeps a hash. */
export const runnerTokenSchema = z.object({ runner: runnerSchema, token: z.string() });
export type RunnerTokenItem = z.infer<typeof runnerTokenSchema>;
export const removeRunnerSchema = z.strictObject({ lost: z.boolean().optional() });
/** Agents that still run after so many milliseconds are stopped and their work rescued; without it they take their time. */
export const drainRunnerSchema = z.strictObject({ grace_ms: z.number().int().min(0).max(86_400_000).optional() });
export const removedRunnerSchema = z.object({ removed: z.string() });

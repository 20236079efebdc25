import { z } from 'zod';
import { CHECKPOINT_BYTES_MAX } from '../../core/limits.ts';
import { AGENT_ROLES, AGENT_STATUSES } from '../../core/model/agent.ts';
import { ISOLATIONS } from '../../core/model/isolation.ts';
import { beadSchema } from './beads.ts';
import { count, name, offset, pageOf, time } from './common.ts';

export const agentSchema = z.object({
  /** Identity, unique in the town: `<rig>/polecats/<name>`. */
  id: z.string(),
  name: z.string(),
  role: z.enum(AGENT_ROLES),
  rig: z.string(),
  status: z.enum(AGENT_STATUSES),
  /** The one bead on its hook. */
  hook: z.string().nullable(),
  epoch: count,
  attempt_id: z.string().nullable(),
  runtime: z.string().nullable(),
  /** How its process is or was shut in, as its runner said. */
  isolation: z.enum(ISOLATIONS).nullable(),
  runner_id: z.string().nullable(),
  lease_until: time.nullable(),
  last_activity_at: time.nullable(),
  last_event_type: z.string().nullable(),
  active_tools: z.array(z.string()),
  status_message: z.string().nullable(),
  version: count,
  created_at: time,
  updated_at: time,
});
export type AgentItem = z.infer<typeof agentSchema>;
export const agentPageSchema = pageOf(agentSchema);
export const agentQuerySchema = z.strictObject({ rig: name.optional() });
export const transcriptQuerySchema = z.strictObject({ from: offset.optional() });

/** What an agent sees of its own hook. */
export const hookSchema = z.object({
  agent: z.string(),
  attempt: z.string(),
  epoch: count,
  round: count,
  bead: beadSchema,
  source: beadSchema,
  checkpoint: z.string().nullable(),
  prompt: z.string(),
});
export type HookItem = z.infer<typeof hookSchema>;

export const primeSchema = z.object({
  agent: z.string(),
  bead: z.string(),
  prompt: z.string(),
  checkpoint: z.string().nullable(),
});

/** Any JSON, at most 64 kB as text; kept for the next attempt at the same work. */
export const checkpointSchema = z.strictObject({
  data: z
    .unknown()
    .refine((value) => value !== undefined, 'is missing')
    .refine(
      (value) => value === undefined || JSON.stringify(value).length <= CHECKPOINT_BYTES_MAX,
      `at most ${String(CHECKPOINT_BYTES_MAX)} bytes of JSON`,
    ),
});
export const savedSchema = z.object({ saved: z.boolean() });

/** Answers of the runner's calls; their inputs are in `runner.ts`. */
export const recordedSchema = z.object({ recorded: z.array(z.string()) });
export const liveSchema = z.object({ live: z.boolean() });
/** Facts of one call; the runner sends them in batches well below the body limit. */
const FACTS_MAX = 1_000;
export const factsSchema = <S extends z.ZodType>(fact: S) => z.strictObject({ facts: z.array(fact).max(FACTS_MAX) });

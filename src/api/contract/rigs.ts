import { z } from 'zod';
import { BEAD_STATUSES } from '../../core/model/bead.ts';
import { ISOLATIONS } from '../../core/model/isolation.ts';
import { TRAIN_STATES } from '../../core/model/train.ts';
import { count, name, pageOf, time, title } from './common.ts';

/** More agents of one rig at once than any machine holds. */
const POLECATS_LIMIT = 100;
const GATES_MAX = 50;
const COMMAND_CHARS_MAX = 4_096;
/** A day; a gate that runs longer hangs. */
const GATE_TIMEOUT_MS_MAX = 24 * 3_600_000;

const text = z
  .string()
  .min(1)
  .max(COMMAND_CHARS_MAX)
  .refine((value) => !value.includes('\0'), 'NUL is not allowed');

export const rigSchema = z.object({
  id: z.string(),
  prefix: z.string(),
  url: z.string(),
  target_branch: z.string(),
  status: z.enum(['ready', 'parked', 'draining', 'breaker_open']),
  status_reason: z.string().nullable(),
  polecats_max: count,
  /** What runs its beads that name no other. */
  runtime: z.string(),
  live_attempts: count,
  counts: z.record(z.enum(BEAD_STATUSES), count),
  ready_beads: count,
  queue_length: count,
  /** Merge trains that take nothing: paused by a person, or red. */
  stopped_trains: z.array(
    z.object({
      target: z.string(),
      status: z.enum(TRAIN_STATES),
      reason: z.string().nullable(),
      changed_by: z.string(),
      changed_at: time,
      /** Merge requests in line behind it. */
      waiting: count,
    }),
  ),
  gates: z.array(z.string()),
  /** How agents of the rig's own runtime are shut in. */
  isolation: z.enum(ISOLATIONS),
  created_at: time,
});
export type RigItem = z.infer<typeof rigSchema>;
export const rigPageSchema = pageOf(rigSchema);

/** Null goes back to the default. */
export const rigSettingsSchema = z.strictObject({
  target_branch: name.optional(),
  polecats_max: z.number().int().min(0).max(POLECATS_LIMIT).nullable().optional(),
  runtime: name.nullable().optional(),
  model: name.nullable().optional(),
  command: text.nullable().optional(),
  wall_clock: name.nullable().optional(),
  owner_email: name.nullable().optional(),
});
/** Without a target: the rig's own. */
export const resumeTrainSchema = z.strictObject({ target: name.optional() });
export const pauseTrainSchema = resumeTrainSchema.extend({ reason: title });
/** `true` begins a drain, `go_on` asks further of one that was begun: it refuses when somebody took that back. */
export const removeRigSchema = z.strictObject({ drain: z.union([z.boolean(), z.literal('go_on')]).optional() });
export const rigRemovalSchema = z.object({
  id: z.string(),
  /** `draining`: ask again, with `go_on`. */
  status: z.enum(['removed', 'draining']),
  running: count,
  merging: count,
  waiting_for_people: count,
  open: count,
  /** What it waits for, as "gt why" says it, and the command by which a person moves it. */
  waits_for: z.array(z.object({ id: z.string(), sentence: z.string(), command: z.string().nullable() })),
});
export type RigRemovalItem = z.infer<typeof rigRemovalSchema>;

export const addRigSchema = z.strictObject({
  name,
  url: text,
  prefix: name.optional(),
  target_branch: name.optional(),
  polecats_max: z.number().int().min(0).max(POLECATS_LIMIT).optional(),
  runtime: name.optional(),
  model: name.optional(),
  command: text.optional(),
  gates: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/),
        run: text,
        timeout_ms: z.number().int().positive().max(GATE_TIMEOUT_MS_MAX).optional(),
      }),
    )
    .max(GATES_MAX)
    .optional(),
  /** For a clone without an `origin`: makes a bare repository from it and uses that. */
  create_bare: z.boolean().optional(),
});
export type AddRigBody = z.infer<typeof addRigSchema>;

import { z } from 'zod';
import { ATTENTION_KINDS } from '../../core/attention-item.ts';
import { HEALTH_STATES } from '../../core/model/health.ts';
import { agentSchema } from './agents.ts';
import { queueEntrySchema } from './beads.ts';
import { count, cursor, limit, offset, pageOf, time } from './common.ts';
import { convoySchema } from './convoys.ts';
import { severity } from './escalations.ts';
import { rigSchema } from './rigs.ts';

const attentionSchema = z.object({
  kind: z.enum(ATTENTION_KINDS),
  severity,
  /** The id that `why/<id>` takes. */
  subject: z.string(),
  title: z.string().nullable(),
  /** The sentence of `why/<id>`. */
  sentence: z.string(),
  since: time.nullable(),
  /** The command that resolves it. */
  command: z.string(),
  /** The open escalation about it. */
  escalation: z.string().nullable(),
  acknowledged_by: z.string().nullable(),
});
export type AttentionWire = z.infer<typeof attentionSchema>;
export const attentionPageSchema = pageOf(attentionSchema);

export const statusSchema = z.object({
  id: z.string(),
  name: z.string(),
  rigs: z.array(rigSchema),
  convoys: z.array(convoySchema),
  working_agents: count,
  merged_last_hour: count,
  attention: z.array(attentionSchema),
  runner: z.object({
    instance: z.string().nullable(),
    status: z.enum(['up', 'down', 'unknown']),
    pid: count.nullable(),
  }),
  /** What the watchdog knows of rigs (`rig:<name>`) and the runner. */
  health: z.array(
    z.object({
      subject: z.string(),
      status: z.enum(HEALTH_STATES),
      missed: count,
      answered_at: time.nullable(),
      detail: z.string().nullable(),
    }),
  ),
  violations: z.array(z.string()),
});
export type StatusItem = z.infer<typeof statusSchema>;

export const journalEntrySchema = z.object({
  /** `town` or `rig/<name>`; order holds per actor, by `seq`. */
  actor: z.string(),
  seq: count,
  tick: count,
  at: time,
  entity: z.string(),
  action: z.string(),
  rule: z.string(),
  reason: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
});
export type JournalItem = z.infer<typeof journalEntrySchema>;
export const feedSchema = z.object({ items: z.array(journalEntrySchema), cursor: z.string() });
export type FeedItem = z.infer<typeof feedSchema>;
/** `status` and the lists are not older than `cursor`: the stream from there on tells everything that is not in them. */
export const snapshotSchema = z.object({
  cursor: z.string(),
  status: statusSchema,
  agents: z.array(agentSchema),
  queue: z.array(queueEntrySchema),
});
export type SnapshotItem = z.infer<typeof snapshotSchema>;
export const feedQuerySchema = z.strictObject({
  /** Goes on behind an earlier page; without it and without `tail` the feed begins at its beginning. */
  cursor: cursor.optional(),
  limit: limit.optional(),
  /** So many of the newest entries. */
  tail: limit.optional(),
  /** With `tail`: none older than this, in milliseconds since the epoch. */
  since: offset.optional(),
});

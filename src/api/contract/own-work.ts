import { z } from 'zod';
import { NUDGE_CHARS_MAX } from '../../core/limits.ts';
import { AGENT_STATUSES } from '../../core/model/agent.ts';
import { BEAD_STATUSES } from '../../core/model/bead.ts';
import { body, count, name, priority, title, whySchema } from './common.ts';

/** Where an agent stands, in one answer: what it works on, what waits, what is open before it can be done. */
export const ownStatusSchema = z.object({
  agent: z.string(),
  status: z.enum(AGENT_STATUSES),
  attempt: z.string(),
  epoch: count,
  round: count,
  bead: z.object({ id: z.string(), title: z.string(), status: z.enum(BEAD_STATUSES), phase: z.string() }),
  branch: z.string().nullable(),
  target_branch: z.string(),
  why: whySchema,
  unread_mail: count,
  has_checkpoint: z.boolean(),
  /** Steps of the formula that are open; null when the bead follows none. */
  open_steps: z.array(z.object({ number: count, title: z.string(), optional: z.boolean() })).nullable(),
});
export type OwnStatusItem = z.infer<typeof ownStatusSchema>;

/** Follow-up work, in the rig of the one who noticed it. */
export const followUpSchema = z.strictObject({
  title,
  body: body.optional(),
  priority: priority.optional(),
});

export const ownNudgeSchema = z.strictObject({
  agent: name,
  text: z
    .string()
    .max(NUDGE_CHARS_MAX)
    .refine((value) => value.trim() !== '', 'must not be blank')
    .refine((value) => !value.includes('\0'), 'NUL is not allowed'),
});

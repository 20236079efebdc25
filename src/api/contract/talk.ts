import { z } from 'zod';
import { NUDGE_MODES } from '../../core/actions.ts';
import { MAIL_BODY_CHARS_MAX, MAIL_SUBJECT_CHARS_MAX, NUDGE_CHARS_MAX, REASON_CHARS_MAX } from '../../core/limits.ts';
import { MAIL_END_REASONS, MAIL_KINDS, WRITABLE_MAIL_KINDS } from '../../core/model/mail.ts';
import { NUDGE_STATES } from '../../core/model/nudge.ts';
import { limit, name, pageOf, reason, time, title } from './common.ts';

/** Below the time after which a connection of the runner counts as hung. */
const WAIT_MS_MAX = 50_000;

const subject = title.refine(
  (value) => value.length <= MAIL_SUBJECT_CHARS_MAX,
  `at most ${String(MAIL_SUBJECT_CHARS_MAX)} characters`,
);
const mailBody = z
  .string()
  .max(MAIL_BODY_CHARS_MAX)
  .refine((value) => !value.includes('\0'), 'NUL is not allowed');
const words = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.trim() !== '', 'must not be blank')
    .refine((value) => !value.includes('\0'), 'NUL is not allowed');

export const mailSchema = z.object({
  id: z.string(),
  status: z.enum(['unread', 'read', ...MAIL_END_REASONS]),
  kind: z.enum(MAIL_KINDS),
  from: z.string(),
  to: z.string(),
  subject: z.string(),
  body: z.string(),
  reply_to: z.string().nullable(),
  created_at: time,
  delivered_at: time.nullable(),
  read_at: time.nullable(),
  expires_at: time,
});
export type MailItem = z.infer<typeof mailSchema>;
export const mailPageSchema = pageOf(mailSchema);
export const mailQuerySchema = z.strictObject({
  /** Whose mailbox; without it the one that people share. */
  address: name.optional(),
  all: z.enum(['true', 'false']).optional(),
  limit: limit.optional(),
});
export const ownMailQuerySchema = z.strictObject({ all: z.enum(['true', 'false']).optional() });

/** Who writes comes from the credential. */
export const sendMailSchema = z.strictObject({
  to: name,
  kind: z.enum(WRITABLE_MAIL_KINDS).optional(),
  subject,
  body: mailBody.optional(),
  reply_to: name.optional(),
});
export type SendMailBody = z.infer<typeof sendMailSchema>;
export const sentMailSchema = z.object({
  status: z.enum(['stored', 'sent', 'executed']),
  id: z.string().nullable(),
  to: z.string(),
  answer: z.string(),
});
export type SentMailItem = z.infer<typeof sentMailSchema>;
export const digestSchema = z.object({ digest: z.string().nullable() });

export const nudgeBodySchema = z.strictObject({ text: words(NUDGE_CHARS_MAX), mode: z.enum(NUDGE_MODES).optional() });
export const nudgeSchema = z.object({
  id: z.string(),
  status: z.enum(NUDGE_STATES),
  agent: z.string(),
  attempt: z.string(),
  mode: z.enum(NUDGE_MODES),
  expires_at: time,
});
export type NudgeItem = z.infer<typeof nudgeSchema>;

/** `from` is the agent that it is about; `timestamp` names the request, so that a repeat is the same one. */
export const lifecycleSchema = z.strictObject({
  from: name,
  action: name,
  timestamp: z.union([z.number(), name]).optional(),
  note: reason.optional(),
});
export const answerSchema = z.object({ answer: z.string() });
export type AnswerItem = z.infer<typeof answerSchema>;

/** Either a question, or the wait for the answer to the one that was asked at `asked_at`. */
export const waitSchema = z
  .strictObject({
    question: words(REASON_CHARS_MAX).optional(),
    asked_at: time.optional(),
    wait_ms: z.number().int().min(0).max(WAIT_MS_MAX).optional(),
  })
  .refine(
    (value) => (value.question === undefined) !== (value.asked_at === undefined),
    'question or asked_at is needed',
  );
export const waitedSchema = z.object({
  status: z.enum(['answered', 'waiting']),
  asked_at: time,
  answers: z.array(mailSchema),
});
export type WaitedItem = z.infer<typeof waitedSchema>;

export const escalateSchema = z.strictObject({
  severity: z.enum(['low', 'medium', 'high', 'critical']).optional(),
  message: words(REASON_CHARS_MAX),
});
export const escalatedSchema = z.object({ escalated: z.boolean() });
export const handoffSchema = z.strictObject({ subject, body: mailBody.optional() });

import { z } from 'zod';
import { MAYOR_MESSAGE_CHARS_MAX, MAYOR_REPLY_CHARS_MAX } from '../../core/limits.ts';
import { MAYOR_MESSAGE_STATES } from '../../core/model/mayor.ts';
import { limit, time } from './common.ts';

/** Below the time after which a connection counts as hung. */
const WAIT_MS_MAX = 50_000;

const words = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.trim() !== '', 'must not be blank')
    .refine((value) => !value.includes('\0'), 'NUL is not allowed');
const count = z.coerce.number().int().min(0);

export const mayorSchema = z.object({
  status: z.enum(['stopped', 'starting', 'working', 'waiting']),
  configured: z.boolean(),
  runtime: z.string().nullable(),
  attempt: z.string().nullable(),
  sitting: z.number().int().nullable(),
  waiting_messages: z.number().int(),
  open_messages: z.number().int(),
  unread_mail: z.number().int(),
  failures: z.number().int(),
  retry_at: time.nullable(),
  breaker_open: z.boolean(),
  /** Where its session runs; null without one. */
  runner: z.string().nullable(),
  /** Why no runner would take a session; null: one would. */
  no_runner: z.string().nullable(),
});
export type MayorItem = z.infer<typeof mayorSchema>;

export const mayorMessageSchema = z.object({
  id: z.number().int(),
  status: z.enum(MAYOR_MESSAGE_STATES),
  from: z.string(),
  text: z.string(),
  reply: z.string().nullable(),
  sitting: z.number().int().nullable(),
  created_at: time,
  settled_at: time.nullable(),
});
export type MayorMessageItem = z.infer<typeof mayorMessageSchema>;
export const mayorMessagePageSchema = z.object({
  items: z.array(mayorMessageSchema),
  next: z.string().nullable(),
});
export type MayorMessagePage = z.infer<typeof mayorMessagePageSchema>;

export const sendMessageSchema = z.strictObject({ text: words(MAYOR_MESSAGE_CHARS_MAX) });
export const messagesQuerySchema = z.strictObject({ after: count.optional(), limit: limit.optional() });
export const messageQuerySchema = z.strictObject({ wait_ms: count.max(WAIT_MS_MAX).optional() });
export const replySchema = z.strictObject({
  text: words(MAYOR_REPLY_CHARS_MAX),
  to: z.number().int().positive().optional(),
});
export const mayorPrimeSchema = z.object({ prompt: z.string() });

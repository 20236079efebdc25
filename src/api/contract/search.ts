import { z } from 'zod';
import { count, limit, name, time } from './common.ts';

const TEXT_CHARS_MAX = 200;
/** `<began at>.<attempt>.<byte>.<line>`: where the search goes on. */
const PLACE = /^\d{1,16}\.[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.\d{1,16}\.\d{1,12}$/;

export const searchQuerySchema = z.strictObject({
  /** Words as they stand; small letters find capitals too. `|` stands between words of which one is enough. */
  text: z.string().min(1).max(TEXT_CHARS_MAX),
  rig: name.optional(),
  bead: name.optional(),
  agent: name.optional(),
  since: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  cursor: z.string().regex(PLACE).optional(),
  limit: limit.optional(),
});

export const searchPageSchema = z.object({
  items: z.array(
    z.object({
      attempt: z.string(),
      rig: z.string(),
      bead: z.string(),
      agent: z.string(),
      started_at: time,
      line: count,
      /** The line, or of a long one what is around the words. Escapes of a terminal are left as they were written. */
      text: z.string(),
    }),
  ),
  /** Go on with it; null: everything was looked at. A page may have no items and still go on. */
  next: z.string().nullable(),
  looked: z.object({ attempts: count, bytes: count }),
  /** Attempts that could not be read now, for example because their runner does not answer. */
  unread: z.array(z.object({ attempt: z.string(), reason: z.string() })),
});
export type SearchPage = z.infer<typeof searchPageSchema>;

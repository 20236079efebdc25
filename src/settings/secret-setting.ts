import { z } from 'zod';

const REFERENCE_CHARS_MAX = 1_024;

/** Secrets never stand in the town's file itself: it is shown, copied and committed. */
export const secretReference: z.ZodString = z
  .string()
  .regex(/^[^\p{Cc}]+$/u, 'one line of text')
  .max(REFERENCE_CHARS_MAX)
  .refine(
    (value) => /^env:[A-Za-z_]\w*$/.test(value) || value.startsWith('file:/'),
    'a reference: "env:NAME" or "file:/absolute/path"',
  );

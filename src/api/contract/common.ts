/** Pieces that several resources share. Inputs are strict objects: an unknown field is an error, never ignored. */
import { z } from 'zod';
import { BODY_CHARS_MAX, PAGE_SIZE_MAX, REASON_CHARS_MAX, TITLE_CHARS_MAX } from '../../core/limits.ts';
import { PRIORITIES } from '../../core/model/bead.ts';

/** Long enough for every id and name of a town; the model's parsers check the exact shape. */
const NAME_CHARS_MAX = 200;
/** Opaque cursors hold one place per actor. */
const CURSOR_CHARS_MAX = 4_096;

const FIRST_PRINTABLE = 0x20;
const DELETE = 0x7f;

function hasControl(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < FIRST_PRINTABLE || code === DELETE) return true;
  }
  return false;
}

const singleLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !hasControl(value), 'control characters are not allowed');
export const manyLines = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'NUL is not allowed');

export const name = singleLine(NAME_CHARS_MAX);
export const title = singleLine(TITLE_CHARS_MAX).refine((value) => value.trim() !== '', 'must not be blank');
export const body = manyLines(BODY_CHARS_MAX);
export const reason = manyLines(REASON_CHARS_MAX);
export const cursor = singleLine(CURSOR_CHARS_MAX);
export const priority = z.enum(PRIORITIES);

/** A query parameter that counts; text on the wire. */
export const limit = z.coerce.number().int().min(1).max(PAGE_SIZE_MAX);
export const offset = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Integer milliseconds since the epoch. */
export const time = z.number().int();
export const count = z.number().int();

/** Body of a call that needs none; `{}` or nothing at all. */
export const emptySchema = z.strictObject({});

/** Every error: RFC 9457 with a stable code and the next step. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  next: z.string(),
  field: z.string().nullable(),
});
export type Problem = z.infer<typeof problemSchema>;

export const whySchema = z.object({
  id: z.string(),
  state: z.string(),
  sentence: z.string(),
  rule: z.string(),
  since: time.nullable(),
  next: z.string().nullable(),
  /** The command by which a person changes it. */
  command: z.string().nullable(),
  wake_at: time.nullable(),
});
export type WhyItem = z.infer<typeof whySchema>;

export const pageOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), next: z.string().nullable() });

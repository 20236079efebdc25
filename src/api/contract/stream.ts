/**
 * The live stream of a town: one envelope on both hosts. As server-sent events a frame is one event with the frame's type
 * as its name, its cursor as its id and its JSON as its data; on a WebSocket it is one text message with the same JSON.
 */
import { z } from 'zod';
import { count, cursor, name, offset } from './common.ts';
import { journalEntrySchema } from './town.ts';

/** Filters are lists of names in one parameter. */
const LIST_CHARS_MAX = 2_000;
const LIST_MAX = 50;

const names = z
  .string()
  .min(1)
  .max(LIST_CHARS_MAX)
  .transform((text) => text.split(','))
  .pipe(z.array(name).max(LIST_MAX));

export const streamQuerySchema = z.strictObject({
  /** Goes on behind this cursor; the header Last-Event-ID says the same and wins. Without both it begins now. */
  after: cursor.optional(),
  /** Only of these actors: `town`, `mayor`, `rig/<name>`. */
  actor: names.optional(),
  /** Only of these rigs. */
  rig: names.optional(),
  /** Only of entities of these kinds: `bead`, `attempt`, `agent`, `convoy`, … */
  kind: names.optional(),
  /** Only of these entities: `bead:app-7k3qf`, … */
  entity: names.optional(),
});
export type StreamQuery = z.infer<typeof streamQuerySchema>;

/** What happened, in the order of each actor. All of a frame or nothing of it was read when its cursor is known. */
const deltaFrameSchema = z.object({
  type: z.literal('delta'),
  cursor: z.string(),
  items: z.array(journalEntrySchema),
});
/** Everything up to here was told: from now on the stream is live. */
const readyFrameSchema = z.object({ type: z.literal('ready'), cursor: z.string() });
/** What lies between the reader's cursor and this one is not told any more: read the snapshot again, then go on from here. */
const resetFrameSchema = z.object({ type: z.literal('reset'), cursor: z.string(), reason: z.string() });
/** The stream ends here; come again with the cursor. */
const byeFrameSchema = z.object({ type: z.literal('bye'), cursor: z.string(), reason: z.string() });

export const streamFrameSchema = z.discriminatedUnion('type', [
  deltaFrameSchema,
  readyFrameSchema,
  resetFrameSchema,
  byeFrameSchema,
]);
export type StreamFrame = z.infer<typeof streamFrameSchema>;

/** Output of one attempt, apart from the deltas: a reader of it takes nothing from the control plane. */
export const outputQuerySchema = z.strictObject({ from: offset.optional() });
export const outputFrameSchema = z.discriminatedUnion('type', [
  /** `from` and `next` are byte offsets. */
  z.object({ type: z.literal('output'), attempt: z.string(), from: count, next: count, text: z.string() }),
  /** The attempt has ended and all of it was told. */
  z.object({ type: z.literal('end'), attempt: z.string(), next: count }),
]);
export type OutputFrame = z.infer<typeof outputFrameSchema>;

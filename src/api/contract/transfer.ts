/** Moving a town from one host to another: its rows in bounded pieces, and what both ends must agree on. */
import { z } from 'zod';
import { count, name, time } from './common.ts';
import { factSchema } from './runner.ts';

/** A file of settings, and the facts of a runner that nobody took, fit into it many times. */
const TEXT_CHARS_MAX = 2 * 1024 * 1024;
const ACTORS_MAX = 1_000;
const TABLES_MAX = 200;
const COLUMNS_MAX = 100;
const ROWS_MAX = 1_000;
/** Facts of runners that travel with a town, at most. */
export const FACTS_MAX = 10_000;

const value = z.union([z.string(), z.number(), z.null()]);
const place = z.array(value).max(COLUMNS_MAX).nullable();
const address = name;
const table = name;
const move = name;

export const chunkSchema = z.strictObject({
  table,
  columns: z.array(name).max(COLUMNS_MAX),
  rows: z.array(z.array(value).max(COLUMNS_MAX)).max(ROWS_MAX),
});
const sum = z.strictObject({ rows: count, low: count, high: count });
const schema = z.strictObject({ newest: count, checksum: name });
const counter = z.strictObject({ table, seq: count });

/** An actor of the source, before its rows. */
const heldActorSchema = z.strictObject({
  address,
  createdAtMs: time.nullable(),
  schema,
  tables: z.array(table).max(TABLES_MAX),
  counters: z.array(counter).max(TABLES_MAX),
});
export const heldTownSchema = z.strictObject({
  move,
  town: z.strictObject({ id: name, name }),
  settings: z.string().max(TEXT_CHARS_MAX),
  actors: z.array(heldActorSchema).max(ACTORS_MAX),
});
export type HeldTown = z.infer<typeof heldTownSchema>;
export type HeldActor = z.infer<typeof heldActorSchema>;

export const piecesSchema = z.strictObject({ chunk: chunkSchema, next: place });
export const sumStepSchema = z.strictObject({ sum, next: place });
export const begunSchema = z.strictObject({
  /** `done`: this very move came in before. */
  state: z.enum(['loading', 'held', 'done']),
  loaded: count,
});
export const countersSchema = z.array(counter).max(TABLES_MAX);

/** What may be asked of either end. */
export const transferStepSchema = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('state') }),
  z.strictObject({ step: z.literal('hold'), move }),
  z.strictObject({ step: z.literal('read'), address, table, after: place }),
  z.strictObject({ step: z.literal('sum'), address, table, sum, after: place }),
  z.strictObject({
    step: z.literal('begin'),
    move,
    address,
    createdAtMs: time.nullable(),
    schema,
    /** With the town's own actor. */
    settings: z.string().max(TEXT_CHARS_MAX).nullable(),
  }),
  z.strictObject({ step: z.literal('load'), address, n: count, chunk: chunkSchema }),
  z.strictObject({ step: z.literal('finish'), address, counters: countersSchema }),
  z.strictObject({ step: z.literal('counters'), address }),
  z.strictObject({ step: z.literal('accept'), move, address }),
  z.strictObject({
    step: z.literal('resume'),
    addresses: z.array(address).max(ACTORS_MAX).nullable(),
    /** Facts of runners that the source had not taken in. */
    facts: z.array(factSchema).max(FACTS_MAX),
  }),
]);
export type TransferStep = z.infer<typeof transferStepSchema>;
export const transferAnswerSchema = z.object({ value: z.unknown() });

/** Lines of the file that a town travels in. */
export const MOVE_FORMAT = 1;
export const moveHeaderSchema = z.strictObject({
  kind: z.literal('gastown-town'),
  format: z.literal(MOVE_FORMAT),
  exportedAtMs: time,
  held: heldTownSchema,
  facts: z.array(factSchema),
});
export const movePieceSchema = z.strictObject({ actor: address, n: count, chunk: chunkSchema });
const tableSum = z.strictObject({ table, rows: count, low: count, high: count });
export const moveEndSchema = z.strictObject({
  end: z.literal(true),
  actors: z.array(z.strictObject({ address, pieces: count, tables: z.array(tableSum) })),
  /** Lines before this one, and their hash. */
  lines: count,
  sha256: z.string(),
});
export type MoveHeader = z.infer<typeof moveHeaderSchema>;
export type MovePiece = z.infer<typeof movePieceSchema>;
export type MoveEnd = z.infer<typeof moveEndSchema>;

/** Moving a town: its rows out of one end into a file, and out of the file into another end. */
import type { Fact } from '../../../api/contract/runner.ts';
import {
  begunSchema,
  countersSchema,
  FACTS_MAX,
  heldTownSchema,
  piecesSchema,
  sumStepSchema,
  type HeldActor,
  type MoveEnd,
} from '../../../api/contract/transfer.ts';
import type { TransferDoor } from '../../../api/handlers/transfer.ts';
import { conflict, precondition, TownError } from '../../../core/errors.ts';
import { EMPTY_SUM, manifestDifference, type Place, type TableSum } from '../../../store/transfer.ts';
import { MoveWriter, piecesOf, readMove } from './move-file.ts';

/** They go into the new town with one call; its body has at most 16 MiB, of which the rest is a reserve. */
const FACTS_BYTES_MAX = 15 * 1024 * 1024;

export interface Moved {
  readonly town: string;
  readonly actors: number;
  readonly rows: number;
}

async function sumOf(door: TransferDoor, address: string, table: string): Promise<TableSum> {
  let sum: TableSum = EMPTY_SUM;
  let after: Place = null;
  do {
    const step = sumStepSchema.parse(await door({ step: 'sum', address, table, sum: { ...sum }, after: copy(after) }));
    sum = step.sum;
    after = step.next;
  } while (after !== null);
  return sum;
}

/** A place as the wire has it: no column that orders rows is a blob. */
const copy = (place: Place): (string | number | null)[] | null =>
  place === null ? null : place.map((value) => (value instanceof Uint8Array ? null : value));

type Sums = MoveEnd['actors'][number];

/**
 * Holds the town, so that it acts no more, and writes all of it. Repeated, it writes the same again. Errors, before it is
 * held: `export_unwritable`, `too_many_facts`; after it: `export_cut` and those of the town, all of which say that it is.
 */
export async function exportTown(options: {
  readonly source: TransferDoor;
  readonly path: string;
  readonly move: string;
  readonly nowMs: number;
  /** Of a town that is down: nothing is added to them any more. */
  readonly facts: readonly Fact[];
}): Promise<Moved> {
  const { source, path } = options;
  const facts = movable(options.facts);
  const writer = new MoveWriter(path);
  let isHeld = false;
  try {
    const answer = await source({ step: 'hold', move: options.move });
    isHeld = true;
    const held = heldTownSchema.parse(answer);
    writer.header({ exportedAtMs: options.nowMs, held, facts: [...facts] });
    const actors: Sums[] = [];
    for (const actor of held.actors) actors.push(await writeActor(source, writer, actor));
    writer.end(actors);
    return { town: held.town.name, actors: actors.length, rows: rowsOf(actors) };
  } catch (error) {
    writer.drop();
    throw isHeld ? heldMeanwhile(path, error) : error;
  }
}

/** Errors: `too_many_facts`: no town could be given them when it goes on. */
function movable(facts: readonly Fact[]): readonly Fact[] {
  const bytes = facts.length > FACTS_MAX ? 0 : Buffer.byteLength(JSON.stringify(facts));
  if (facts.length <= FACTS_MAX && bytes <= FACTS_BYTES_MAX) return facts;
  throw precondition(
    'too_many_facts',
    `The runner holds ${String(facts.length)} facts that the town has not taken in; at most ${String(FACTS_MAX)}, of ${String(FACTS_BYTES_MAX)} bytes, can move. Nothing was changed.`,
    'Run "gt up" until the town has taken them in, then "gt down" and export again.',
  );
}

function heldMeanwhile(path: string, error: unknown): TownError {
  const cause = error instanceof Error ? error.message : String(error);
  const kind = error instanceof TownError ? error.kind : isOfMachine(error) ? 'precondition' : 'internal';
  return new TownError(
    kind,
    error instanceof TownError ? error.code : 'export_cut',
    {
      message: `${path} was not written: ${cause.replace(/\.$/, '')}. The town is held, and does nothing.`,
      next: 'Repeat the export, or let the town go on with "gt town resume --not-imported".',
    },
    { cause: error },
  );
}

/** A full disk, a folder that went away: nothing that is a fault of the program. */
const isOfMachine = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

const rowsOf = (actors: readonly Sums[]): number =>
  actors.reduce((sum, actor) => sum + actor.tables.reduce((rows, table) => rows + table.rows, 0), 0);

async function writeActor(source: TransferDoor, writer: MoveWriter, actor: HeldActor): Promise<Sums> {
  const { address } = actor;
  const tables: Sums['tables'] = [];
  let n = 0;
  for (const table of actor.tables) {
    let after: Place = null;
    do {
      const { chunk, next } = piecesSchema.parse(await source({ step: 'read', address, table, after: copy(after) }));
      if (chunk.rows.length > 0) writer.piece({ actor: address, n: n++, chunk });
      after = next;
    } while (after !== null);
    tables.push({ table, ...(await sumOf(source, address, table)) });
  }
  return { address, pieces: n, tables };
}

/**
 * Brings a file into a town that was never used, compares all of it, and lets that town go on unless `hold`. It may be
 * repeated at any point: what is there already is not taken twice. Errors: `bad_export`, `not_empty`, `schema_differs`,
 * `import_differs`.
 */
export async function importTown(options: {
  readonly path: string;
  readonly target: TransferDoor;
  readonly hold: boolean;
}): Promise<Moved & { readonly isRepeat: boolean }> {
  const { path, target } = options;
  const { header, end } = await readMove(path);
  const { held, facts } = header;
  const loaded = new Map<string, number>();
  const states = new Set<string>();
  for (const actor of held.actors) {
    const settings = actor.address === 'town' ? held.settings : null;
    const { address, schema, createdAtMs } = actor;
    const begun = begunSchema.parse(
      await target({ step: 'begin', move: held.move, address, schema, createdAtMs, settings }),
    );
    states.add(begun.state);
    if (begun.state === 'loading') loaded.set(address, begun.loaded);
  }
  for await (const piece of piecesOf(path)) {
    const from = loaded.get(piece.actor);
    if (from !== undefined && piece.n >= from)
      await target({ step: 'load', address: piece.actor, n: piece.n, chunk: piece.chunk });
  }
  for (const actor of held.actors)
    if (loaded.has(actor.address)) await verified(target, actor, { end, move: held.move });
  const addresses = held.actors.map((actor) => actor.address);
  if (!options.hold) await target({ step: 'resume', addresses, facts });
  return {
    town: held.town.name,
    actors: held.actors.length,
    rows: rowsOf(end.actors),
    isRepeat: states.size === 1 && states.has('done'),
  };
}

async function verified(
  target: TransferDoor,
  actor: HeldActor,
  { end, move }: { readonly end: MoveEnd; readonly move: string },
): Promise<void> {
  const { address, counters, schema, createdAtMs } = actor;
  await target({ step: 'finish', address, counters });
  const wanted = end.actors.find((one) => one.address === address)?.tables ?? [];
  const tables: (TableSum & { readonly table: string })[] = [];
  for (const { table } of wanted) tables.push({ table, ...(await sumOf(target, address, table)) });
  const found = { address, schema, createdAtMs, tables, counters: await countersOf(target, address) };
  const difference = manifestDifference({ address, schema, createdAtMs, tables: wanted, counters }, found);
  if (difference !== null)
    throw conflict(
      'import_differs',
      `What arrived in "${address}" is not what was sent: ${difference}. Nothing of it is in use.`,
      'Import into another town, and keep the file.',
    );
  await target({ step: 'accept', move, address });
}

const countersOf = async (
  target: TransferDoor,
  address: string,
): Promise<readonly { readonly table: string; readonly seq: number }[]> =>
  countersSchema.parse(await target({ step: 'counters', address }));

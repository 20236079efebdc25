import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  recordedSteps,
  replayHistory,
  type RecordedStep,
  type ReplayResult,
} from '../../actors/replay/replay-history.ts';
import { notFound, precondition, TownError, usage } from '../../core/errors.ts';
import type { Sql, SqlValue } from '../../ports/sql.ts';
import { migrate, newestOf } from '../../store/migrate.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import {
  digestTables,
  dumpCounters,
  dumpTable,
  loadTables,
  tableNames,
  type TableDigest,
  type TableDump,
} from '../../store/table-dump.ts';
import { TurnStore } from '../../store/turn-store.ts';
import { PRIVATE_MODE } from './atomic-file.ts';
import { copyDatabase } from './copy-database.ts';
import { snapshotsOf } from './snapshots.ts';
import { SqliteSql } from './sql-sqlite.ts';
import type { Town } from './town-files.ts';
import { readSecrets } from './town-files.ts';

const KIND = 'gastown-replay';
const FORMAT = 1;
/** A bundle is read whole; more than this is no bundle of one actor's recent history. */
const BUNDLE_BYTES_MAX = 1024 * 1024 * 1024;

interface Header {
  readonly kind: typeof KIND;
  readonly format: number;
  readonly actor: string;
  readonly town: string;
  /** The newest turn and journal row in the base; 0: the base is empty. */
  readonly baseTurn: number;
  readonly baseJournal: number;
  readonly migration: number;
}

interface Bundle {
  readonly header: Header;
  readonly base: readonly TableDump[];
  readonly steps: readonly RecordedStep[];
  readonly state: readonly TableDigest[];
}

export interface Exported {
  readonly path: string;
  readonly actor: string;
  readonly turns: number;
  readonly baseTurn: number;
  readonly bytes: number;
}

const migrationsOf = (actor: string) => (actor === 'town' ? TOWN_MIGRATIONS : RIG_MIGRATIONS);

/**
 * Writes the history of an actor since the newest snapshot at or before `fromTurn` (the oldest one without it) into one
 * file. Errors: `actor_not_found`, `history_gone`, `database_damaged`.
 */
export async function exportBundle(
  town: Town,
  what: { readonly actor: string; readonly database: string; readonly fromTurn: number | null; readonly to: string },
): Promise<Exported> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-replay-'));
  try {
    const copy = join(folder, 'now.db');
    await copyDatabase(what.database, copy);
    const now = SqliteSql.open(copy, { readOnly: true });
    const base = openBase(town, what, now);
    const bundle = readBundleOf(town, what.actor, now, base);
    base?.close();
    now.close();
    const bytes = encode(bundle, Object.values(readSecrets(town.paths)));
    writeFileSync(what.to, bytes, { mode: PRIVATE_MODE });
    return {
      path: what.to,
      actor: what.actor,
      turns: bundle.steps.length,
      baseTurn: bundle.header.baseTurn,
      bytes: bytes.length,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Null: the history is whole, and begins with an empty database. */
function openBase(
  town: Town,
  what: { readonly actor: string; readonly fromTurn: number | null },
  now: Sql,
): SqliteSql | null {
  const oldest = new TurnStore(now).after(0, 1)[0]?.seq ?? 1;
  const known = snapshotsOf(town.paths, what.actor).filter((one) => one.turn + 1 >= oldest);
  const wanted = known.filter((one) => one.turn < (what.fromTurn ?? 0)).at(-1);
  if (oldest === 1 && wanted === undefined) return null;
  const chosen = wanted ?? known[0];
  if (chosen === undefined)
    throw precondition(
      'history_gone',
      `The history of ${what.actor} begins with turn ${String(oldest)}, and there is no snapshot from before it.`,
      'Let the town run: a snapshot is taken when enough has happened since the last one.',
    );
  return SqliteSql.open(chosen.path, { readOnly: true });
}

function readBundleOf(town: Town, actor: string, now: Sql, base: Sql | null): Bundle {
  const last = base === null ? null : new TurnStore(base).last();
  const baseTurn = last?.seq ?? 0;
  const baseJournal = last?.journalSeq ?? 0;
  return {
    header: {
      kind: KIND,
      format: FORMAT,
      actor,
      town: town.identity.id,
      baseTurn,
      baseJournal,
      migration: newestOf(migrationsOf(actor)),
    },
    base: base === null ? [] : [...tableNames(base).map((table) => dumpTable(base, table)), dumpCounters(base)],
    steps: [...recordedSteps(now, baseTurn, baseJournal)],
    state: digestTables(now),
  };
}

/** One JSON value per line, packed; the packing's own check notices a damaged file. */
function encode(bundle: Bundle, secrets: readonly string[]): Buffer {
  const lines = [
    bundle.header,
    ...bundle.base.map((table) => ({ table })),
    ...bundle.steps.map((step) => ({ step })),
    { end: { steps: bundle.steps.length, state: bundle.state } },
  ].map((line) => JSON.stringify(line));
  // None of them is ever written into a database; should one get there by a person's hand, it does not leave with it.
  const text = secrets.reduce((all, secret) => all.replaceAll(secret, 'removed'), lines.join('\n'));
  return gzipSync(`${text}\n`);
}

const bad = (path: string, why: string): TownError =>
  usage(
    'bad_bundle',
    `${path} is no whole replay bundle: ${why}.`,
    'Export it again with "gt replay --export <actor>".',
  );

function decode(path: string): Bundle {
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (error) {
    throw notFoundFile(path, error);
  }
  let lines: readonly unknown[];
  try {
    const text = gunzipSync(packed, { maxOutputLength: BUNDLE_BYTES_MAX }).toString('utf8');
    lines = text
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  } catch (error) {
    throw bad(path, error instanceof Error ? error.message : String(error));
  }
  return assemble(path, lines);
}

function notFoundFile(path: string, cause: unknown): TownError {
  const missing = notFound('file', path);
  return new TownError(
    'not_found',
    missing.code,
    { message: `${path} can't be read.`, next: 'Name a file that "gt replay --export" wrote.' },
    { cause },
  );
}

const part = (line: unknown, name: string): unknown =>
  typeof line === 'object' && line !== null ? Reflect.get(line, name) : undefined;

function assemble(path: string, lines: readonly unknown[]): Bundle {
  const [header] = lines;
  if (!isHeader(header)) throw bad(path, 'it does not begin like one');
  if (header.format !== FORMAT)
    throw bad(path, `its format is ${String(header.format)}, this program reads ${String(FORMAT)}`);
  const base: TableDump[] = [];
  const steps: RecordedStep[] = [];
  let end: { readonly steps: number; readonly state: readonly TableDigest[] } | null = null;
  for (const [index, line] of lines.slice(1).entries()) {
    const [table, step, last] = [part(line, 'table'), part(line, 'step'), part(line, 'end')];
    if (isTable(table)) base.push(table);
    else if (isStep(step)) steps.push(step);
    else if (isEnd(last)) end = last;
    else throw bad(path, `line ${String(index + 2)} is not understood`);
  }
  if (end?.steps !== steps.length) throw bad(path, 'its end is missing');
  return { header, base, steps, state: end.state };
}

const isHeader = (value: unknown): value is Header =>
  part(value, 'kind') === KIND &&
  typeof part(value, 'actor') === 'string' &&
  typeof part(value, 'baseJournal') === 'number';
const isTable = (value: unknown): value is TableDump & { readonly rows: readonly (readonly SqlValue[])[] } =>
  typeof part(value, 'table') === 'string' &&
  Array.isArray(part(value, 'columns')) &&
  Array.isArray(part(value, 'rows'));
const isStep = (value: unknown): value is RecordedStep =>
  typeof part(part(value, 'turn'), 'seq') === 'number' &&
  Array.isArray(part(part(part(value, 'turn'), 'input'), 'calls')) &&
  typeof part(part(part(value, 'turn'), 'input'), 'drawn') === 'string' &&
  Array.isArray(part(value, 'journal'));
const isEnd = (value: unknown): value is { readonly steps: number; readonly state: readonly TableDigest[] } =>
  typeof part(value, 'steps') === 'number' && Array.isArray(part(value, 'state'));

export interface BundleReplay extends ReplayResult {
  readonly actor: string;
  readonly fromTurn: number;
}

/** Runs a bundle again in memory. Errors: `bad_bundle`, `other_version`, `file_not_found`. */
export function replayBundle(path: string): BundleReplay {
  const { header, base, steps, state } = decode(path);
  const migrations = migrationsOf(header.actor);
  if (header.migration !== newestOf(migrations))
    throw precondition(
      'other_version',
      `This bundle was written under migration ${String(header.migration)}; this program has ${String(newestOf(migrations))}.`,
      'Replay it with the version that wrote it.',
    );
  const sql = SqliteSql.open(':memory:', { readOnly: false });
  try {
    migrate(sql, migrations, 0);
    try {
      loadTables(sql, base);
    } catch (error) {
      throw bad(path, `its base can't be loaded (${error instanceof Error ? error.message : String(error)})`);
    }
    const actor = { address: header.actor, town: header.town };
    const result = replayHistory(actor, { sql, journalSeq: header.baseJournal }, steps, () => state);
    return { ...result, actor: header.actor, fromTurn: header.baseTurn + 1 };
  } finally {
    sql.close();
  }
}

/**
 * One actor's rows on their way from a host to another. Files can't be copied to a Durable Object, so rows go in bounded
 * pieces, each in the order of its table's key; both ends count and sum them alike.
 */
import { conflict, precondition, type TownError } from '../core/errors.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { checksum, newestOf, type Migration } from './migrate.ts';
import { int, parseJson, text } from './rows.ts';
import { tableNames } from './table-dump.ts';

/** Rows of one piece; far below what a request may take, far above what one turn writes. */
const CHUNK_ROWS_MAX = 500;
/** Characters of one piece as JSON, unless a single row is larger: a few of them fit into a request. */
const CHUNK_CHARS_MAX = 256 * 1024;

/** What is in an actor before anything happened: the kernel's own, and rows that a migration wrote. */
const NOT_HISTORY: ReadonlySet<string> = new Set([
  'meta',
  'inbox',
  'outbox',
  'timers',
  'channels',
  'answers',
  'turns',
  'session',
  'health',
]);
const TRIGGERS = 'transfer:triggers';
const LOADED = 'transfer:loaded';

/** Where a table was left: the values of its ordering columns in the last row. Null: at its start. */
export type Place = readonly SqlValue[] | null;

export interface Chunk {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

export interface TableSum {
  readonly rows: number;
  /** Two FNV-1a hashes over the rows: they notice a difference, and protect against no forgery. */
  readonly low: number;
  readonly high: number;
}

export interface SumStep {
  readonly sum: TableSum;
  /** Null: the table is done. */
  readonly next: Place;
}

/** Which program wrote the rows. */
export interface Schema {
  readonly newest: number;
  readonly checksum: string;
}

export interface Counter {
  readonly table: string;
  readonly seq: number;
}

/** Everything that an end must agree on before it is used. */
export interface ActorManifest {
  readonly address: string;
  readonly schema: Schema;
  readonly createdAtMs: number | null;
  readonly tables: readonly ({ readonly table: string } & TableSum)[];
  /** Numbers that were given out and are never given again. */
  readonly counters: readonly Counter[];
}

/** What must survive the end of a process while rows come in; it shares the transactions of `Sql`. */
export interface Notes {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
}

export const EMPTY_SUM: TableSum = { rows: 0, low: 0x811c9dc5, high: 0x01000193 };

export const schemaOf = (migrations: readonly Migration[]): Schema => ({
  newest: newestOf(migrations),
  checksum: checksum({ id: 0, name: 'all', statements: migrations.map(checksum) }),
});

interface Shape {
  readonly columns: readonly string[];
  readonly order: readonly string[];
}

/** Reads one actor's rows, or takes them; never both at once. */
export class ActorTransfer {
  readonly #sql: Sql;
  readonly #notes: Notes;
  readonly #shapes = new Map<string, Shape>();

  constructor(sql: Sql, notes: Notes) {
    this.#sql = sql;
    this.#notes = notes;
  }

  tables(): readonly string[] {
    return tableNames(this.#sql);
  }

  counters(): readonly Counter[] {
    return this.#sql
      .all('SELECT name, seq FROM sqlite_sequence ORDER BY name')
      .map((row) => ({ table: text(row['name']), seq: int(row['seq']) }));
  }

  /** The piece behind `after`, and where the next one begins. Null: that was the last. */
  read(table: string, after: Place): { readonly chunk: Chunk; readonly next: Place } {
    const { columns } = this.#shape(table);
    const { rows, next } = this.#rowsAfter(table, after);
    return { chunk: { table, columns, rows: rows.map((row) => columns.map((name) => row[name] ?? null)) }, next };
  }

  /** Sums one piece; called until `next` is null, so that no call takes long. */
  sum(table: string, sum: TableSum, after: Place): SumStep {
    const { chunk, next } = this.read(table, after);
    const total = chunk.rows.reduce(withRow, sum);
    // Counted in another way: a mistake in reading must not be made alike at both ends and stay unseen.
    const count = next === null ? int(this.#sql.all(`SELECT count(*) AS n FROM ${table}`)[0]?.['n']) : null;
    if (count !== null && count !== total.rows)
      throw new Error(`${String(total.rows)} of ${String(count)} rows of ${table} were read`);
    return { sum: total, next };
  }

  /** The sum of a whole table in one go, where nothing bounds a call. */
  wholeSum(table: string): TableSum {
    let step: SumStep = this.sum(table, EMPTY_SUM, null);
    while (step.next !== null) step = this.sum(table, step.sum, step.next);
    return step.sum;
  }

  /** Errors: `not_empty`. */
  mustBeEmpty(): void {
    for (const table of this.tables()) {
      if (NOT_HISTORY.has(table) || this.#sql.all(`SELECT 1 FROM ${table} LIMIT 1`).length === 0) continue;
      throw conflict(
        'not_empty',
        `The target has a history of its own (rows in "${table}"), which an import would mix with another one.`,
        'Import into a town that was never used.',
      );
    }
  }

  /** Makes room. Triggers rest until the end: what they did is among the rows. Answers how many pieces are in already. */
  begin(): number {
    const loaded = this.#notes.get(LOADED);
    if (typeof loaded === 'number') return loaded;
    this.mustBeEmpty();
    this.#sql.tx(() => {
      const triggers = this.#sql
        .all(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name`)
        .map((row) => ({ name: text(row['name']), sql: text(row['sql']) }));
      this.#notes.put(TRIGGERS, JSON.stringify(triggers));
      for (const { name } of triggers) this.#sql.all(`DROP TRIGGER ${name}`);
      // Children lie behind their parents.
      for (const table of this.tables().toReversed()) this.#sql.all(`DELETE FROM ${table}`);
      this.#notes.put(LOADED, 0);
    });
    return 0;
  }

  /** Takes piece number `n`; one that is in already is taken for a repeat. Errors: `out_of_order`, `bad_piece`. */
  load(n: number, chunk: Chunk): void {
    const loaded = this.#notes.get(LOADED);
    if (typeof loaded !== 'number' || n > loaded)
      throw conflict('out_of_order', `Piece ${String(n)} came before its turn.`, 'Start the import again; it goes on.');
    if (n < loaded) return;
    if (!this.tables().includes(chunk.table) || !sameNames(chunk.columns, this.#shape(chunk.table).columns))
      throw conflict(
        'bad_piece',
        `There is no table like "${chunk.table.slice(0, 80)}" here.`,
        'Export the town again.',
      );
    const marks = chunk.columns.map(() => '?').join(', ');
    const insert = `INSERT INTO ${chunk.table} (${chunk.columns.join(', ')}) VALUES (${marks})`;
    this.#sql.tx(() => {
      for (const row of chunk.rows) this.#sql.all(insert, ...row);
      this.#notes.put(LOADED, n + 1);
    });
  }

  /** Sets what rows do not say. May be repeated. */
  finish(counters: readonly Counter[]): void {
    this.#sql.tx(() => {
      for (const { table, seq } of counters) {
        this.#sql.all('DELETE FROM sqlite_sequence WHERE name = ?', table);
        this.#sql.all('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)', table, seq);
      }
      const there = new Set(
        this.#sql.all(`SELECT name FROM sqlite_master WHERE type = 'trigger'`).map((row) => text(row['name'])),
      );
      for (const trigger of this.#triggers()) if (!there.has(trigger.name)) this.#sql.all(trigger.sql);
    });
  }

  /** Forgets that it took rows; the actor is in use from then on. */
  done(): void {
    this.#notes.put(LOADED, null);
    this.#notes.put(TRIGGERS, null);
  }

  #triggers(): readonly { readonly name: string; readonly sql: string }[] {
    const kept = this.#notes.get(TRIGGERS);
    return typeof kept === 'string' ? parseJson<readonly { readonly name: string; readonly sql: string }[]>(kept) : [];
  }

  #rowsAfter(table: string, after: Place): { readonly rows: readonly SqlRow[]; readonly next: Place } {
    const { columns, order } = this.#shape(table);
    const names = [...new Set([...columns, ...order])].join(', ');
    const by = order.join(', ');
    const where = after === null ? '' : `WHERE (${by}) > (${order.map(() => '?').join(', ')})`;
    const found = this.#sql.all(
      `SELECT ${names} FROM ${table} ${where} ORDER BY ${by} LIMIT 0 + ?`,
      ...(after ?? []),
      CHUNK_ROWS_MAX + 1,
    );
    const rows: SqlRow[] = [];
    let chars = 0;
    for (const row of found.slice(0, CHUNK_ROWS_MAX)) {
      chars += JSON.stringify(row).length;
      if (rows.length > 0 && chars > CHUNK_CHARS_MAX) break;
      rows.push(row);
    }
    const last = rows.at(-1);
    const next = last === undefined || rows.length === found.length ? null : order.map((name) => last[name] ?? null);
    return { rows, next };
  }

  /** With the number of a row where the table keeps one beside its columns: the order of rows is part of the state. */
  #shape(table: string): Shape {
    const known = this.#shapes.get(table);
    if (known !== undefined) return known;
    if (!this.tables().includes(table)) throw missing(table);
    const columns = this.#sql.all('SELECT name, pk, type FROM pragma_table_info(?) ORDER BY cid', table);
    const names = columns.map((row) => text(row['name']));
    const keys = columns.filter((row) => int(row['pk']) > 0).toSorted((a, b) => int(a['pk']) - int(b['pk']));
    const source = this.#sql.all(`SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?`, table)[0]?.['sql'];
    const withoutRowid = /WITHOUT ROWID/i.test(text(source));
    // SQLite gives the number of a row the name of the column that stands for it.
    const alias = !withoutRowid && keys.length === 1 && keys[0]?.['type'] === 'INTEGER';
    const order = withoutRowid || alias ? keys.map((row) => text(row['name'])) : ['rowid'];
    const shape = { columns: withoutRowid || alias ? names : ['rowid', ...names], order };
    this.#shapes.set(table, shape);
    return shape;
  }
}

/** Where two ends of one actor differ, in words, or null. */
export function manifestDifference(wanted: ActorManifest, found: ActorManifest): string | null {
  const own = new Map(found.tables.map((table) => [table.table, table]));
  for (const table of wanted.tables) {
    const other = own.get(table.table);
    if (other?.rows !== table.rows)
      return `${table.table} has ${String(other?.rows ?? 0)} of ${String(table.rows)} rows`;
    if (other.low !== table.low || other.high !== table.high) return `${table.table} has other content`;
  }
  if (own.size !== wanted.tables.length) return 'there are other tables';
  return JSON.stringify(wanted.counters) === JSON.stringify(found.counters) ? null : 'counters differ';
}

/** Errors: `schema_differs`. */
export function mustBeSameSchema(address: string, theirs: Schema, own: Schema): void {
  if (theirs.newest === own.newest && theirs.checksum === own.checksum) return;
  throw precondition(
    'schema_differs',
    `"${address}" has schema ${String(theirs.newest)}, and the target ${String(own.newest)}: the programs are of different versions.`,
    'Start the town once with the version of the target, then export it again.',
  );
}

const missing = (table: string): TownError =>
  conflict('bad_piece', `There is no table "${table.slice(0, 80)}" here.`, 'Export the town again.');

const sameNames = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((name, index) => name === right[index]);

function withRow(sum: TableSum, row: readonly SqlValue[]): TableSum {
  let { low, high } = sum;
  const line = `${JSON.stringify(row)}\n`;
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193) >>> 0;
    high = Math.imul(high ^ code, 0x85ebca6b) >>> 0;
  }
  return { rows: sum.rows + 1, low, high };
}

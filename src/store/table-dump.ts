import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { int, text } from './rows.ts';

/** All rows of one table, in the order in which they were written. */
export interface TableDump {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

/** What a replay must arrive at: as many rows with the same content. */
export interface TableDigest {
  readonly table: string;
  readonly rows: number;
  readonly digest: string;
}

/** When a step was applied says nothing about the state; two equal databases may differ in it. */
const NOT_STATE: ReadonlySet<string> = new Set(['migrations']);

/** Tables in the order of their making, so that a row's parents come before it. */
export function tableNames(sql: Sql): readonly string[] {
  return sql
    .all(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' ORDER BY rowid`,
    )
    .map((row) => text(row['name']))
    .filter((name) => !NOT_STATE.has(name));
}

function columnsOf(sql: Sql, table: string): readonly { readonly name: string; readonly isKey: boolean }[] {
  return sql
    .all('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid', table)
    .map((row) => ({ name: text(row['name']), isKey: int(row['pk']) > 0 }));
}

export function dumpTable(sql: Sql, table: string): TableDump {
  const columns = columnsOf(sql, table);
  const names = columns.map((column) => column.name);
  const withoutRowid = /WITHOUT ROWID/i.test(
    text(sql.all(`SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?`, table)[0]?.['sql']),
  );
  const order = withoutRowid ? columns.filter((column) => column.isKey).map((column) => column.name) : ['rowid'];
  const rows = sql.all(`SELECT ${names.join(', ')} FROM ${table} ORDER BY ${order.join(', ')}`);
  return { table, columns: names, rows: rows.map((row) => names.map((name) => row[name] ?? null)) };
}

/** Where counters of the AUTOINCREMENT tables stand. */
export function dumpCounters(sql: Sql): TableDump {
  const rows = sql.all('SELECT name, seq FROM sqlite_sequence ORDER BY name');
  return {
    table: 'sqlite_sequence',
    columns: ['name', 'seq'],
    rows: rows.map((row) => [text(row['name']), int(row['seq'])]),
  };
}

/** The content of every table in short. Two databases with equal digests hold the same state. */
export function digestTables(sql: Sql): readonly TableDigest[] {
  return tableNames(sql).map((table) => {
    const { rows } = dumpTable(sql, table);
    return { table, rows: rows.length, digest: digestOf(rows) };
  });
}

/** Two FNV-1a hashes over the rows, which need no host; enough to notice a difference, no protection against forgery. */
function digestOf(rows: readonly (readonly SqlValue[])[]): string {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (const row of rows) {
    for (const char of `${JSON.stringify(row)}\n`) {
      const code = char.codePointAt(0) ?? 0;
      low = Math.imul(low ^ code, 0x01000193) >>> 0;
      high = Math.imul(high ^ code, 0x85ebca6b) >>> 0;
    }
  }
  return low.toString(16).padStart(8, '0') + high.toString(16).padStart(8, '0');
}

/** Puts rows into an empty database of the same schema; triggers rest meanwhile, for what they did is among the rows. */
export function loadTables(sql: Sql, dumps: readonly TableDump[]): void {
  const triggers = sql
    .all(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
    .map((row: SqlRow) => ({ name: text(row['name']), sql: text(row['sql']) }));
  sql.tx(() => {
    for (const { name } of triggers) sql.all(`DROP TRIGGER ${name}`);
    for (const dump of dumps) {
      sql.all(`DELETE FROM ${dump.table}`);
      const marks = dump.columns.map(() => '?').join(', ');
      const insert = `INSERT INTO ${dump.table} (${dump.columns.join(', ')}) VALUES (${marks})`;
      for (const row of dump.rows) sql.all(insert, ...row);
    }
    for (const trigger of triggers) sql.all(trigger.sql);
  });
}

import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { SqliteSql } from '../src/hosts/node/sql-sqlite.ts';
import { migrate, type Migration } from '../src/store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../src/store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../src/store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../src/store/migrations/town.ts';

/** A database in memory, and a way to make it new again. */
export interface Shelved {
  readonly kind: string;
  readonly db: DatabaseSync;
  readonly sql: SqliteSql;
}

interface Pristine {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SQLInputValue[])[];
}

const shelves = new Map<string, Shelved[]>();
const pristine = new Map<string, readonly Pristine[]>();

const kindOf = (address: string): string => (address.startsWith('rig/') ? 'rig' : address);

const migrationsOf = (kind: string): readonly Migration[] =>
  kind === 'rig' ? RIG_MIGRATIONS : kind === 'town' ? TOWN_MIGRATIONS : MAYOR_MIGRATIONS;

/** A database without any table, as a town meets it that starts for the first time. */
export function unmade(address: string): Shelved {
  const db = new DatabaseSync(':memory:', { enableForeignKeyConstraints: true });
  return { kind: kindOf(address), db, sql: SqliteSql.of(db) };
}

/**
 * A database with its schema and nothing in it. Those of earlier runs are used again with their compiled statements:
 * making the schema and compiling cost as much as a fifth of a short run.
 */
export function takeFromShelf(address: string): Shelved {
  const kind = kindOf(address);
  const used = shelves.get(kind)?.pop();
  if (used !== undefined) return used;
  const made = unmade(address);
  migrate(made.sql, migrationsOf(kind), 0);
  if (!pristine.has(kind)) pristine.set(kind, contentOf(made.db));
  return made;
}

/** Empties a database for the next run. One that may be in the middle of something is closed instead. */
export function giveBack(shelved: Shelved, isWhole: boolean): void {
  const { kind, db, sql } = shelved;
  const content = pristine.get(kind);
  if (!isWhole || content === undefined || db.isTransaction) {
    sql.close();
    return;
  }
  db.exec('PRAGMA foreign_keys = OFF');
  db.exec(content.map(({ table }) => `DELETE FROM ${table}`).join(';'));
  db.exec('DELETE FROM sqlite_sequence');
  for (const { table, columns, rows } of content) {
    if (rows.length === 0) continue;
    // What triggers wrote meanwhile goes too.
    db.exec(`DELETE FROM ${table}`);
    const insert = db.prepare(
      `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    for (const row of rows) insert.run(...row);
  }
  db.exec('PRAGMA foreign_keys = ON');
  shelves.set(kind, [...(shelves.get(kind) ?? []), shelved]);
}

/** Every table with what the migrations put into it; tables that triggers count into come after those that they watch. */
function contentOf(db: DatabaseSync): readonly Pristine[] {
  const tables = db
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name LIKE '%_counts', name`,
    )
    .all();
  return tables.map(({ name }) => {
    const table = String(name);
    const columns = db
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all(table)
      .map((row) => String(row['name']));
    const rows = db.prepare(`SELECT ${columns.join(', ')} FROM ${table}`).all();
    return { table, columns, rows: rows.map((row) => Object.values(row)) };
  });
}

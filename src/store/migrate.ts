import type { Sql } from '../ports/sql.ts';

/** One numbered, immutable step. Statements run one by one inside the step's transaction; no comments inside them. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/** A database of a newer program is never touched: an old program could only misread it. */
export class NewerDatabaseError extends Error {
  override readonly name = 'NewerDatabaseError';
}

/** A step never changes while the program runs, and every start of an actor asks about all of them. */
const sums = new WeakMap<Migration, string>();

/** FNV-1a over the statements: enough to notice an edited migration, and the same on every host. */
export function checksum(migration: Migration): string {
  const known = sums.get(migration);
  if (known !== undefined) return known;
  const text = migration.statements.join('\n');
  let hash = 0x811c9dc5;
  // By index: walking a text by its characters takes several times as long, and this is on the way of each start.
  for (let at = 0; at < text.length; at += 1) {
    const code = text.codePointAt(at) ?? 0;
    if (code > 0xffff) at += 1;
    hash = Math.imul(hash ^ code, 0x01000193) >>> 0;
  }
  const sum = hash.toString(16).padStart(8, '0');
  sums.set(migration, sum);
  return sum;
}

export const newestOf = (migrations: readonly Migration[]): number =>
  Math.max(0, ...migrations.map((migration) => migration.id));

const LEDGER =
  'CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT';

/**
 * Applies what is missing, in order. Throws `NewerDatabaseError` for a database with a step this program does not
 * know, and an error for a step whose text changed after it was applied.
 */
export function migrate(sql: Sql, migrations: readonly Migration[], nowMs: number): void {
  sql.all(LEDGER);
  const applied = new Map(
    sql.all('SELECT id, checksum FROM migrations').map((row) => [Number(row['id']), String(row['checksum'])]),
  );
  const newest = newestOf(migrations);
  for (const id of applied.keys()) {
    if (id > newest)
      throw new NewerDatabaseError(
        `This database has migration ${String(id)}; this program knows ${String(newest)}. Use the newer program.`,
      );
  }
  for (const migration of migrations) {
    const known = applied.get(migration.id);
    const sum = checksum(migration);
    if (known === sum) continue;
    if (known !== undefined)
      throw new Error(`migration ${String(migration.id)} (${migration.name}) was changed after it was applied`);
    sql.tx(() => {
      for (const statement of migration.statements) sql.all(statement);
      sql.all(
        'INSERT INTO migrations (id, name, checksum, applied_at) VALUES (?, ?, ?, ?)',
        migration.id,
        migration.name,
        sum,
        nowMs,
      );
    });
  }
}

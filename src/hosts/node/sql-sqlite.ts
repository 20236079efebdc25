import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { DbError } from '../../ports/sql.ts';
import type { DbErrorKind, Sql, SqlRow, SqlValue } from '../../ports/sql.ts';
import { checkArgs, checkStatement } from '../../store/sql-guard.ts';

/** Prepared statements kept per database, oldest out first; the engine has about 200 texts, so nothing is prepared twice. */
const STATEMENTS_KEPT = 400;
/** Waits for a reader's or backup's short lock before giving up. */
export const BUSY_TIMEOUT_MS = 5_000;

export interface SqliteOptions {
  /** Opens without the right to write, for reading beside a running daemon. */
  readonly readOnly: boolean;
}

interface Prepared {
  readonly statement: StatementSync;
  readonly params: number;
}

/** SQLite's extended result codes, see sqlite.org/rescode.html. */
const KIND_BY_CODE: ReadonlyMap<number, DbErrorKind> = new Map([
  [2067, 'unique'],
  [1555, 'unique'],
  [2579, 'unique'],
  [1299, 'notnull'],
  [275, 'check'],
  [787, 'foreignkey'],
  [3091, 'datatype'],
  [18, 'toobig'],
  [1811, 'trigger'],
]);
/** Primary codes of a disk that can't be trusted or written: READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const STORAGE_CODES: ReadonlySet<number> = new Set([8, 10, 11, 13, 14, 26]);
const PRIMARY_CODE_MASK = 0xff;

/** The `Sql` port on `node:sqlite`: one synchronous connection with full durability, used by one actor. */
export class SqliteSql implements Sql {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();
  readonly #own = new Map<string, StatementSync>();
  #depth = 0;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Opens or creates the file (`:memory:` for tests). Throws `DbError` of kind `storage` when it can't. */
  static open(path: string, options: SqliteOptions): SqliteSql {
    try {
      const db = new DatabaseSync(path, {
        readOnly: options.readOnly,
        enableForeignKeyConstraints: true,
        timeout: BUSY_TIMEOUT_MS,
      });
      if (!options.readOnly) {
        db.exec('PRAGMA journal_mode = WAL');
        // FULL: NORMAL loses acknowledged commits in a power cut; grouped commits make FULL as fast.
        db.exec('PRAGMA synchronous = FULL');
      }
      return new SqliteSql(db);
    } catch (error) {
      throw toDbError(error);
    }
  }

  /** Takes over a connection that somebody else opened and set up. Foreign keys must be on. */
  static of(db: DatabaseSync): SqliteSql {
    return new SqliteSql(db);
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    const prepared = this.#prepare(text);
    checkArgs(prepared.params, args);
    try {
      return prepared.statement.all(...args) as unknown as readonly SqlRow[];
    } catch (error) {
      throw toDbError(error);
    }
  }

  tx<T>(work: () => T): T {
    const name = this.#depth === 0 ? null : `s${String(this.#depth)}`;
    this.#exec(name === null ? 'BEGIN IMMEDIATE' : `SAVEPOINT ${name}`);
    this.#depth += 1;
    let result: T;
    try {
      result = work();
      if (isThenable(result)) throw new TypeError('the work of a transaction must be synchronous');
      this.#exec(name === null ? 'COMMIT' : `RELEASE ${name}`);
    } catch (error) {
      this.#depth -= 1;
      this.#rollback(name);
      throw error;
    }
    this.#depth -= 1;
    return result;
  }

  /** Writes the log back into the file and closes it; used at a clean stop. */
  close(): void {
    this.#prepared.clear();
    this.#own.clear();
    this.#db.close();
  }

  #prepare(text: string): Prepared {
    const known = this.#prepared.get(text);
    if (known !== undefined) return known;
    const prepared = { statement: this.#compile(text), params: paramsOf(text) };
    this.#prepared.set(text, prepared);
    if (this.#prepared.size > STATEMENTS_KEPT) {
      const oldest = this.#prepared.keys().next().value;
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    return prepared;
  }

  #compile(text: string): StatementSync {
    try {
      return this.#db.prepare(text);
    } catch (error) {
      throw toDbError(error);
    }
  }

  /** The host's own words (`BEGIN`, `SAVEPOINT s1` …), a handful of texts; compiled once, since every turn says them. */
  #exec(text: string): void {
    try {
      let statement = this.#own.get(text);
      if (statement === undefined) this.#own.set(text, (statement = this.#db.prepare(text)));
      statement.run();
    } catch (error) {
      throw toDbError(error);
    }
  }

  /** SQLite ends the whole transaction by itself on FULL, IOERR and some others; then there is nothing to roll back. */
  #rollback(name: string | null): void {
    if (!this.#db.isTransaction) return;
    if (name === null) {
      this.#exec('ROLLBACK');
      return;
    }
    this.#exec(`ROLLBACK TO ${name}`);
    this.#exec(`RELEASE ${name}`);
  }
}

/** How many values each text takes; a text is checked once per process, whatever number of databases it runs on. */
const checked = new Map<string, number>();

function paramsOf(text: string): number {
  let params = checked.get(text);
  if (params === undefined) {
    params = checkStatement(text);
    if (checked.size < STATEMENTS_KEPT) checked.set(text, params);
  }
  return params;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function toDbError(error: unknown): DbError {
  if (error instanceof DbError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DbError(kindOf(error, message), message, error);
}

function kindOf(error: unknown, message: string): DbErrorKind {
  const code =
    typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number'
      ? error.errcode
      : 0;
  const kind = KIND_BY_CODE.get(code);
  if (kind !== undefined) return kind;
  if (STORAGE_CODES.has(code & PRIMARY_CODE_MASK)) return 'storage';
  return message.includes('string or blob too big') ? 'toobig' : 'other';
}

import { SqliteSql } from '../src/hosts/node/sql-sqlite.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../src/ports/sql.ts';

/** The process is gone: nothing that runs after it counts. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

/** What the world may do around a statement or a commit. */
export interface SqlHooks {
  /** May crash the process (throws) or refuse the write (throws `DbError`). */
  readonly onStatement: (text: string) => void;
  readonly onCommit: (moment: 'before' | 'after') => void;
  /** A statement changed rows: what the coverage table counts. */
  readonly onRows: (address: string, text: string, args: readonly SqlValue[], rows: number) => void;
}

/** A database that outlives the processes that open it. */
export class SimDatabase {
  readonly address: string;
  readonly sql: SqliteSql;
  /** Outermost commits so far: what the checkers compare to know that something happened. */
  commits = 0;

  constructor(address: string) {
    this.address = address;
    this.sql = SqliteSql.open(':memory:', { readOnly: false });
  }
}

/** The connection of one process to a database. Dead after the crash: it touches nothing any more. */
export class FaultySql implements Sql {
  readonly #database: SimDatabase;
  readonly #hooks: SqlHooks;
  readonly #alive: () => boolean;
  #depth = 0;

  constructor(database: SimDatabase, hooks: SqlHooks, alive: () => boolean) {
    this.#database = database;
    this.#hooks = hooks;
    this.#alive = alive;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    this.#check();
    this.#hooks.onStatement(text);
    const rows = this.#database.sql.all(text, ...args);
    if (text.startsWith('UPDATE')) this.#hooks.onRows(this.#database.address, text, args, rows.length);
    return rows;
  }

  tx<T>(work: () => T): T {
    this.#check();
    const outermost = this.#depth === 0;
    this.#depth += 1;
    try {
      const result = this.#database.sql.tx(() => {
        const value = work();
        this.#check();
        if (outermost) this.#hooks.onCommit('before');
        return value;
      });
      if (outermost) {
        this.#database.commits += 1;
        this.#hooks.onCommit('after');
      }
      return result;
    } finally {
      this.#depth -= 1;
    }
  }

  #check(): void {
    if (!this.#alive()) throw new CrashError('the process is gone');
  }
}

export const diskFull = (): DbError => new DbError('storage', 'database or disk is full');

/** Statements that change the disk; reads go on when it is full. */
export const isWrite = (text: string): boolean => /^\s*(?:INSERT|UPDATE|DELETE|CREATE)/.test(text);

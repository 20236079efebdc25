import type { SqliteSql } from '../src/hosts/node/sql-sqlite.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../src/ports/sql.ts';
import { giveBack, takeFromShelf, unmade, type Shelved } from './shelf.ts';

/** The process is gone: nothing that runs after it counts. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

/** What the world may do around a statement or a commit. */
export interface SqlHooks {
  /** May crash the process (throws) or refuse the write (throws `DbError`). */
  readonly onStatement: (isWrite: boolean) => void;
  readonly onCommit: (moment: 'before' | 'after') => void;
  /** A statement changed rows, or recorded a dispatch or a grant: what the coverage table counts and money looks at. */
  readonly onRows: (address: string, text: string, args: readonly SqlValue[]) => void;
}

/** A database that outlives the processes that open it. */
export class SimDatabase {
  readonly address: string;
  readonly sql: SqliteSql;
  /** Outermost commits so far: what the checkers compare to know that something happened. */
  commits = 0;
  /** Commits after which something may be different. */
  changes = 0;
  /** Tables that were written, or tried to, since the checkers looked last; empty after a turn that only read. */
  readonly touched = new Set<string>();

  readonly #shelved: Shelved;

  /** `isNew`: without its schema, which the town makes as at its first start. */
  constructor(address: string, isNew: boolean) {
    this.address = address;
    this.#shelved = isNew ? unmade(address) : takeFromShelf(address);
    this.sql = this.#shelved.sql;
  }

  /** The run is over; `isWhole` when nothing went wrong in it. */
  release(isWhole: boolean): void {
    giveBack(this.#shelved, isWhole);
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
    const table = writtenTable(text);
    this.#hooks.onStatement(table !== null);
    if (table !== null) this.#database.touched.add(table);
    const rows = this.#database.sql.all(text, ...args);
    if ((rows.length > 0 && text.startsWith('UPDATE')) || GIVES.test(text))
      this.#hooks.onRows(this.#database.address, text, args);
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
        if (this.#database.touched.size > 0) this.#database.changes += 1;
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

/** What a dispatch and a grant write; to be looked at in the very moment. */
const GIVES = /^INSERT INTO (?:attempts|budget_parts) /;
const WRITE = /^\s*(?:INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER TABLE|DROP)\s+(\w+)/;
const tables = new Map<string, string | null>();

/** The table that a statement writes; null when it only reads, which goes on when the disk is full. */
export function writtenTable(text: string): string | null {
  let table = tables.get(text);
  if (table === undefined) {
    table = WRITE.exec(text)?.[1] ?? null;
    tables.set(text, table);
  }
  return table;
}

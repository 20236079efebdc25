import { DbError } from '../../ports/sql.ts';
import type { DbErrorKind, Sql, SqlRow, SqlValue } from '../../ports/sql.ts';
import { checkArgs, checkStatement } from '../../store/sql-guard.ts';
import type { DurableStorage, SqlCursor, StoredValue } from './durable.ts';

/** What SQLite says about a constraint; a Durable Object gives no codes, only this text. */
const KIND_BY_NAME: readonly (readonly [name: string, kind: DbErrorKind])[] = [
  ['SQLITE_CONSTRAINT_UNIQUE', 'unique'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 'unique'],
  ['SQLITE_CONSTRAINT_ROWID', 'unique'],
  ['SQLITE_CONSTRAINT_NOTNULL', 'notnull'],
  ['SQLITE_CONSTRAINT_CHECK', 'check'],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', 'foreignkey'],
  ['SQLITE_CONSTRAINT_DATATYPE', 'datatype'],
  ['SQLITE_CONSTRAINT_TRIGGER', 'trigger'],
  ['SQLITE_TOOBIG', 'toobig'],
  ['SQLITE_FULL', 'storage'],
  ['SQLITE_IOERR', 'storage'],
  ['SQLITE_CORRUPT', 'storage'],
  ['SQLITE_CANTOPEN', 'storage'],
  ['SQLITE_READONLY', 'storage'],
  ['SQLITE_NOTADB', 'storage'],
];

/** How many values each text takes. Objects of one isolate share it; the texts are this program's own, a few hundred. */
const checked = new Map<string, number>();

/** The `Sql` port on the storage of a Durable Object. */
export class StorageSql implements Sql {
  readonly #storage: DurableStorage;

  /** Told of each statement; a bench counts with it. */
  readonly #told: ((cursor: SqlCursor) => void) | null;

  constructor(storage: DurableStorage, told: ((cursor: SqlCursor) => void) | null = null) {
    this.#storage = storage;
    this.#told = told;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    checkArgs(paramsOf(text), args);
    try {
      // Drained at once: an open cursor of an INSERT … RETURNING resets the whole object.
      const cursor = this.#storage.sql.exec(text, ...args);
      const rows = cursor.toArray().map(toRow);
      this.#told?.(cursor);
      return rows;
    } catch (error) {
      throw toDbError(error);
    }
  }

  tx<T>(work: () => T): T {
    return this.#storage.transactionSync(() => {
      const result = work();
      if (isThenable(result)) throw new TypeError('the work of a transaction must be synchronous');
      return result;
    });
  }
}

function paramsOf(text: string): number {
  let params = checked.get(text);
  if (params === undefined) checked.set(text, (params = checkStatement(text)));
  return params;
}

/** A blob comes back as an `ArrayBuffer`; the port says `Uint8Array` on every host. Few rows have one. */
function toRow(row: Readonly<Record<string, StoredValue>>): SqlRow {
  if (isPlain(row)) return row;
  const plain: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(row))
    plain[name] = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
  return plain;
}

function isPlain(
  row: Readonly<Record<string, StoredValue>>,
): row is Readonly<Record<string, Exclude<StoredValue, ArrayBuffer>>> {
  for (const name in row) if (row[name] instanceof ArrayBuffer) return false;
  return true;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function toDbError(error: unknown): DbError {
  if (error instanceof DbError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const kind = KIND_BY_NAME.find(([name]) => message.includes(name))?.[1];
  return new DbError(kind ?? (message.includes('too big') ? 'toobig' : 'other'), message, error);
}

/** What every host can store and bind alike: no bigint, boolean, undefined or Date. */
export type SqlValue = null | number | string | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * The smallest SQL surface that Node and a Durable Object share. Synchronous, drained, no cursors.
 * Only bare `?` parameters, at most 100 of them; lists travel as JSON through `json_each(?)`.
 */
export interface Sql {
  /** Runs one statement and returns all of its rows. Throws `DbError`. */
  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[];
  /** Runs `work` atomically; nests; a throw rolls its part back. `work` must be synchronous. */
  tx<T>(work: () => T): T;
}

export type DbErrorKind =
  | 'unique'
  | 'notnull'
  | 'check'
  | 'foreignkey'
  | 'datatype'
  | 'toobig'
  | 'trigger'
  | 'storage'
  | 'other';

/** A statement that the database refused, with the constraint that refused it. */
export class DbError extends Error {
  override readonly name = 'DbError';
  readonly kind: DbErrorKind;

  constructor(kind: DbErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

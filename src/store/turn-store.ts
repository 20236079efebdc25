import type { Sql, SqlRow } from '../ports/sql.ts';
import type { ClaimRoom } from './kernel-store.ts';
import { int, parseJson, text } from './rows.ts';

/** All that a turn took in besides its database and its time. */
export interface TurnInput {
  /** What was asked, in order: a name and plain arguments each. */
  readonly calls: readonly (readonly [name: string, ...args: readonly unknown[]])[];
  /** Chance that was drawn, in hexadecimal. */
  readonly drawn: string;
  /** Effects that might be claimed: the host's bound less what was under way. */
  readonly room: ClaimRoom;
}

export interface RecordedTurn {
  readonly seq: number;
  readonly atMs: number;
  /** The newest journal row after the turn; 0 when there is none. */
  readonly journalSeq: number;
  readonly input: TurnInput;
}

/** The recorded inputs of an actor's turns, for replay. */
export class TurnStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Rows changed through this connection; two equal answers mean that nothing was written between them. */
  changesSoFar(): number {
    return int(this.#sql.all('SELECT total_changes() AS n')[0]?.['n']);
  }

  /** Each call is its JSON already. */
  record(atMs: number, input: Omit<TurnInput, 'calls'> & { readonly calls: readonly string[] }): void {
    const { calls, drawn, room } = input;
    this.#sql.all(
      'INSERT INTO turns (at, journal_seq, input) VALUES (?, coalesce((SELECT MAX(seq) FROM journal), 0), ?)',
      atMs,
      `{"calls":[${calls.join(',')}],"drawn":${JSON.stringify(drawn)},"room":${JSON.stringify(room)}}`,
    );
  }

  after(seq: number, limit: number): readonly RecordedTurn[] {
    return this.#sql
      .all('SELECT seq, at, journal_seq, input FROM turns WHERE seq > ? ORDER BY seq LIMIT 0 + ?', seq, limit)
      .map(turnFromRow);
  }

  /** The newest recorded turn; null when there is none. */
  last(): RecordedTurn | null {
    const row = this.#sql.all('SELECT seq, at, journal_seq, input FROM turns ORDER BY seq DESC LIMIT 1')[0];
    return row === undefined ? null : turnFromRow(row);
  }
}

const turnFromRow = (row: SqlRow): RecordedTurn => ({
  seq: int(row['seq']),
  atMs: int(row['at']),
  journalSeq: int(row['journal_seq']),
  input: parseJson<TurnInput>(text(row['input'])),
});

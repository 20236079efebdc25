import type { RunnerDb } from './db.ts';

/** A conversation of an agent's program that a later attempt of the same bead may take up again. */
export interface SessionRow {
  readonly rig: string;
  readonly bead: string;
  readonly runtime: string;
  /** The program's own id of it. */
  readonly session: string;
  /** Folder it was held in: most programs find it only from there. */
  readonly cwd: string;
}

/** One that was found; `counted`: what of its cost attempts were charged, in millionths of a US dollar; null: not known. */
export interface FoundSession extends SessionRow {
  readonly counted: number | null;
}

/** Sessions by bead and runtime, on disk before their first prompt. */
export class SessionStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  find(of: Pick<SessionRow, 'rig' | 'bead' | 'runtime'>): FoundSession | null {
    const row = this.#db.all(
      'SELECT session, cwd, counted FROM sessions WHERE rig = ? AND bead = ? AND runtime = ?',
      of.rig,
      of.bead,
      of.runtime,
    )[0];
    const { rig, bead, runtime } = of;
    if (row === undefined) return null;
    const counted = typeof row['counted'] === 'number' ? row['counted'] : null;
    return { rig, bead, runtime, session: String(row['session']), cwd: String(row['cwd']), counted };
  }

  set(row: SessionRow, attempt: string): void {
    this.#db.all(
      `INSERT INTO sessions (rig, bead, runtime, session, cwd, attempt, counted) VALUES (?, ?, ?, ?, ?, ?, 0)
       ON CONFLICT (rig, bead, runtime) DO UPDATE SET session = excluded.session, cwd = excluded.cwd, attempt = excluded.attempt,
         counted = CASE WHEN session = excluded.session THEN counted ELSE 0 END`,
      row.rig,
      row.bead,
      row.runtime,
      row.session,
      row.cwd,
      attempt,
    );
  }

  /**
   * What its cost was when the attempt's usage was told, in the same transaction as that: so the next process counts from
   * there, and what nobody told is its. Null: the attempt told tokens and no cost.
   */
  count(of: Pick<SessionRow, 'rig' | 'bead' | 'runtime'>, attempt: string, counted: number | null): void {
    this.#db.all(
      'UPDATE sessions SET counted = ? WHERE rig = ? AND bead = ? AND runtime = ? AND attempt = ?',
      counted,
      of.rig,
      of.bead,
      of.runtime,
      attempt,
    );
  }

  forget(of: Pick<SessionRow, 'rig' | 'bead' | 'runtime'>): void {
    this.#db.all('DELETE FROM sessions WHERE rig = ? AND bead = ? AND runtime = ?', of.rig, of.bead, of.runtime);
  }

  /** Those of attempts that nobody asks about any more. */
  prune(): void {
    this.#db.all('DELETE FROM sessions WHERE attempt NOT IN (SELECT attempt FROM attempts)');
  }
}

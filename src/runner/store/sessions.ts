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

/** Sessions by bead and runtime, on disk before their first prompt. */
export class SessionStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  find(of: Pick<SessionRow, 'rig' | 'bead' | 'runtime'>): SessionRow | null {
    const row = this.#db.all(
      'SELECT session, cwd FROM sessions WHERE rig = ? AND bead = ? AND runtime = ?',
      of.rig,
      of.bead,
      of.runtime,
    )[0];
    const { rig, bead, runtime } = of;
    return row === undefined ? null : { rig, bead, runtime, session: String(row['session']), cwd: String(row['cwd']) };
  }

  set(row: SessionRow, attempt: string): void {
    this.#db.all(
      `INSERT INTO sessions (rig, bead, runtime, session, cwd, attempt) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (rig, bead, runtime) DO UPDATE SET session = excluded.session, cwd = excluded.cwd, attempt = excluded.attempt`,
      row.rig,
      row.bead,
      row.runtime,
      row.session,
      row.cwd,
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

import type { RunnerDb } from './db.ts';

/**
 * `making`: being created; after a crash it is made anew. `free`: clean, nobody's. `owned`: belongs to one attempt or gate
 * job. `kept`: the work of its attempt could not be rescued yet; without an owner (of an older version) a person has to look.
 */
export type WorktreeState = 'making' | 'free' | 'owned' | 'kept';

export interface WorktreeRow {
  readonly rig: string;
  readonly name: string;
  readonly state: WorktreeState;
  readonly owner: string | null;
}

/** Which directory belongs to whom: recorded before it is used, released only after its work is safe. */
export class WorktreeStore {
  readonly #db: RunnerDb;

  constructor(db: RunnerDb) {
    this.#db = db;
  }

  list(rig: string): readonly WorktreeRow[] {
    return this.#db.all('SELECT rig, name, state, owner FROM worktrees WHERE rig = ? ORDER BY name', rig).map(parseRow);
  }

  ownedBy(owner: string): WorktreeRow | null {
    const row = this.#db.all('SELECT rig, name, state, owner FROM worktrees WHERE owner = ?', owner)[0];
    return row === undefined ? null : parseRow(row);
  }

  set(row: WorktreeRow): void {
    this.#db.all(
      `INSERT INTO worktrees (rig, name, state, owner) VALUES (?, ?, ?, ?)
       ON CONFLICT (rig, name) DO UPDATE SET state = excluded.state, owner = excluded.owner`,
      row.rig,
      row.name,
      row.state,
      row.owner,
    );
  }

  /** Owners of a given prefix, for the clean-up of gate worktrees after a crash. */
  owned(): readonly WorktreeRow[] {
    return this.#db.all(`SELECT rig, name, state, owner FROM worktrees WHERE state = 'owned'`).map(parseRow);
  }
}

function parseRow(row: Readonly<Record<string, unknown>>): WorktreeRow {
  const state = row['state'];
  return {
    rig: String(row['rig']),
    name: String(row['name']),
    state: state === 'making' || state === 'free' || state === 'owned' ? state : 'kept',
    owner: typeof row['owner'] === 'string' ? row['owner'] : null,
  };
}

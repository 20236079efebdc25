import { trusted, type BeadId } from '../core/model/ids.ts';
import type { Sql } from '../ports/sql.ts';
import { text } from './rows.ts';

/** Who waits for whom. A bead's counts are recounted with each change, so that they always equal the rows. */
export class BlockerWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #touch: (bead: BeadId) => void;

  constructor(sql: Sql, nowMs: number, touch: (bead: BeadId) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#touch = touch;
  }

  /** Adds one thing to wait for; `open_blockers` is kept equal to the open rows in the same statement pair. */
  add(bead: BeadId, ref: string, scope: 'local' | 'remote', state: 'open' | 'cleared' | 'failed'): void {
    const added = this.#sql.all(
      'INSERT INTO blockers (bead_id, blocker_ref, scope, state) VALUES (?, ?, ?, ?) ON CONFLICT (bead_id, blocker_ref) DO NOTHING RETURNING state',
      bead,
      ref,
      scope,
      state,
    );
    if (added.length === 0) return;
    if (scope === 'local') this.#sql.all('UPDATE beads SET dependents = dependents + 1 WHERE id = ?', ref);
    this.#recount(bead);
  }

  /** Idempotent: only open rows change. */
  resolve(bead: BeadId, ref: string, cleared: boolean): void {
    const changed = this.#sql.all(
      `UPDATE blockers SET state = ? WHERE bead_id = ? AND blocker_ref = ? AND state = 'open' RETURNING bead_id`,
      cleared ? 'cleared' : 'failed',
      bead,
      ref,
    );
    if (changed.length > 0) this.#recount(bead);
  }

  /** A person decided to go on in spite of a failed blocker. */
  forgive(bead: BeadId, ref: string): void {
    this.#sql.all(
      `UPDATE blockers SET state = 'cleared' WHERE bead_id = ? AND blocker_ref = ? AND state = 'failed'`,
      bead,
      ref,
    );
    this.#recount(bead);
  }

  /** A bead of another rig got its id: from now on it is named by it. Answers who waits for it. */
  rename(from: string, to: string): readonly BeadId[] {
    return this.#sql
      .all(
        `UPDATE blockers SET blocker_ref = ? WHERE blocker_ref = ? AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.bead_id = blockers.bead_id AND b.blocker_ref = ?)
          RETURNING bead_id`,
        to,
        from,
        to,
      )
      .map((row) => trusted.bead(text(row['bead_id'])));
  }

  /** What took the place of an ended bead is waited for instead. Answers who waits for it now. */
  replace(from: BeadId, to: BeadId): readonly BeadId[] {
    const waiting = this.#sql
      .all(
        `SELECT b.bead_id AS bead_id, b.scope AS scope FROM blockers b JOIN beads w ON w.id = b.bead_id
          WHERE b.blocker_ref = ? AND b.state <> 'cleared' AND w.status NOT IN ('closed', 'failed') AND b.bead_id <> ? ORDER BY b.bead_id`,
        from,
        to,
      )
      .map((row) => ({ bead: trusted.bead(text(row['bead_id'])), isLocal: text(row['scope']) === 'local' }));
    for (const { bead, isLocal } of waiting) {
      this.#sql.all('DELETE FROM blockers WHERE bead_id = ? AND blocker_ref = ?', bead, from);
      this.add(bead, to, isLocal ? 'local' : 'remote', 'open');
      this.#recount(bead);
    }
    return waiting.map((row) => row.bead);
  }

  #recount(bead: BeadId): void {
    this.#sql.all(
      `UPDATE beads SET open_blockers = (SELECT COUNT(*) FROM blockers WHERE bead_id = beads.id AND state = 'open'),
        failed_blockers = (SELECT COUNT(*) FROM blockers WHERE bead_id = beads.id AND state = 'failed'), version = version + 1, updated_at = ?
        WHERE id = ?`,
      this.#nowMs,
      bead,
    );
    this.#touch(bead);
  }
}

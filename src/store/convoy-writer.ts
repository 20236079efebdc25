import type { RigToTown } from '../core/messages.ts';
import type { ConvoyBeadStatus, Convoy, ConvoyStatus, FailurePolicy } from '../core/model/convoy.ts';
import { trusted, type ConvoyId } from '../core/model/ids.ts';
import { convoyRef, type Ref } from '../core/refs.ts';
import { allows, CONVOY_TRANSITIONS } from '../core/transitions.ts';
import type { Sql } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { int, text } from './rows.ts';

type BeadEnd = Extract<RigToTown, { readonly type: 'bead_ended' }>;

export interface NewConvoy {
  readonly id: ConvoyId;
  readonly title: string;
  readonly mergeMode: string;
  readonly onFailure: FailurePolicy;
  readonly startWhenReady: boolean;
  readonly featureBranch: string | null;
  readonly landingOrder: readonly string[];
  readonly createdBy: string;
}

export interface NewConvoyBead {
  readonly convoy: ConvoyId;
  readonly position: number;
  readonly batch: number;
  readonly rig: string;
  /** Set for a bead that exists and joins; null for one that its rig makes. */
  readonly bead: string | null;
  readonly title: string;
  readonly dependsOn: readonly number[];
}

/** Every write to convoys and their beads. Counts are derived from the rows by the same write, never incremented. */
export class ConvoyWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  insert(convoy: NewConvoy): void {
    this.#sql.all(
      `INSERT INTO convoys (id, title, status, merge_mode, on_failure, start_when_ready, feature_branch, landing_order, created_by, created_at)
        VALUES (?, ?, 'creating', ?, ?, ?, ?, ?, ?, ?)`,
      convoy.id,
      convoy.title,
      convoy.mergeMode,
      convoy.onFailure,
      convoy.startWhenReady ? 1 : 0,
      convoy.featureBranch,
      JSON.stringify(convoy.landingOrder),
      convoy.createdBy,
      this.#nowMs,
    );
    this.#dirty(convoyRef(convoy.id));
  }

  /** The caller recounts after the last one. */
  insertBead(row: NewConvoyBead): void {
    this.#sql.all(
      `INSERT INTO convoy_beads (convoy_id, position, bead_id, rig_id, title, status, depends_on, batch, adopted) VALUES (?, ?, ?, ?, ?, 'creating', ?, ?, ?)`,
      row.convoy,
      row.position,
      row.bead,
      row.rig,
      row.title,
      JSON.stringify(row.dependsOn),
      row.batch,
      row.bead === null ? 0 : 1,
    );
  }

  /** Where the next addition begins: positions are never used twice, for rigs remember them. */
  nextPosition(convoy: ConvoyId): number {
    return int(
      this.#sql.all(
        `SELECT MAX(coalesce((SELECT MAX(position) + 1 FROM convoy_beads WHERE convoy_id = ?), 0),
          coalesce((SELECT MAX(first_position + size) FROM convoy_additions WHERE convoy_id = ?), 0)) AS next`,
        convoy,
        convoy,
      )[0]?.['next'],
    );
  }

  insertAddition(convoy: ConvoyId, first: number, size: number, createdBy: string): number {
    const row = this.#sql.all(
      `INSERT INTO convoy_additions (convoy_id, batch, first_position, size, state, created_by, created_at)
        VALUES (?, (SELECT coalesce(MAX(batch), 0) + 1 FROM convoy_additions WHERE convoy_id = ?), ?, ?, 'pending', ?, ?) RETURNING batch`,
      convoy,
      convoy,
      first,
      size,
      createdBy,
      this.#nowMs,
    )[0];
    this.#dirty(convoyRef(convoy));
    return int(row?.['batch']);
  }

  acceptAddition(convoy: ConvoyId, batch: number): void {
    const rows = this.#sql.all(
      `UPDATE convoy_additions SET state = 'done' WHERE convoy_id = ? AND batch = ? AND state = 'pending' RETURNING batch`,
      convoy,
      batch,
    );
    if (rows.length === 0) throw new GuardFailed(`addition ${String(batch)} of ${convoy} is not pending`);
    this.#dirty(convoyRef(convoy));
  }

  /** A rig took a bead: from now on others wait for it by its id. */
  beadCreated(
    convoy: ConvoyId,
    bead: { readonly position: number; readonly bead: string; readonly title: string },
  ): void {
    this.#sql.all(
      `UPDATE convoy_beads SET bead_id = ?, title = ?, status = 'live' WHERE convoy_id = ? AND position = ? AND status = 'creating'`,
      bead.bead,
      bead.title,
      convoy,
      bead.position,
    );
    this.#sql.all(
      'UPDATE remote_waits SET blocker_ref = ? WHERE blocker_ref = ?',
      bead.bead,
      `${convoy}/${String(bead.position)}`,
    );
    this.#dirty(convoyRef(convoy));
  }

  /**
   * A rig refused beads: a convoy that is being created fails, an addition is refused as a whole, and of a convoy that
   * ended meanwhile the beads stay as never made.
   */
  beadsRefused(convoy: Convoy, reason: string, positions: readonly number[]): void {
    if (convoy.status === 'creating')
      this.#sql.all(
        'UPDATE convoys SET reason = coalesce(reason, ?), version = version + 1 WHERE id = ?',
        reason,
        convoy.id,
      );
    const batches = this.#sql
      .all(
        'SELECT DISTINCT batch FROM convoy_beads WHERE convoy_id = ? AND position IN (SELECT value FROM json_each(?)) AND batch > 0',
        convoy.id,
        JSON.stringify(positions),
      )
      .map((row) => int(row['batch']));
    for (const batch of batches)
      this.#sql.all(
        `UPDATE convoy_additions SET state = 'refused', reason = ? WHERE convoy_id = ? AND batch = ? AND state = 'pending'`,
        reason,
        convoy.id,
        batch,
      );
    this.#endUnmade(convoy.id, positions);
    this.#dirty(convoyRef(convoy.id));
  }

  #endUnmade(convoy: ConvoyId, positions: readonly number[]): void {
    this.#sql.all(
      `UPDATE convoy_beads SET status = 'cancelled', close_reason = 'refused' WHERE convoy_id = ? AND status = 'creating' AND position IN (SELECT value FROM json_each(?))`,
      convoy,
      JSON.stringify(positions),
    );
    this.recount(convoy);
  }

  /** Answers the convoys it belongs to. */
  beadEnded(message: BeadEnd): { readonly status: ConvoyBeadStatus; readonly convoys: readonly ConvoyId[] } {
    const status = endOf(message);
    const convoys = this.#sql
      .all(
        `UPDATE convoy_beads SET status = ?, close_reason = ?, merge_sha = ?, merge_target = ? WHERE bead_id = ? AND status IN ('live', 'creating') RETURNING convoy_id`,
        status,
        message.closeReason,
        message.mergeSha,
        message.target,
        message.bead,
      )
      .map((row) => trusted.convoy(text(row['convoy_id'])));
    for (const convoy of convoys) this.recount(convoy);
    return { status, convoys };
  }

  /** The successor of a bead that did not end as merged takes its place. Null when there is no such place. */
  replaceBead(
    convoy: ConvoyId,
    bead: string,
    successor: string,
  ): { readonly position: number; readonly started: boolean } | null {
    const row = this.#sql.all(
      `UPDATE convoy_beads SET bead_id = ?, status = 'live', close_reason = NULL, merge_sha = NULL, merge_target = NULL, adopted = 1
        WHERE convoy_id = ? AND bead_id = ? AND status IN ('closed', 'failed', 'cancelled') AND close_reason <> 'merged' RETURNING position, started`,
      successor,
      convoy,
      bead,
    )[0];
    if (row === undefined) return null;
    this.recount(convoy);
    return { position: int(row['position']), started: int(row['started']) === 1 };
  }

  markStarted(convoy: ConvoyId, positions: readonly number[]): void {
    this.#sql.all(
      'UPDATE convoy_beads SET started = 1 WHERE convoy_id = ? AND position IN (SELECT value FROM json_each(?))',
      convoy,
      JSON.stringify(positions),
    );
  }

  dropBeads(convoy: ConvoyId, positions: readonly number[]): void {
    const list = JSON.stringify(positions);
    this.#sql.all(
      'DELETE FROM convoy_beads WHERE convoy_id = ? AND position IN (SELECT value FROM json_each(?))',
      convoy,
      list,
    );
    this.#sql.all(
      `UPDATE convoy_beads SET depends_on = (SELECT json_group_array(value) FROM json_each(depends_on) WHERE value NOT IN (SELECT value FROM json_each(?)))
        WHERE convoy_id = ?`,
      list,
      convoy,
    );
    this.recount(convoy);
  }

  voidBeads(convoy: ConvoyId, positions: readonly number[]): void {
    this.#sql.all(
      `UPDATE convoy_beads SET status = 'cancelled', close_reason = 'left' WHERE convoy_id = ? AND status IN ('creating', 'live') AND position IN (SELECT value FROM json_each(?))`,
      convoy,
      JSON.stringify(positions),
    );
    this.recount(convoy);
  }

  setAskedAbout(convoy: ConvoyId, beads: number): void {
    this.#sql.all('UPDATE convoys SET asked_about = ?, version = version + 1 WHERE id = ?', beads, convoy);
  }

  update(
    convoy: ConvoyId,
    change: { readonly title: string; readonly onFailure: FailurePolicy; readonly landingOrder: readonly string[] },
  ): void {
    this.#sql.all(
      'UPDATE convoys SET title = ?, on_failure = ?, landing_order = ?, version = version + 1 WHERE id = ?',
      change.title,
      change.onFailure,
      JSON.stringify(change.landingOrder),
      convoy,
    );
    this.#dirty(convoyRef(convoy));
  }

  startWhenReady(convoy: ConvoyId): void {
    this.#sql.all('UPDATE convoys SET start_when_ready = 1, version = version + 1 WHERE id = ?', convoy);
    this.#dirty(convoyRef(convoy));
  }

  /** The only way a convoy changes status: table, compare-and-set, trigger. */
  transition(convoy: Convoy, to: ConvoyStatus, reason: string | null): void {
    if (!allows(CONVOY_TRANSITIONS, convoy.status, to))
      throw new GuardFailed(`${convoy.id}: ${convoy.status} to ${to} is not in the table`);
    const rows = this.#sql.all(
      'UPDATE convoys SET status = ?, reason = coalesce(?, reason), landed_at = ?, version = version + 1 WHERE id = ? AND status = ? AND version = ? RETURNING version',
      to,
      reason,
      to === 'landed' ? this.#nowMs : null,
      convoy.id,
      convoy.status,
      convoy.version,
    );
    if (rows.length === 0) throw new GuardFailed(`${convoy.id} changed meanwhile`);
    this.#dirty(convoyRef(convoy.id));
  }

  recount(convoy: ConvoyId): void {
    this.#sql.all(
      `UPDATE convoys SET (total_beads, closed_beads, failed_beads, cancelled_beads) = (
          SELECT COUNT(*), coalesce(SUM(status = 'closed'), 0), coalesce(SUM(status = 'failed'), 0), coalesce(SUM(status = 'cancelled'), 0)
            FROM convoy_beads WHERE convoy_id = convoys.id
        ), version = version + 1 WHERE id = ?`,
      convoy,
    );
    this.#dirty(convoyRef(convoy));
  }
}

/** Only merged and no_change count as closed: whatever else ended is not done. */
function endOf(message: BeadEnd): ConvoyBeadStatus {
  if (message.status === 'closed' && (message.closeReason === 'merged' || message.closeReason === 'no_change'))
    return 'closed';
  return message.status === 'closed' ? 'cancelled' : 'failed';
}

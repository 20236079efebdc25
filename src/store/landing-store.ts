import type { RigToTown } from '../core/messages.ts';
import { LANDING_STATES, type ConvoyLanding } from '../core/model/landing.ts';
import { trusted, type ConvoyId } from '../core/model/ids.ts';
import { convoyRef, type Ref } from '../core/refs.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { int, text, textOrNull, word } from './rows.ts';

function landingFromRow(row: SqlRow): ConvoyLanding {
  const bead = textOrNull(row['bead_id']);
  return {
    convoyId: trusted.convoy(text(row['convoy_id'])),
    position: int(row['position']),
    rig: trusted.rig(text(row['rig_id'])),
    state: word(LANDING_STATES, row['state'], 'convoy_landings.state'),
    attempt: int(row['attempt']),
    beadId: bead === null ? null : trusted.bead(bead),
    mergeSha: textOrNull(row['merge_sha']),
    target: textOrNull(row['target']),
    notBeforeMs: int(row['not_before']),
    reason: textOrNull(row['reason']),
  };
}

export const readLandings = (sql: Sql, convoy: string): readonly ConvoyLanding[] =>
  sql
    .all(
      `SELECT convoy_id, rig_id, position, state, attempt, bead_id, merge_sha, target, not_before, reason FROM convoy_landings
        WHERE convoy_id = ? ORDER BY position`,
      convoy,
    )
    .map(landingFromRow);

/** Every write to the landings of convoys; each is guarded and marks the convoy to be looked at. */
export class LandingWriter {
  readonly #sql: Sql;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#dirty = dirty;
  }

  plan(convoy: ConvoyId, rigs: readonly { readonly rig: string; readonly empty: boolean }[]): void {
    for (const [position, { rig, empty }] of rigs.entries())
      this.#sql.all(
        'INSERT INTO convoy_landings (convoy_id, rig_id, position, state) VALUES (?, ?, ?, ?)',
        convoy,
        rig,
        position,
        empty ? 'nothing' : 'waiting',
      );
    this.#dirty(convoyRef(convoy));
  }

  order(convoy: ConvoyId, rig: string, attempt: number): void {
    this.#guarded(
      `${convoy} does not wait to land in ${rig} for the ${String(attempt)}. time`,
      convoy,
      `UPDATE convoy_landings SET state = 'ordered', attempt = ?, bead_id = NULL WHERE convoy_id = ? AND rig_id = ? AND state = 'waiting' AND attempt = ? RETURNING rig_id`,
      attempt,
      convoy,
      rig,
      attempt - 1,
    );
  }

  retry(convoy: ConvoyId, rig: string, attempt: number, notBeforeMs: number): void {
    this.#guarded(
      `the landing of ${convoy} in ${rig} did not fail`,
      convoy,
      `UPDATE convoy_landings SET state = 'waiting', not_before = ? WHERE convoy_id = ? AND rig_id = ? AND state = 'failed' AND attempt = ? RETURNING rig_id`,
      notBeforeMs,
      convoy,
      rig,
      attempt,
    );
  }

  hold(convoy: ConvoyId, rig: string, reason: string | null): void {
    this.#guarded(
      `${convoy} does not wait to land in ${rig}`,
      convoy,
      `UPDATE convoy_landings SET reason = ? WHERE convoy_id = ? AND rig_id = ? AND state = 'waiting' RETURNING rig_id`,
      reason,
      convoy,
      rig,
    );
  }

  /** Convoys whose next landing may be in this rig. */
  look(rig: string): void {
    for (const row of this.#sql.all(
      `SELECT convoy_id FROM convoy_landings WHERE rig_id = ? AND state = 'waiting'`,
      rig,
    ))
      this.#dirty(convoyRef(trusted.convoy(text(row['convoy_id']))));
  }

  #guarded(what: string, convoy: ConvoyId, query: string, ...args: (string | number | null)[]): void {
    if (this.#sql.all(query, ...args).length === 0) throw new GuardFailed(what);
    this.#dirty(convoyRef(convoy));
  }

  created(convoy: ConvoyId, rig: string, landing: { readonly attempt: number; readonly bead: string }): void {
    this.#sql.all(
      `UPDATE convoy_landings SET bead_id = ? WHERE convoy_id = ? AND rig_id = ? AND attempt = ? AND state = 'ordered'`,
      landing.bead,
      convoy,
      rig,
      landing.attempt,
    );
    this.#dirty(convoyRef(convoy));
  }

  /** A landing bead ended: on the target by evidence, or not. Also what lands after its convoy was given up counts. */
  ended(message: Extract<RigToTown, { readonly type: 'bead_ended' }>): readonly ConvoyId[] {
    const landed = message.closeReason === 'merged' && message.mergeSha !== null;
    const rows = this.#sql.all(
      `UPDATE convoy_landings SET state = ?, merge_sha = ?, target = ?, reason = ? WHERE bead_id = ? AND state = 'ordered' RETURNING convoy_id`,
      landed ? 'landed' : 'failed',
      landed ? message.mergeSha : null,
      message.target,
      landed ? null : `${message.closeReason}${(message.note ?? '') === '' ? '' : `: ${message.note ?? ''}`}`,
      message.bead,
    );
    const convoys = rows.map((row) => trusted.convoy(text(row['convoy_id'])));
    for (const convoy of convoys) this.#dirty(convoyRef(convoy));
    return convoys;
  }
}

import type { RigToTown } from '../core/messages.ts';
import { trusted, type ConvoyId } from '../core/model/ids.ts';
import { CONVOY_REVERT_STATES, type ConvoyRevert } from '../core/model/revert.ts';
import { convoyRef, type Ref } from '../core/refs.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, text, textOrNull, word } from './rows.ts';

function convoyRevertFromRow(row: SqlRow): ConvoyRevert {
  const bead = textOrNull(row['bead_id']);
  return {
    convoyId: trusted.convoy(text(row['convoy_id'])),
    rig: trusted.rig(text(row['rig_id'])),
    target: text(row['target']),
    attempt: int(row['attempt']),
    state: word(CONVOY_REVERT_STATES, row['state'], 'convoy_reverts.state'),
    beadId: bead === null ? null : trusted.bead(bead),
    mergeSha: textOrNull(row['merge_sha']),
    reason: textOrNull(row['reason']),
  };
}

export const readConvoyReverts = (sql: Sql, convoy: string): readonly ConvoyRevert[] =>
  sql
    .all(
      `SELECT convoy_id, rig_id, target, attempt, state, bead_id, merge_sha, reason FROM convoy_reverts
        WHERE convoy_id = ? ORDER BY rig_id, target`,
      convoy,
    )
    .map(convoyRevertFromRow);

/** Every write to the reverts of convoys; each marks the convoy to be looked at. */
export class ConvoyRevertWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  /** A new one, or another attempt at one that failed. Answers its number. */
  order(convoy: ConvoyId, place: { readonly rig: string; readonly target: string }, createdBy: string): number {
    const row = this.#sql.all(
      `INSERT INTO convoy_reverts (convoy_id, rig_id, target, attempt, state, created_by, created_at) VALUES (?, ?, ?, 1, 'ordered', ?, ?)
        ON CONFLICT (convoy_id, rig_id, target) DO UPDATE SET attempt = attempt + 1, state = 'ordered', bead_id = NULL, reason = NULL,
          created_by = excluded.created_by, created_at = excluded.created_at RETURNING attempt`,
      convoy,
      place.rig,
      place.target,
      createdBy,
      this.#nowMs,
    )[0];
    this.#dirty(convoyRef(convoy));
    return int(row?.['attempt']);
  }

  created(rig: string, message: Extract<RigToTown, { readonly type: 'revert_created' }>): void {
    this.#sql.all(
      `UPDATE convoy_reverts SET bead_id = ? WHERE convoy_id = ? AND rig_id = ? AND target = ? AND attempt = ? AND state = 'ordered'`,
      message.bead,
      message.convoy,
      rig,
      message.target,
      message.attempt,
    );
    this.#dirty(convoyRef(trusted.convoy(message.convoy)));
  }

  /** The bead of a revert ended: on the target by evidence, with nothing left to undo, or given up. */
  ended(message: Extract<RigToTown, { readonly type: 'bead_ended' }>): readonly ConvoyId[] {
    const isMerged = message.closeReason === 'merged' && message.mergeSha !== null;
    const state = isMerged ? 'reverted' : message.closeReason === 'no_change' ? 'nothing' : 'failed';
    const note = message.note ?? '';
    const rows = this.#sql.all(
      `UPDATE convoy_reverts SET state = ?, merge_sha = ?, reason = ? WHERE bead_id = ? AND state = 'ordered' RETURNING convoy_id`,
      state,
      isMerged ? message.mergeSha : null,
      isMerged ? null : `${message.closeReason}${note === '' ? '' : `: ${note}`}`,
      message.bead,
    );
    const convoys = rows.map((row) => trusted.convoy(text(row['convoy_id'])));
    for (const convoy of convoys) this.#dirty(convoyRef(convoy));
    return convoys;
  }
}

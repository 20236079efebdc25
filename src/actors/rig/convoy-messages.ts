import type { RigToTown, TownToRig } from '../../core/messages.ts';
import { must } from '../../core/assert.ts';
import { isTerminal } from '../../core/model/bead.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import { cancelLater } from './cancel-later.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

type Of<Type extends TownToRig['type']> = Extract<TownToRig, { readonly type: Type }>;

const idsOf = (rows: readonly Readonly<Record<string, unknown>>[]): readonly BeadId[] =>
  rows.map((row) => trusted.bead(String(row['id'])));

/** Lets beads of a convoy run: all of them, or the ones of an addition. */
export function startConvoy(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'start_convoy'>): void {
  for (const { ref, bead } of message.names) {
    const [waiting] = writer.blockers.rename(ref, bead);
    if (waiting === undefined) continue;
    // It may have ended while it was known by its place in the plan only; the town tells again what it knows.
    turn.send<RigToTown>('town', rig.address, { type: 'remote_blocker', blocker: bead, bead: waiting });
  }
  applyPolicy(rig, turn, { convoy: message.convoy, skip: message.skip ?? false });
  if (message.positions === undefined || message.positions.length > 0) writer.features.wantStaged(message.convoy);
  for (const row of rig.sql.all(
    `SELECT id, convoy_position FROM beads WHERE convoy_id = ? AND hold = 'staged' AND status = 'open' ORDER BY convoy_position`,
    message.convoy,
  )) {
    if (message.positions !== undefined && !message.positions.includes(Number(row['convoy_position']))) continue;
    const id = trusted.bead(String(row['id']));
    writer.updateBead(id, { hold: null, hold_reason: null });
    turn.journal({
      entity: beadRef(id),
      action: 'release_bead',
      rule: 'town',
      reason: `convoy ${message.convoy} started`,
      from: 'staged',
    });
  }
}

/** What its convoy wants of a bead whose blocker failed; every bead that waits is looked at again. */
export function applyPolicy(
  rig: RigContext,
  turn: Turn,
  policy: { readonly convoy: string; readonly skip: boolean },
): void {
  const changed = rig.sql.all(
    `UPDATE beads SET skip_failed = ? WHERE convoy_id = ? AND skip_failed <> ? AND status IN ('open', 'in_progress', 'in_review') RETURNING id`,
    policy.skip ? 1 : 0,
    policy.convoy,
    policy.skip ? 1 : 0,
  );
  for (const id of idsOf(changed)) turn.dirty(beadRef(id));
}

/** Ends beads of a convoy. Once a push is under way its verdict decides, as with any cancel. */
export function cancelConvoy(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'cancel_convoy'>): void {
  const ids = idsOf(
    rig.sql.all(
      `SELECT id FROM beads WHERE convoy_id = ? AND status IN ('open', 'in_progress', 'in_review') ORDER BY convoy_position`,
      message.convoy,
    ),
  );
  for (const id of ids) {
    const bead = must(rig.view.bead(id), 'a listed bead exists');
    if (bead.status !== 'open' && message.scope !== 'live') {
      // What runs may end well, but nothing of it is tried again.
      rig.sql.all('UPDATE beads SET aborted = 1, version = version + 1 WHERE id = ?', id);
      turn.dirty(beadRef(id));
      for (const rework of rig.view.reworkOf(id)) turn.dirty(beadRef(rework));
      continue;
    }
    cancelBead(rig, turn, writer, { id, reason: message.reason });
  }
}

function cancelBead(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  cancel: { readonly id: BeadId; readonly reason: string },
): void {
  const bead = must(rig.view.bead(cancel.id), 'a cancelled bead exists');
  if (isTerminal(bead.status)) return;
  const review = rig.view.reviewOf(bead.id);
  if (review !== null && cancelLater(rig, turn, writer, { bead, review, evidence: { note: cancel.reason } })) return;
  writer.transitionBead(bead, 'closed', { closeReason: 'cancelled', evidence: { note: cancel.reason } });
  turn.journal({
    entity: beadRef(bead.id),
    action: 'transition_bead',
    rule: 'town',
    reason: cancel.reason,
    from: bead.status,
    to: 'closed',
  });
}

/** These beads are by themselves again; what was made for the convoy and has not started ends instead. */
export function leaveConvoy(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'leave_convoy'>): void {
  const ids = idsOf(
    rig.sql.all(
      'SELECT id FROM beads WHERE convoy_id = ? AND convoy_position IN (SELECT value FROM json_each(?)) ORDER BY convoy_position',
      message.convoy,
      JSON.stringify(message.positions),
    ),
  );
  for (const id of ids) {
    if (message.cancel) cancelBead(rig, turn, writer, { id, reason: message.reason });
    // Beads of other rigs may wait for it by the town: it still has to hear of its end.
    rig.sql.all(
      `UPDATE beads SET convoy_id = NULL, convoy_position = NULL, skip_failed = 0, aborted = 0, watched = 1, version = version + 1,
        hold_reason = CASE WHEN hold = 'staged' THEN 'recorded, not slung yet' ELSE hold_reason END WHERE id = ?`,
      id,
    );
    retarget(rig, id, rig.view.config().targetBranch);
    turn.dirty(beadRef(id));
    turn.journal({ entity: beadRef(id), action: 'leave_convoy', rule: 'town', reason: message.reason });
  }
}

/** True when no agent ever began on it: its target may still change. */
export const hasNotBegun = (rig: RigContext, bead: BeadId): boolean =>
  rig.sql.all('SELECT 1 AS one FROM attempts WHERE bead_id = ? LIMIT 1', bead).length === 0;

/** A bead that joins or leaves a convoy merges where its new company does; work that has begun keeps its target. */
export function retarget(rig: RigContext, id: BeadId, target: string): void {
  if (hasNotBegun(rig, id))
    rig.sql.all(
      `UPDATE beads SET target_branch = ?, version = version + 1 WHERE id = ? AND status = 'open'`,
      target,
      id,
    );
}

import type { RigToTown, TownToRig } from '../../core/messages.ts';
import type { Caller } from '../../core/commands.ts';
import { conflict, precondition, usage } from '../../core/errors.ts';
import { isTerminal, type Bead } from '../../core/model/bead.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { retarget } from './convoy-messages.ts';
import type { RigContext } from './rig-context.ts';
import { addLocalBlocker } from './local-blocker.ts';

type Of<Type extends TownToRig['type']> = Extract<TownToRig, { readonly type: Type }>;

/**
 * An end is final, so a bead is reopened by a successor: the same work as a new bead, which takes its place for those who
 * wait for it and in its convoy. A repeat answers the successor that is there. Errors: `not_a_task`, `not_ended`,
 * `reopened_already`.
 */
export function reopen(rig: RigContext, turn: Turn, bead: Bead, caller: Caller): BeadId {
  const known = checkReopen(rig, turn, bead);
  if (known !== null) return known;
  const writer = rig.writer(turn);
  // What was merged stays part of the convoy's account; then the successor is work of its own.
  const convoy = bead.closeReason === 'merged' ? null : bead.convoyId;
  const id = insertSuccessor(rig, writer, bead, { caller, waits: convoy !== null });
  rig.view.molecules.copy(bead.id, id, turn.nowMs);
  copyBlockers(rig, turn, writer, { from: bead.id, to: id });
  for (const waiting of writer.blockers.replace(bead.id, id))
    turn.journal({
      entity: beadRef(waiting),
      action: 'wait_for',
      rule: 'command',
      reason: `${bead.id} is reopened as ${id}`,
    });
  if (bead.escalated) {
    writer.markEscalated(bead.id, false);
    turn.send<RigToTown>('town', rig.address, { type: 'escalation_resolved', causeKey: `bead:${bead.id}` });
  }
  if (rig.view.isWatched(bead.id)) {
    tellEnd(rig, turn, writer, bead);
    turn.send<RigToTown>('town', rig.address, { type: 'bead_reopened', bead: bead.id, successor: id, convoy });
  }
  turn.journal({
    entity: beadRef(id),
    action: 'create_bead',
    rule: 'command',
    reason: `takes the place of ${bead.id}, by ${caller.actor}`,
    to: 'open',
  });
  return id;
}

/**
 * The town hears of an end before it hears of the successor, also when both happen in one turn: the place of a bead that
 * is not known to have ended is not given away.
 */
function tellEnd(rig: RigContext, turn: Turn, writer: RigWriter, bead: Bead): void {
  if (rig.view.endReported(bead.id) || (bead.status !== 'closed' && bead.status !== 'failed')) return;
  writer.markEndReported(bead.id);
  turn.send<RigToTown>('town', rig.address, {
    type: 'bead_ended',
    bead: bead.id,
    convoy: bead.convoyId,
    status: bead.status,
    closeReason: bead.closeReason ?? bead.status,
    mergeSha: bead.evidence?.mergeSha ?? null,
    target: bead.evidence?.target ?? bead.targetBranch,
    note: bead.evidence?.note ?? '',
  });
}

/** The successor that is there and has not ended. */
function checkReopen(rig: RigContext, turn: Turn, bead: Bead): BeadId | null {
  if (bead.type !== 'issue' || bead.kind !== 'task')
    throw usage(
      'not_a_task',
      `${bead.id} belongs to ${bead.branchOf ?? bead.parentId ?? bead.convoyId ?? 'another bead'}.`,
      'Reopen the bead that it belongs to.',
      'bead',
    );
  if (!isTerminal(bead.status))
    throw precondition(
      'not_ended',
      `${bead.id} is ${bead.status}; only what has ended can be reopened.`,
      `See what it waits for with "gt why ${bead.id}".`,
    );
  const successor = bead.reopenedAs === null ? null : rig.bead(turn, bead.reopenedAs);
  if (successor === null) return null;
  if (!isTerminal(successor.status)) return successor.id;
  throw conflict(
    'reopened_already',
    `${bead.id} was reopened as ${successor.id}, which has ended too.`,
    `Run "gt bead reopen ${successor.id}".`,
  );
}

function insertSuccessor(
  rig: RigContext,
  writer: RigWriter,
  bead: Bead,
  { caller, waits }: { readonly caller: Caller; readonly waits: boolean },
): BeadId {
  const id = rig.mintBead(writer);
  const isFeature = rig.view.feature(bead.targetBranch) !== null;
  writer.insertBead({
    ...bead,
    id,
    hold: waits ? 'staged' : null,
    holdReason: waits ? `waits for its convoy ${bead.convoyId ?? ''} to take it` : null,
    convoyId: null,
    convoyPosition: null,
    targetBranch: isFeature ? rig.view.config().targetBranch : bead.targetBranch,
    createdBy: caller.actor,
  });
  rig.sql.all(
    'UPDATE beads SET reopens = ?, watched = ? WHERE id = ?',
    bead.id,
    rig.view.isWatched(bead.id) ? 1 : 0,
    id,
  );
  rig.sql.all('UPDATE beads SET reopened_as = ?, version = version + 1 WHERE id = ?', id, bead.id);
  return id;
}

/** It waits for what its predecessor waited for, or for what took the place of that. */
function copyBlockers(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { from, to }: { readonly from: BeadId; readonly to: BeadId },
): void {
  for (const blocker of rig.view.blockers(from)) {
    if (blocker.scope === 'local')
      addLocalBlocker(rig, turn, writer, { bead: to, blocker: newestOf(rig, turn, trusted.bead(blocker.blockerRef)) });
    else if (blocker.state === 'cleared') writer.blockers.add(to, blocker.blockerRef, 'remote', 'cleared');
    else {
      writer.blockers.add(to, blocker.blockerRef, 'remote', 'open');
      turn.send<RigToTown>('town', rig.address, { type: 'remote_blocker', blocker: blocker.blockerRef, bead: to });
    }
  }
}

/** What took the place of a bead at last; itself when nothing did. */
function newestOf(rig: RigContext, turn: Turn, id: BeadId): BeadId {
  const next = rig.bead(turn, id)?.reopenedAs ?? null;
  return next === null ? id : newestOf(rig, turn, next);
}

/** The town answers whether the convoy of the predecessor takes its successor. */
export function joinAfterReopen(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'take_successor'>): void {
  const bead = rig.bead(turn, trusted.bead(message.successor));
  if (bead === null) return;
  const { convoy, place } = message;
  if (place !== null) {
    rig.sql.all(
      'UPDATE beads SET convoy_position = NULL, version = version + 1 WHERE convoy_id = ? AND convoy_position = ?',
      convoy,
      place.position,
    );
    rig.sql.all(
      'UPDATE beads SET convoy_id = ?, convoy_position = ?, skip_failed = ?, end_reported = 0, version = version + 1 WHERE id = ?',
      convoy,
      place.position,
      place.skip ? 1 : 0,
      bead.id,
    );
    if (place.feature !== null) {
      retarget(rig, bead.id, place.feature);
      if (place.started) writer.features.wantStaged(convoy);
    }
  }
  const runs = place === null || place.started;
  if (!isTerminal(bead.status) && bead.hold === 'staged' && runs)
    writer.updateBead(bead.id, { hold: null, hold_reason: null });
  turn.dirty(beadRef(bead.id));
  turn.journal({
    entity: beadRef(bead.id),
    action: place === null ? 'leave_convoy' : 'adopt_bead',
    rule: 'town',
    reason:
      place === null ? `the convoy ${convoy} takes no more beads; it runs by itself` : `takes its place in ${convoy}`,
  });
}

/** A bead of another rig was reopened: who was blocked by its failure waits for its successor. */
export function waitForSuccessor(turn: Turn, writer: RigWriter, message: Of<'gate_moved'>): void {
  for (const waiting of writer.blockers.replace(trusted.bead(message.ref), trusted.bead(message.successor)))
    turn.journal({
      entity: beadRef(waiting),
      action: 'wait_for',
      rule: 'town',
      reason: `${message.ref} is reopened as ${message.successor}`,
    });
}

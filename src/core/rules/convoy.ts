import type { Decision, TownAction, Verdicts } from '../actions.ts';
import { convoyBeadRef, type Convoy, type ConvoyBead, type ConvoyStatus } from '../model/convoy.ts';
import { trusted } from '../model/ids.ts';
import { convoyRef } from '../refs.ts';
import type { TownView } from '../town-view.ts';

const NONE: Verdicts<TownAction> = { decisions: [], wakeAtMs: null };

/**
 * One convoy from creation to landing. Counts are derived from its beads, never incremented; it lands on evidence only
 * (every bead merged, or closed as not needing a change), so a failed bead can't look like a landed convoy.
 */
export function convoyRule(view: TownView, id: string): Verdicts<TownAction> {
  const convoy = view.convoy(trusted.convoy(id));
  if (convoy === null) return NONE;
  const beads = view.convoyBeads(convoy.id);
  switch (convoy.status) {
    case 'creating':
      return { decisions: creating(convoy, beads), wakeAtMs: null };
    case 'staged':
      return { decisions: convoy.startWhenReady ? [start(convoy, beads, 'it was started')] : [], wakeAtMs: null };
    case 'active':
      return { decisions: active(convoy, beads), wakeAtMs: null };
    case 'ready_to_land':
      return { decisions: landing(convoy, beads), wakeAtMs: null };
    default:
      return NONE;
  }
}

function decide(convoy: Convoy, reason: string, actions: readonly TownAction[]): Decision<TownAction> {
  return { rule: 'convoy', entity: convoyRef(convoy.id), reason, actions };
}

const move = (convoy: Convoy, to: ConvoyStatus, reasonText: string | null = null): TownAction => ({
  type: 'convoy_status',
  convoy: convoy.id,
  from: convoy.status,
  to,
  reasonText,
});

const rigsOf = (beads: readonly ConvoyBead[]): readonly string[] => [...new Set(beads.map((bead) => bead.rig))];

function creating(convoy: Convoy, beads: readonly ConvoyBead[]): Decision<TownAction>[] {
  if (convoy.reason !== null) {
    const cancel = rigsOf(beads).map((rig): TownAction => ({
      type: 'message_rig',
      rig,
      key: `cancel:${convoy.id}:${rig}`,
      message: { type: 'cancel_convoy', convoy: convoy.id, reason: convoy.reason ?? '' },
    }));
    return [decide(convoy, `a rig refused: ${convoy.reason}`, [move(convoy, 'failed', convoy.reason), ...cancel])];
  }
  if (beads.some((bead) => bead.status === 'creating')) return [];
  return [
    convoy.startWhenReady
      ? start(convoy, beads, 'all rigs have its beads')
      : decide(convoy, 'all rigs have its beads; it waits to be started', [move(convoy, 'staged')]),
  ];
}

/** Releases the beads in every rig, and names the beads of other rigs that they wait for. */
function start(convoy: Convoy, beads: readonly ConvoyBead[], reason: string): Decision<TownAction> {
  const names = beads.flatMap((bead) =>
    bead.beadId === null ? [] : [{ ref: convoyBeadRef(convoy.id, bead.position), bead: bead.beadId }],
  );
  const messages = rigsOf(beads).map((rig): TownAction => ({
    type: 'message_rig',
    rig,
    key: `start:${convoy.id}:${rig}`,
    message: { type: 'start_convoy', convoy: convoy.id, names },
  }));
  return decide(convoy, reason, [move(convoy, 'active'), ...messages]);
}

interface Counts {
  readonly closed: number;
  readonly failed: number;
  readonly cancelled: number;
}

export function countBeads(beads: readonly ConvoyBead[]): Counts {
  const of = (status: ConvoyBead['status']): number => beads.filter((bead) => bead.status === status).length;
  return { closed: of('closed'), failed: of('failed'), cancelled: of('cancelled') };
}

function active(convoy: Convoy, beads: readonly ConvoyBead[]): Decision<TownAction>[] {
  const counts = countBeads(beads);
  const actions: TownAction[] = [];
  if (
    counts.closed !== convoy.closedBeads ||
    counts.failed !== convoy.failedBeads ||
    counts.cancelled !== convoy.cancelledBeads
  ) {
    actions.push({ type: 'update_convoy_progress', convoy: convoy.id, ...counts });
  }
  const allClosed = counts.closed === beads.length;
  const allCancelled = counts.cancelled === beads.length;
  if (allClosed) actions.push(move(convoy, 'ready_to_land'));
  else if (allCancelled) actions.push(move(convoy, 'cancelled', 'every bead was cancelled'));
  if (actions.length === 0) return [];
  return [
    decide(
      convoy,
      `${String(counts.closed)} of ${String(beads.length)} closed, ${String(counts.failed)} failed, ${String(counts.cancelled)} cancelled`,
      actions,
    ),
  ];
}

/** Review-and-merge: each bead landed by itself, so the evidence is one merge commit per bead that changed something. */
function landing(convoy: Convoy, beads: readonly ConvoyBead[]): Decision<TownAction>[] {
  const without = beads.filter(
    (bead) => bead.status !== 'closed' || (bead.closeReason === 'merged' && bead.mergeSha === null),
  );
  if (without.length > 0) return [];
  return [decide(convoy, 'every bead is merged or needed no change', [move(convoy, 'landed')])];
}

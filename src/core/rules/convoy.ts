import type { Decision, TownAction, Verdicts } from '../actions.ts';
import type { TownToRig } from '../messages.ts';
import { convoyOutlook, namesOf } from '../convoy-outlook.ts';
import { convoyBeadRef, type Convoy, type ConvoyBead, type ConvoyStatus } from '../model/convoy.ts';
import { trusted } from '../model/ids.ts';
import { convoyRef } from '../refs.ts';
import { landInOrder } from './convoy-landing.ts';
import type { TownView } from '../town-view.ts';

const NONE: Verdicts<TownAction> = { decisions: [], wakeAtMs: null };

type ConvoyDecision = Decision<TownAction>;
const decided = (decisions: readonly ConvoyDecision[]): Verdicts<TownAction> => ({ decisions, wakeAtMs: null });

/**
 * One convoy from creation to landing. Its counts equal its rows by construction; it lands on evidence only (merged, or
 * closed as not needing a change), so a failed bead can't look like a landed convoy, and an empty one can't land.
 */
export function convoyRule(view: TownView, id: string, nowMs: number): Verdicts<TownAction> {
  const convoy = view.convoy(trusted.convoy(id));
  if (convoy === null) return NONE;
  const beads = view.convoyBeads(convoy.id);
  switch (convoy.status) {
    case 'creating':
      return decided(creating(convoy, beads));
    case 'staged':
      if (convoy.startWhenReady)
        return decided([decide(convoy, 'it was started', [move(convoy, 'active'), ...release(convoy, beads)])]);
      return decided([...additions(view, convoy, beads), ...emptied(convoy, beads)]);
    case 'active':
      return decided([...additions(view, convoy, beads), ...active(view, convoy, beads)]);
    case 'ready_to_land':
      return convoy.mergeMode === 'review-then-land'
        ? landInOrder(view, convoy, beads, nowMs)
        : decided(landing(convoy, beads));
    default:
      return NONE;
  }
}

function decide(convoy: Convoy, reason: string, actions: readonly TownAction[]): ConvoyDecision {
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
const positionsOf = (beads: readonly ConvoyBead[]): readonly number[] => beads.map((bead) => bead.position);

/** One message to each rig that has some of these beads. */
function tellRigs(
  beads: readonly ConvoyBead[],
  key: string,
  message: (own: readonly ConvoyBead[]) => TownToRig,
): readonly TownAction[] {
  return rigsOf(beads).map((rig) => ({
    type: 'message_rig',
    rig,
    key: `${key}:${rig}`,
    message: message(beads.filter((bead) => bead.rig === rig)),
  }));
}

function creating(convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  const { reason } = convoy;
  if (reason !== null) {
    const adopted = beads.filter((bead) => bead.adopted);
    return [
      decide(convoy, `a rig refused: ${reason}`, [
        move(convoy, 'failed', reason),
        // Before the cancel, which ends all that a rig still counts to the convoy.
        ...leave(convoy, adopted, { cancel: false, reason }),
        ...tellRigs(
          beads.filter((bead) => !bead.adopted),
          `cancel:${convoy.id}`,
          () => ({ type: 'cancel_convoy', convoy: convoy.id, reason }),
        ),
        ...(adopted.length === 0
          ? []
          : [{ type: 'void_beads', convoy: convoy.id, positions: positionsOf(adopted) } as const]),
      ]),
    ];
  }
  if (beads.some((bead) => bead.status === 'creating')) return [];
  return [
    convoy.startWhenReady
      ? decide(convoy, 'all rigs have its beads', [move(convoy, 'active'), ...release(convoy, beads)])
      : decide(convoy, 'all rigs have its beads; it waits to be started', [move(convoy, 'staged')]),
  ];
}

const leave = (
  convoy: Convoy,
  beads: readonly ConvoyBead[],
  how: { readonly cancel: boolean; readonly reason: string },
): readonly TownAction[] =>
  tellRigs(beads, `${how.cancel ? 'undo' : 'leave'}:${convoy.id}`, (own) => ({
    type: 'leave_convoy',
    convoy: convoy.id,
    positions: positionsOf(own),
    ...how,
  }));

/** What was made for the convoy ends; what was there before goes on by itself. */
const takeBack = (convoy: Convoy, beads: readonly ConvoyBead[], reason: string): readonly TownAction[] => [
  ...leave(
    convoy,
    beads.filter((bead) => !bead.adopted),
    { cancel: true, reason },
  ),
  ...leave(
    convoy,
    beads.filter((bead) => bead.adopted),
    { cancel: false, reason },
  ),
];

/** Beads of batches that every rig has answered, and that were not let run yet. */
function unstarted(beads: readonly ConvoyBead[]): readonly ConvoyBead[] {
  const waiting = new Set(beads.filter((bead) => bead.status === 'creating').map((bead) => bead.batch));
  return beads.filter((bead) => !bead.started && !waiting.has(bead.batch));
}

/** Lets beads run in their rigs, and names the beads of other rigs that they wait for. */
function release(convoy: Convoy, beads: readonly ConvoyBead[]): readonly TownAction[] {
  const names = beads.flatMap((bead) =>
    bead.beadId === null ? [] : [{ ref: convoyBeadRef(convoy.id, bead.position), bead: bead.beadId }],
  );
  const ready = unstarted(beads);
  if (ready.length === 0) return [];
  return [
    { type: 'start_beads', convoy: convoy.id, positions: positionsOf(ready) },
    ...tellRigs(ready, `start:${convoy.id}`, (own) => ({
      type: 'start_convoy',
      convoy: convoy.id,
      names,
      positions: positionsOf(own),
      skip: convoy.onFailure === 'skip',
    })),
  ];
}

/** A staged convoy whose beads were all cancelled has nothing left to start. */
function emptied(convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  const outlook = convoyOutlook(convoy, beads);
  return outlook.kind === 'nothing' && outlook.to === 'cancelled'
    ? [decide(convoy, outlook.reason, [move(convoy, 'cancelled', outlook.reason)])]
    : [];
}

/** Additions join whole or not at all, whatever part of them a rig took already. */
function additions(view: TownView, convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  return view.convoyAdditions(convoy.id).flatMap((addition) => {
    const own = beads.filter((bead) => bead.batch === addition.batch);
    if (addition.state === 'pending') {
      return own.some((bead) => bead.status === 'creating')
        ? []
        : [
            decide(convoy, 'all rigs have the beads that were added', [
              { type: 'accept_addition', convoy: convoy.id, batch: addition.batch },
            ]),
          ];
    }
    if (own.length === 0) return [];
    const reason = addition.reason ?? 'their addition was refused';
    return [
      decide(convoy, `a rig refused: ${reason}`, [
        { type: 'drop_beads', convoy: convoy.id, positions: positionsOf(own) },
        ...takeBack(convoy, own, reason),
      ]),
    ];
  });
}

function active(view: TownView, convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  const refused = new Set(
    view.convoyAdditions(convoy.id).flatMap((row) => (row.state === 'refused' ? [row.batch] : [])),
  );
  const members = beads.filter((bead) => !refused.has(bead.batch));
  const started = release(convoy, members);
  return [
    ...(started.length === 0 ? [] : [decide(convoy, 'all rigs have the beads that were added', started)]),
    ...judge(view, convoy, members),
  ];
}

function judge(view: TownView, convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  const outlook = convoyOutlook(convoy, beads);
  switch (outlook.kind) {
    case 'moving':
      return unask(view, convoy);
    case 'ready':
      return [
        decide(
          convoy,
          outlook.without.length === 0
            ? 'every bead ended well'
            : `what could run has ended; left out: ${namesOf(outlook.without)}`,
          [...unaskActions(view, convoy), move(convoy, 'ready_to_land')],
        ),
      ];
    case 'nothing':
      return [
        decide(convoy, outlook.reason, [...unaskActions(view, convoy), move(convoy, outlook.to, outlook.reason)]),
      ];
    case 'abort': {
      const reason = `aborted, because of ${namesOf(outlook.because)}`;
      return [
        decide(convoy, reason, [
          ...unaskActions(view, convoy),
          move(convoy, 'failed', reason),
          ...tellRigs(beads, `cancel:${convoy.id}`, () => ({
            type: 'cancel_convoy',
            convoy: convoy.id,
            reason,
            scope: 'not_started',
          })),
        ]),
      ];
    }
    default:
      return ask(view, convoy, outlook.because);
  }
}

/** Policy `hold`: a person is asked once per new failure, not once per look. */
function ask(view: TownView, convoy: Convoy, because: readonly ConvoyBead[]): ConvoyDecision[] {
  if (because.length === view.convoyAskedAbout(convoy.id)) return [];
  const count: TownAction = { type: 'ask_about_convoy', convoy: convoy.id, beads: because.length };
  if (because.length < view.convoyAskedAbout(convoy.id)) return [decide(convoy, 'fewer beads ended badly', [count])];
  return [
    decide(convoy, 'beads ended badly, and its policy is to ask a person', [
      count,
      {
        type: 'open_escalation',
        rig: null,
        causeKey: `convoy:${convoy.id}`,
        severity: 'medium',
        category: 'convoy',
        subject: convoyRef(convoy.id),
        message: `The convoy "${convoy.title}" is held because of ${namesOf(because)}.`,
      },
    ]),
  ];
}

function unaskActions(view: TownView, convoy: Convoy): readonly TownAction[] {
  return view.convoyAskedAbout(convoy.id) === 0
    ? []
    : [
        { type: 'ask_about_convoy', convoy: convoy.id, beads: 0 },
        { type: 'close_escalation', causeKey: `convoy:${convoy.id}` },
      ];
}

function unask(view: TownView, convoy: Convoy): ConvoyDecision[] {
  const actions = unaskActions(view, convoy);
  return actions.length === 0 ? [] : [decide(convoy, 'nothing holds it any more', actions)];
}

/**
 * Review-and-merge: each bead landed by itself, so the evidence is one merge commit per bead that changed something.
 * Without any bead that ended well there is nothing to land.
 */
function landing(convoy: Convoy, beads: readonly ConvoyBead[]): ConvoyDecision[] {
  const outlook = convoyOutlook(convoy, beads);
  const isProven = beads.every((bead) => bead.closeReason !== 'merged' || bead.mergeSha !== null);
  if (outlook.kind !== 'ready' || !isProven) return [];
  const left = outlook.without;
  return left.length === 0
    ? [decide(convoy, 'every bead is merged or needed no change', [move(convoy, 'landed')])]
    : [
        decide(convoy, 'what ended well has landed', [
          move(convoy, 'landed', `landed partially, without ${namesOf(left)}`),
        ]),
      ];
}

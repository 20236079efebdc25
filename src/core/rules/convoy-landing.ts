import type { Decision, TownAction, Verdicts } from '../actions.ts';
import { LANDING_ATTEMPTS_MAX, LANDING_BACKOFF_MS } from '../limits.ts';
import { namesOf } from '../convoy-outlook.ts';
import { landingRigs } from '../landing-order.ts';
import type { Convoy, ConvoyBead, ConvoyStatus } from '../model/convoy.ts';
import { hasLanded, removedText, type ConvoyLanding } from '../model/landing.ts';
import { convoyRef } from '../refs.ts';
import type { TownView } from '../town-view.ts';

type Outcome = Verdicts<TownAction>;
const WAIT: Outcome = { decisions: [], wakeAtMs: null };

/**
 * Lands a convoy that lands at once: one merge request per rig, one rig after the other, each on evidence of the one
 * before. A landing that is given up is tried again after a wait, a bounded number of times; then the convoy has failed
 * and a person is told. There is never a second merge request of a rig while one is open or merged.
 */
export function landInOrder(view: TownView, convoy: Convoy, beads: readonly ConvoyBead[], nowMs: number): Outcome {
  const landings = view.convoyLandings(convoy.id);
  if (landings.length === 0) return plan(convoy, beads);
  const next = landings.find((landing) => !hasLanded(landing));
  if (next === undefined) return landed(convoy, beads, landings);
  switch (next.state) {
    case 'waiting':
      if (view.isRemovedRig(next.rig)) return removed(convoy, next);
      if (next.reason === removedText(next.rig)) return addedAgain(convoy, next);
      return nowMs < next.notBeforeMs ? { decisions: [], wakeAtMs: next.notBeforeMs } : order(convoy, beads, next);
    case 'failed':
      return failed(convoy, next, { landings, nowMs });
    default:
      return WAIT;
  }
}

const act = (convoy: Convoy, reason: string, actions: Decision<TownAction>['actions']): Outcome => ({
  decisions: [{ rule: 'convoy-landing', entity: convoyRef(convoy.id), reason, actions }],
  wakeAtMs: null,
});

const move = (convoy: Convoy, to: ConvoyStatus, reasonText: string | null): TownAction => ({
  type: 'convoy_status',
  convoy: convoy.id,
  from: convoy.status,
  to,
  reasonText,
});

const isMergedIn = (convoy: Convoy, bead: ConvoyBead): boolean =>
  bead.closeReason === 'merged' && bead.mergeTarget === convoy.featureBranch;

function plan(convoy: Convoy, beads: readonly ConvoyBead[]): Outcome {
  const rigs = landingRigs(convoy, beads).map((rig) => ({
    rig,
    empty: !beads.some((bead) => bead.rig === rig && isMergedIn(convoy, bead)),
  }));
  return act(convoy, `it lands in this order: ${rigs.map(({ rig }) => rig).join(', ')}`, [
    { type: 'plan_landing', convoy: convoy.id, rigs },
  ]);
}

function order(convoy: Convoy, beads: readonly ConvoyBead[], next: ConvoyLanding): Outcome {
  const attempt = next.attempt + 1;
  const own = beads.filter((bead) => bead.rig === next.rig && isMergedIn(convoy, bead));
  return act(convoy, `${next.rig} is next to land, attempt ${String(attempt)}`, [
    { type: 'order_landing', convoy: convoy.id, rig: next.rig, attempt },
    {
      type: 'message_rig',
      rig: next.rig,
      key: `land:${convoy.id}:${String(attempt)}:${next.rig}`,
      message: {
        type: 'land_convoy',
        convoy: convoy.id,
        title: convoy.title,
        attempt,
        beads: own.flatMap((bead) => (bead.beadId === null ? [] : [`${bead.beadId} ${bead.title}`])),
      },
    },
  ]);
}

/** A message to a rig that is not there would be lost in silence: a person is told once, and decides. */
function removed(convoy: Convoy, { rig, reason }: ConvoyLanding): Outcome {
  const why = removedText(rig);
  if (reason === why) return WAIT;
  const branch = convoy.featureBranch ?? 'its feature branch';
  return act(convoy, why, [
    { type: 'hold_landing', convoy: convoy.id, rig, reason: why },
    {
      type: 'open_escalation',
      rig: '',
      causeKey: `convoy:${convoy.id}`,
      severity: 'high',
      category: 'convoy',
      subject: convoyRef(convoy.id),
      message: `The convoy "${convoy.title}" can't land: ${why}. Its work there is on ${branch} of the origin. "gt rig add ${rig} <url>" adds the rig again, and it lands by itself; "gt convoy close ${convoy.id}" ends it without what has not landed.`,
    },
  ]);
}

const addedAgain = (convoy: Convoy, { rig }: ConvoyLanding): Outcome =>
  act(convoy, `the rig ${rig} was added again`, [
    { type: 'hold_landing', convoy: convoy.id, rig, reason: null },
    { type: 'close_escalation', causeKey: `convoy:${convoy.id}` },
  ]);

function failed(
  convoy: Convoy,
  last: ConvoyLanding,
  { landings, nowMs }: { readonly landings: readonly ConvoyLanding[]; readonly nowMs: number },
): Outcome {
  const why = last.reason ?? 'its merge request was given up';
  if (last.attempt < LANDING_ATTEMPTS_MAX) {
    const waitMs = LANDING_BACKOFF_MS[last.attempt - 1] ?? LANDING_BACKOFF_MS.at(-1) ?? 0;
    return act(convoy, `attempt ${String(last.attempt)} to land in ${last.rig} failed: ${why}`, [
      {
        type: 'retry_landing',
        convoy: convoy.id,
        rig: last.rig,
        attempt: last.attempt,
        notBeforeMs: nowMs + waitMs,
      },
    ]);
  }
  const done = landings.filter((landing) => landing.state === 'landed').map((landing) => landing.rig);
  const rest = landings.filter((landing) => !hasLanded(landing)).map((landing) => landing.rig);
  const reason = `could not land in ${last.rig} after ${String(last.attempt)} attempts: ${why}; ${done.length === 0 ? 'nothing has landed' : `landed in ${done.join(', ')}`}, not in ${rest.join(', ')}`;
  return act(convoy, reason, [
    move(convoy, 'failed', reason),
    {
      type: 'open_escalation',
      rig: last.rig,
      causeKey: `convoy:${convoy.id}`,
      severity: 'high',
      category: 'convoy',
      subject: convoyRef(convoy.id),
      message: `The convoy "${convoy.title}" ${reason}. All of its work is on ${convoy.featureBranch ?? 'its feature branch'} of each rig.`,
    },
  ]);
}

function landed(convoy: Convoy, beads: readonly ConvoyBead[], landings: readonly ConvoyLanding[]): Outcome {
  if (landings.some((landing) => landing.state === 'landed' && landing.mergeSha === null)) return WAIT;
  const left = beads.filter((bead) => bead.status !== 'closed');
  return act(convoy, 'every rig has its landing on its target', [
    move(convoy, 'landed', left.length === 0 ? null : `landed partially, without ${namesOf(left)}`),
  ]);
}

/**
 * What must hold in a rig's recorded state at every moment between two turns. Pure checks over facts that the store
 * reads; run by tests after every step, by `gt doctor` and by `gt status`. Numbers follow docs/invariants.md.
 */
import type { Agent } from './model/agent.ts';
import type { Bead } from './model/bead.ts';
import type { Convoy, ConvoyBead } from './model/convoy.ts';
import { LANDING_ATTEMPTS_MAX } from './limits.ts';
import { hasLanded, type ConvoyLanding } from './model/landing.ts';
import { PULL_STEPS, ROUND_STEPS } from './model/review.ts';
import { checkPulls, type PullRecord } from './pull/invariants.ts';
import type { AttemptFacts, BreakerFacts, ReviewFacts } from './view.ts';

export interface Violation {
  /** `I1` … as in docs/invariants.md. */
  readonly code: string;
  readonly text: string;
}

/** Recorded state of one rig: everything that is not at rest. */
export interface InvariantFacts {
  readonly beads: readonly Bead[];
  /** Attempts that have not ended or whose process is not proven gone. */
  readonly attempts: readonly AttemptFacts[];
  readonly agents: readonly Agent[];
  readonly reviews: readonly ReviewFacts[];
  /** Leaders of rounds that wait for a run of gates. */
  readonly probedLeaders: readonly string[];
  /** Per bead with blockers: what the rows say. */
  readonly blockerCounts: ReadonlyMap<string, { readonly open: number; readonly failed: number }>;
  /** Closed as merged without a commit id. */
  readonly mergedWithoutCommit: readonly string[];
  /** Counts of beads that SQL keeps, and what the rows say; of statuses that are not terminal. */
  readonly beadCounts: readonly { readonly what: string; readonly counted: number; readonly found: number }[];
  /** What lives and refers to something archived. */
  readonly archivedInUse: readonly string[];
  readonly polecatsMax: number;
  readonly breakers: readonly BreakerFacts[];
  readonly resyncDueAtMs: number | null;
  /** Pending effects without a moment at which they come back. */
  readonly lostEffects: readonly string[];
  readonly pendingEvents: number;
  readonly pendingEffects: number;
  readonly duplicateEpochs: readonly number[];
  /** When the next unread mail expires, and when that is looked at. */
  readonly mailExpiresAtMs: number | null;
  readonly mailDueAtMs: number | null;
  /** Live beads with a value that this program does not know: set aside, but not at rest. */
  readonly unreadableBeads: number;
  /** Merge requests that have not ended, as pull requests see them. */
  readonly pulls: readonly PullRecord[];
  /** What the store found wrong in the sums of money (I21). */
  readonly money: readonly Violation[];
}

export function checkRig(facts: InvariantFacts, nowMs: number): readonly Violation[] {
  return [
    ...attempts(facts),
    ...agents(facts),
    ...beads(facts),
    ...reviews(facts),
    ...queues(facts, nowMs),
    ...mail(facts),
    ...checkPulls(facts.pulls),
    ...facts.money,
  ];
}

const repeated = (values: readonly string[]): readonly string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];

function attempts(facts: InvariantFacts): Violation[] {
  const live = facts.attempts.filter((attempt) => attempt.endedAtMs === null);
  const unresolved = facts.attempts.filter((attempt) => !attempt.processGone);
  return [
    ...repeated(live.map((attempt) => attempt.beadId)).map((id) => ({
      code: 'I1',
      text: `${id} has more than one live attempt`,
    })),
    ...repeated(unresolved.map((attempt) => attempt.sourceBeadId)).map((id) => ({
      code: 'I13',
      text: `more than one process may work on the branch of ${id}`,
    })),
    ...(unresolved.length > facts.polecatsMax && facts.polecatsMax > 0 ? overCap(facts, unresolved.length) : []),
    ...facts.duplicateEpochs.map((epoch) => ({ code: 'I10', text: `epoch ${String(epoch)} was given twice` })),
  ];
}

/** A cap that was lowered while agents work is no violation; the cap holds for new dispatches. */
function overCap(facts: InvariantFacts, count: number): Violation[] {
  const starting = facts.agents.filter((agent) => agent.status === 'starting').length;
  return starting === 0
    ? []
    : [{ code: 'I24', text: `${String(count)} attempts hold slots; ${String(facts.polecatsMax)} are allowed` }];
}

function agents(facts: InvariantFacts): Violation[] {
  const hooked = facts.agents.flatMap((agent) => (agent.hookBeadId === null ? [] : [agent.hookBeadId]));
  const violations: Violation[] = repeated(hooked).map((id) => ({
    code: 'I2',
    text: `${id} is on more than one hook`,
  }));
  for (const agent of facts.agents) {
    if (agent.role !== 'polecat' || (agent.status !== 'working' && agent.status !== 'starting')) continue;
    const attempt = facts.attempts.find((row) => row.agentId === agent.id && row.endedAtMs === null);
    if (agent.hookBeadId === null)
      violations.push({ code: 'I3', text: `${agent.id} is ${agent.status} without a hook` });
    else if (attempt === undefined)
      violations.push({ code: 'I3', text: `${agent.id} is ${agent.status} without a live attempt` });
    else if (attempt.epoch !== agent.epoch || attempt.beadId !== agent.hookBeadId)
      violations.push({
        code: 'I3',
        text: `${agent.id} is hooked to ${agent.hookBeadId} at epoch ${String(agent.epoch)}, its attempt says ${attempt.beadId} at ${String(attempt.epoch)}`,
      });
  }
  return violations;
}

function beads(facts: InvariantFacts): Violation[] {
  const violations: Violation[] = [];
  for (const bead of facts.beads) {
    const counts = facts.blockerCounts.get(bead.id) ?? { open: 0, failed: 0 };
    if (counts.open !== bead.openBlockers || counts.failed !== bead.failedBlockers) {
      violations.push({
        code: 'I6',
        text: `${bead.id} counts ${String(bead.openBlockers)} open and ${String(bead.failedBlockers)} failed blockers; the rows say ${String(counts.open)} and ${String(counts.failed)}`,
      });
    }
    if (
      bead.type === 'issue' &&
      bead.status === 'in_progress' &&
      !facts.attempts.some((attempt) => attempt.beadId === bead.id && attempt.endedAtMs === null)
    ) {
      violations.push({ code: 'I4', text: `${bead.id} is in progress without a live attempt` });
    }
    if (
      bead.type === 'issue' &&
      bead.status === 'in_review' &&
      facts.pendingEvents === 0 &&
      !facts.reviews.some((review) => review.sourceBeadId === bead.id)
    ) {
      violations.push({ code: 'I5', text: `${bead.id} is in review without a merge request that has not ended` });
    }
  }
  return [
    ...violations,
    ...facts.mergedWithoutCommit.map((id) => ({ code: 'I9', text: `${id} is closed as merged without a commit` })),
    ...facts.archivedInUse.map((text) => ({ code: 'I33', text: `${text}, which is archived` })),
    ...facts.beadCounts
      .filter((row) => row.counted !== row.found)
      .map((row) => ({
        code: 'I27',
        text: `${row.what}: counted ${String(row.counted)}, there are ${String(row.found)}`,
      })),
  ];
}

function reviews(facts: InvariantFacts): Violation[] {
  const inRound = facts.reviews.filter((review) => ROUND_STEPS.includes(review.step));
  const active = facts.reviews.filter((review) => inRound.includes(review) || PULL_STEPS.includes(review.step));
  const violations: Violation[] = rounds(inRound);
  for (const review of facts.reviews) {
    const bead = facts.beads.find((row) => row.id === review.beadId);
    const inProgress = bead?.status === 'in_progress';
    if (active.includes(review) !== inProgress)
      violations.push({
        code: 'I11',
        text: `${review.beadId} is at step ${review.step} but its bead is ${bead?.status ?? 'terminal'}`,
      });
    // What is proposed has no step of ours under way: it is looked at (I35).
    if (
      active.includes(review) &&
      review.step !== 'proposed' &&
      (review.deadlineAtMs === null || !hasEffect(facts, review))
    )
      violations.push({
        code: 'I11',
        text: `${review.beadId} is at step ${review.step} without a deadline or an effect`,
      });
    if (review.step === 'pushing' && review.candidateSha === null)
      violations.push({ code: 'I9', text: `${review.beadId} is being pushed without a recorded candidate` });
  }
  return violations;
}

/** A round is whole: one leader, its members in a row, all at the same step. */
function rounds(active: readonly ReviewFacts[]): Violation[] {
  return [...new Set(active.map((review) => review.targetBranch))].flatMap((target) => {
    const members = active.filter((review) => review.targetBranch === target);
    const places = members.map((review) => review.position ?? 0).toSorted((a, b) => a - b);
    if (places.filter((place) => place === 0).length > 1)
      return [{ code: 'I12', text: `more than one merge step works on ${target}` }];
    if (places.some((place, index) => place !== index))
      return [{ code: 'I12', text: `the round of ${target} has the places ${places.join(', ')}` }];
    return new Set(members.map((review) => review.step)).size > 1
      ? [{ code: 'I12', text: `the round of ${target} is at more than one step` }]
      : [];
  });
}

/** What moves it on: an effect of its leader, or a run of gates. */
const hasEffect = (facts: InvariantFacts, review: ReviewFacts): boolean =>
  (review.position ?? 0) > 0 ||
  (review.step === 'gating' ? facts.probedLeaders.includes(review.beadId) : review.stepKey !== null);

/** What nobody reads must come back to its sender: somebody has to look at that moment. */
const mail = (facts: InvariantFacts): Violation[] =>
  facts.mailExpiresAtMs === null || (facts.mailDueAtMs ?? Infinity) <= facts.mailExpiresAtMs
    ? []
    : [{ code: 'I19', text: 'unread mail expires and nobody looks' }];

function queues(facts: InvariantFacts, nowMs: number): Violation[] {
  const violations: Violation[] = facts.lostEffects.map((key) => ({
    code: 'I16',
    text: `the effect ${key} has no moment to come back`,
  }));
  for (const { scope, failures, retryAtMs } of facts.breakers)
    if (failures > 0 && retryAtMs <= 0)
      violations.push({ code: 'I22', text: `the breaker ${scope} has no retry time` });
  const alive =
    facts.attempts.length > 0 || facts.beads.length > 0 || facts.unreadableBeads > 0 || facts.pendingEffects > 0;
  if (alive && facts.resyncDueAtMs === null)
    violations.push({ code: 'I11', text: 'there is work but the safety net is not armed' });
  if (!alive && (facts.resyncDueAtMs ?? nowMs) > nowMs)
    violations.push({ code: 'I25', text: 'nothing is alive but a timer is set' });
  return violations;
}

/** Recorded state of the town: convoys that live, and the last that ended. */
export interface TownInvariantFacts {
  readonly convoys: readonly {
    readonly convoy: Convoy;
    readonly beads: readonly ConvoyBead[];
    readonly landings: readonly ConvoyLanding[];
  }[];
  /** Causes with more than one open escalation. */
  readonly repeatedCauses: readonly string[];
  /** Escalations that have ended and would still be raised again. */
  readonly endedWithTimer: readonly string[];
}

export function checkTown(facts: TownInvariantFacts): readonly Violation[] {
  return [
    ...facts.convoys.flatMap(({ convoy, beads, landings }) => [
      ...convoyCounts(convoy, beads),
      ...convoyLanding(convoy, beads),
      ...convoyLandings(convoy, beads, landings),
    ]),
    ...facts.repeatedCauses.map((cause) => ({ code: 'I20', text: `${cause} has more than one open escalation` })),
    ...facts.endedWithTimer.map((id) => ({ code: 'I20', text: `${id} has ended and would be raised again` })),
  ];
}

function convoyCounts(convoy: Convoy, beads: readonly ConvoyBead[]): Violation[] {
  const of = (status: ConvoyBead['status']): number => beads.filter((bead) => bead.status === status).length;
  const pairs = [
    ['beads', convoy.totalBeads, beads.length],
    ['closed', convoy.closedBeads, of('closed')],
    ['failed', convoy.failedBeads, of('failed')],
    ['cancelled', convoy.cancelledBeads, of('cancelled')],
  ] as const;
  return pairs
    .filter(([, counted, rows]) => counted !== rows)
    .map(([what, counted, rows]) => ({
      code: 'I14',
      text: `${convoy.id} counts ${String(counted)} ${what}; its rows say ${String(rows)}`,
    }));
}

/** What landed had something to land, all of it is proven, and the policy let the rest be left out. */
function convoyLanding(convoy: Convoy, beads: readonly ConvoyBead[]): Violation[] {
  if (convoy.status !== 'landed') return [];
  const closed = beads.filter((bead) => bead.status === 'closed');
  const unproven = closed.filter((bead) => bead.closeReason === 'merged' && bead.mergeSha === null);
  const live = beads.filter((bead) => bead.status === 'live' || bead.status === 'creating');
  const violations: string[] = [
    ...(closed.length === 0 ? ['landed without a bead that ended well'] : []),
    ...(live.length > 0 ? [`landed while ${String(live.length)} of its beads had not ended`] : []),
    ...(closed.length < beads.length && convoy.onFailure !== 'skip'
      ? [`landed without all of its beads although its policy is ${convoy.onFailure}`]
      : []),
    ...unproven.map((bead) => `landed without the merge commit of ${bead.beadId ?? bead.title}`),
  ];
  return violations.map((text) => ({ code: 'I15', text: `${convoy.id} ${text}` }));
}

/**
 * Rigs land one after the other, a bounded number of times, and a convoy that landed has a commit on the target of every
 * rig in which something was merged into its feature branch.
 */
function convoyLandings(convoy: Convoy, beads: readonly ConvoyBead[], landings: readonly ConvoyLanding[]): Violation[] {
  if (convoy.mergeMode !== 'review-then-land') return [];
  const underWay = landings.filter((landing) => landing.state === 'ordered');
  const early = landings.filter(
    (landing, index) => landing.attempt > 0 && !landings.slice(0, index).every((before) => hasLanded(before)),
  );
  const violations: string[] = [
    ...(underWay.length > 1 ? [`lands in ${underWay.map((landing) => landing.rig).join(' and ')} at once`] : []),
    ...early.map((landing) => `began to land in ${landing.rig} before its turn`),
    ...landings
      .filter((landing) => landing.attempt > LANDING_ATTEMPTS_MAX)
      .map((landing) => `was landed ${String(landing.attempt)} times in ${landing.rig}`),
    ...landings
      .filter((landing) => (landing.state === 'landed') !== (landing.mergeSha !== null))
      .map((landing) => `is ${landing.state} in ${landing.rig}, but its commit says otherwise`),
  ];
  if (convoy.status === 'landed') {
    const merged = new Set(
      beads
        .filter((bead) => bead.mergeTarget === convoy.featureBranch && bead.mergeSha !== null)
        .map((bead) => bead.rig),
    );
    for (const rig of merged)
      if (!landings.some((landing) => landing.rig === rig && landing.state === 'landed'))
        violations.push(`landed without its landing in ${rig}`);
    if (!landings.every(hasLanded)) violations.push('landed while a landing was under way');
  }
  return violations.map((text) => ({ code: 'I15', text: `${convoy.id} ${text}` }));
}

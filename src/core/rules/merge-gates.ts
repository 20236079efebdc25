import { RED_TARGET_RETRY_MS } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import { isTargetKnownRed, type Probe, type Train } from '../model/train.ts';
import { conclude, isOpen, type Conclusion } from '../train/conclude.ts';
import { isAlone, isGood, isRedAgain, nextMark, remarks } from '../train/marks.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { redGate } from './gate-verdict.ts';
import { killedGates } from './merge-kills.ts';
import { decide, pushSteps, type Landing } from './merge-push.ts';
import { retryBackoffMs } from './outcome.ts';
import { goesOn, targetIsRed } from './red-target.ts';
import { backToLine } from './back-in-line.ts';
import { rework, type Rework } from './rework.ts';
import type { RigVerdicts } from './rule.ts';

interface Round {
  readonly leader: ReviewFacts;
  readonly members: readonly ReviewFacts[];
  /** What is known of each. */
  readonly marks: readonly (string | null)[];
  readonly probes: readonly Probe[];
  readonly said: Conclusion;
  readonly train: Train;
}

/**
 * What follows when the lists of a round have their answers: the longest that passed lands with one push; an entry that was
 * red by itself twice while the target is green is given back with the log; all others go back in line, with what is
 * known of them. Null: answers are still awaited.
 */
export function afterGates(view: RigView, leader: ReviewFacts, nowMs: number): RigVerdicts | null {
  const members = view.round(leader.targetBranch);
  const probes = view.probes(leader.beadId);
  if (probes.length === 0) return null;
  const said = conclude(
    probes
      .filter(({ state }) => state === 'green' || state === 'red')
      .map((probe) => ({ entries: placesOf(members, probe), isGreen: probe.state === 'green' })),
  );
  // Of a list that can change nothing more, nobody waits for an answer or asks again.
  const open = probes.filter((probe) => isOpen(placesOf(members, probe), said.land));
  if (open.some(({ state }) => state === 'running')) return null;
  const killed = open.filter(({ state }) => state === 'killed');
  if (killed.length > 0) return killedGates(view, leader, killed);
  const marks = members.map(({ suspect }) => suspect);
  return concluded(view, { leader, members, marks, probes, said, train: view.train(leader.targetBranch) }, nowMs);
}

const placesOf = (members: readonly ReviewFacts[], probe: Probe): readonly number[] =>
  probe.entries.map((entry) => members.findIndex((member) => member.beadId === entry.mergeRequest));

function concluded(view: RigView, round: Round, nowMs: number): RigVerdicts {
  const { leader, members } = round;
  const landing = landingOf(round);
  const lands = landing?.entries ?? [];
  const stays = members.filter((member) => !lands.some(({ review }) => review.beadId === member.beadId));
  const blamed = stays.flatMap((member) => blame(view, round, { member, nowMs }) ?? []);
  const waiting = stays.filter((member) => !blamed.some((one) => one.member === member));
  const seen = {
    landed: lands.length,
    bad: blamed.length,
    runs: round.probes.filter((probe) => !probe.cached && (probe.state === 'green' || probe.state === 'red')).length,
    flakes: lands.filter(({ isFlaky }) => isFlaky).length,
  };
  return decide(leader, reasonOf(round, blamed), [
    ...blamed.flatMap(({ verdict }) => verdict.actions),
    ...waiting.flatMap((member) => [requeue(round, member), backToLine(member)]),
    ...(isVoid(round) ? [] : [...remarks(round.said, round.marks)]).map(([mark, to]) => ({
      type: 'change_suspicion' as const,
      target: leader.targetBranch,
      mark,
      to,
    })),
    ...(landing === null ? [] : pushSteps(view, landing, nowMs)),
    ...(isVoid(round) ? [] : [{ type: 'train_learn' as const, target: leader.targetBranch, seen }]),
    ...trainSteps(round, nowMs),
  ]);
}

/** The entries of the list that lands, with the commit that they were made on; null: none does. */
function landingOf({ members, marks, probes, said: { land } }: Round): Landing | null {
  const probe = land === null ? undefined : probes.find((one) => isSame(placesOf(members, one), land.entries));
  if (probe === undefined) return null;
  const entries = probe.entries.flatMap((made) => {
    const review = members.find((member) => member.beadId === made.mergeRequest);
    if (review === undefined) return [];
    return [{ review, made, isFlaky: !probe.cached && isAlone(marks[members.indexOf(review)] ?? null) }];
  });
  return { targetSha: probe.targetSha, entries };
}

const isSame = (one: readonly number[], other: readonly number[]): boolean => one.join(' ') === other.join(' ');

/** Its answer was awaited. */
const targetProbe = (probes: readonly Probe[]): Probe | undefined => probes.find((probe) => probe.entries.length === 0);

/** While the target is red itself, no red list says anything about the work in it. */
const isVoid = ({ train, said, probes }: Round): boolean =>
  said.isTargetRed || (isTargetKnownRed(train) && targetProbe(probes)?.state !== 'green');

interface Blamed {
  readonly member: ReviewFacts;
  readonly verdict: Rework;
}

/** Null: not blamed. Blame needs two red runs of the entry by itself, and a target that passed. */
function blame(
  view: RigView,
  round: Round,
  { member, nowMs }: { readonly member: ReviewFacts; readonly nowMs: number },
): Blamed | null {
  const { members, marks, probes, said } = round;
  const place = members.indexOf(member);
  if (isVoid(round) || !isRedAgain(said, marks, place)) return null;
  const own = probes.find(
    (probe) => probe.state === 'red' && probe.entries.length === 1 && placesOf(members, probe)[0] === place,
  );
  if (own === undefined || targetProbe(probes)?.state !== 'green') return null;
  const red = redGate(own.run ?? undefined);
  const verdict = rework(view, member, 'rework', {
    reason: `gate ${red.name} is red`,
    title: `Make the gate "${red.name}" green`,
    body: `The gate "${red.name}" failed on the result of merging ${member.branch} into ${member.targetBranch}, twice, while ${member.targetBranch} by itself passed.\n\n${red.log}`,
    gateLog: red.log,
    gateSignature: red.signature,
    notBeforeMs: member.rounds === 0 ? 0 : nowMs + retryBackoffMs(member.rounds),
  });
  return { member, verdict };
}

function requeue(round: Round, member: ReviewFacts): RigAction {
  const suspect = suspectOf(round, member);
  return {
    type: 'merge_step',
    mergeRequest: member.beadId,
    fromStep: 'gating',
    toStep: 'queued',
    job: null,
    heldReason: heldReason(round, suspect),
    suspect,
  };
}

function heldReason(round: Round, suspect: string | null): string | null {
  if (isVoid(round)) return `${round.leader.targetBranch} itself is red; nobody's work is blamed`;
  if (suspect === null) return null;
  if (isGood(suspect)) return 'passed; it lands with the next list that does';
  return isAlone(suspect)
    ? 'was red by itself; it is run again before it is given back'
    : 'was red together with others; they are tested apart';
}

/** Who stays under suspicion, by the name of the group. */
function suspectOf(round: Round, member: ReviewFacts): string | null {
  if (isVoid(round)) return null;
  const { leader, members, marks, said } = round;
  const name = `${leader.beadId}:${String(leader.version)}`;
  return nextMark(said, { marks, name }, members.indexOf(member));
}

function reasonOf({ said, members }: Round, blamed: readonly Blamed[]): string {
  const [first] = blamed;
  if (first !== undefined) return first.verdict.reason;
  if (said.land !== null)
    return said.land.entries.length === members.length
      ? 'all gates are green on the combined tree'
      : `all gates are green on the combined tree of ${String(said.land.entries.length)}`;
  if (said.isTargetRed) return 'the target itself is red';
  return 'nothing can land yet; what is suspected is tested apart';
}

/** The train stops while its target is red, and goes on as soon as something passes. */
function trainSteps(round: Round, nowMs: number): readonly RigAction[] {
  const { said, train, probes } = round;
  if (train.state === 'paused') return [];
  const passes = said.land !== null || targetProbe(probes)?.state === 'green';
  if (passes) return train.state === 'red' ? goesOn(train) : [];
  return said.isTargetRed || train.state === 'red' ? stands(round, nowMs) : [];
}

function stands({ leader, train, probes }: Round, nowMs: number): readonly RigAction[] {
  const untouched = targetProbe(probes);
  const red = untouched === undefined ? null : redGate(untouched.run ?? undefined);
  const retryAtMs = train.retryAtMs ?? 0;
  return targetIsRed(train, {
    target: leader.targetBranch,
    red,
    tree: untouched?.tree ?? train.redTree,
    // What is new in line is tried in between, and puts the next try off no further.
    retryAtMs: untouched === undefined && retryAtMs > nowMs ? retryAtMs : nowMs + RED_TARGET_RETRY_MS,
  });
}

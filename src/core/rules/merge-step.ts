import { PUSH_GRACE_MS, PUSH_RACES_MAX } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { JobResult } from '../facts.ts';
import { isTerminal } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import { mayHaveLanded, ROUND_STEPS } from '../model/review.ts';
import { beadRef } from '../refs.ts';
import { troubleSaid } from '../job-trouble.ts';
import { pushMark } from '../train/marks.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { afterGates } from './merge-gates.ts';
import { afterMerge } from './merge-candidates.ts';
import { cancelBeforePush, cancelledSource, merged } from './merge-end.ts';
import { decide } from './merge-push.ts';
import { PUSH_REFUSED, refusedByHost, refusedPush } from './refused-push.ts';
import { backInLine, backToLine } from './back-in-line.ts';
import { NOTHING, wakeAt, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * Takes a round of the train from the result of one step to the next; its leader stands for it. Merge, gates and push are
 * separate effects; the candidates are recorded before the push, so that a restart asks git whether they arrived
 * instead of merging again.
 */
export const mergeStep: RigRule = (view, id, nowMs) => {
  const review = view.review(trusted.bead(id));
  if (review === null || !ROUND_STEPS.includes(review.step) || (review.position ?? 0) > 0) return NOTHING;
  // It leaves the round in this turn (`beadEnded`); what is decided first would go on without asking.
  if (view.round(review.targetBranch).some((member) => hasLeft(view, member))) return NOTHING;
  const verdicts = judge(view, review, nowMs);
  return verdicts ?? overdue(view, review, nowMs);
};

/** Its bead has ended, and it was not pushed. */
function hasLeft(view: RigView, member: ReviewFacts): boolean {
  const source = view.bead(member.sourceBeadId);
  return source !== null && isTerminal(source.status) && !mayHaveLanded(member);
}

/** Null: nothing to go on with yet. */
function judge(view: RigView, review: ReviewFacts, nowMs: number): RigVerdicts | null {
  if (review.step === 'gating') return afterGates(view, review, nowMs);
  if (review.result === null) return null;
  return review.step === 'preparing'
    ? afterMerge(view, review, review.result, nowMs)
    : afterPush(view, review, review.result, nowMs);
}

/**
 * A step without a result past its deadline is told to a person once. Merge and gates go on being asked for; a push that
 * the remote keeps refusing goes to the back of the line instead of jamming it, when no runner can be at it any more. Its
 * candidates stay recorded, so the next merge asks first whether they arrived after all.
 */
function overdue(view: RigView, review: ReviewFacts, nowMs: number): RigVerdicts {
  if (review.deadlineAtMs === null) return NOTHING;
  if (nowMs < review.deadlineAtMs) return wakeAt(review.deadlineAtMs);
  const isTold = view.bead(review.beadId)?.escalated !== false;
  const failed = troublesOf(view, review);
  const said = failed === '' ? '; the runner or its git host does not answer, or refuses.' : `.${failed}`;
  const message = `${review.beadId} has been ${review.step} past its deadline${said}`;
  const tell: RigAction = {
    type: 'raise_escalation',
    causeKey: `bead:${review.beadId}`,
    severity: 'high',
    category: 'merge',
    subject: beadRef(review.beadId),
    message,
  };
  const givenUpAtMs = review.deadlineAtMs + PUSH_GRACE_MS;
  const isGivenUp = review.step === 'pushing' && nowMs >= givenUpAtMs;
  if (review.step === 'pushing' && isTold && !isGivenUp) return wakeAt(givenUpAtMs);
  const round = isGivenUp ? view.round(review.targetBranch) : [];
  // A remote may refuse for the sake of one of them: from now on they are told apart.
  const suspect = suspectedPush(review);
  const back = round.flatMap((member) => toTheBack(member, suspect, nowMs));
  return decide(review, 'the step is overdue', [...back, ...(isTold ? [] : [tell])]);
}

/** What the orders of its step met: the step's own, or the runs of its gates. */
const troublesOf = (view: RigView, { beadId, stepKey }: ReviewFacts): string =>
  [stepKey, ...view.probes(beadId).map(({ key }) => key)].map((key) => troubleSaid(view, key)).find(isSaid) ?? '';

const isSaid = (text: string): boolean => text !== '';

function toTheBack(review: ReviewFacts, suspect: string, nowMs: number): RigAction[] {
  return [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'queued',
      job: null,
      heldReason: 'its push was not taken before the deadline',
      requeueAtMs: nowMs,
      suspect,
    },
    backToLine(review),
  ];
}

function afterPush(view: RigView, review: ReviewFacts, result: JobResult, nowMs: number): RigVerdicts {
  const round = view.round(review.targetBranch);
  if (result.result === 'pushed' && round.every((member) => member.candidateSha !== null))
    return decide(
      review,
      'the target has the tested commit',
      round.flatMap((member) => (member.candidateSha === null ? [] : merged(view, member, member.candidateSha))),
    );
  if (result.result === 'refused') return refused(view, review, result);
  if (result.result !== 'lost_race') return NOTHING;
  return decide(
    review,
    'lost the push race; the target moved',
    round.flatMap((member) => lostRace(member, nowMs)),
  );
}

type Refusal = Extract<JobResult, { readonly result: 'refused' }>;

/**
 * Of several, nobody knows yet whose it is: they are told apart, and only that one asks a person. Nothing was pushed, so that
 * a cancel which waited for the verdict is carried out.
 */
function refused(view: RigView, review: ReviewFacts, result: Refusal): RigVerdicts {
  const isByHost = result.code === PUSH_REFUSED;
  const reason = isByHost ? 'the git host refused the push' : 'what would be pushed looks like a key';
  const round = view.round(review.targetBranch);
  const cancelled = round.map((member) => cancelledSource(view, member));
  if (round.length === 1 && cancelled[0] === null)
    return decide(
      review,
      reason,
      isByHost ? refusedByHost(view, review, result.message) : refusedPush(review, result.message),
    );
  const suspect = suspectedPush(review);
  return decide(
    review,
    reason,
    round.flatMap((member, place): readonly RigAction[] => {
      const source = cancelled[place] ?? null;
      return source === null ? pushedApart(member, suspect) : cancelBeforePush(member, source);
    }),
  );
}

const pushedApart = (member: ReviewFacts, suspect: string): readonly RigAction[] =>
  backInLine(member, { heldReason: 'the push with others was refused; they are pushed apart', suspect });

/** Entries that were refused together. */
const suspectedPush = (leader: ReviewFacts): string => pushMark(`${leader.beadId}:${String(leader.version)}`);

/** A cancel goes on waiting: an earlier push of the same head may have won this race, and the next merge sees it. */
function lostRace(review: ReviewFacts, nowMs: number): readonly RigAction[] {
  const races = review.races + 1;
  return backInLine(review, {
    races: races > PUSH_RACES_MAX ? 0 : races,
    heldReason: 'somebody else pushed to the target first',
    ...(races > PUSH_RACES_MAX ? { requeueAtMs: nowMs } : {}),
  });
}

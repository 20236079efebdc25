import { DEFAULT_MERGING } from '../commands.ts';
import { GATE_TIMEOUT_MS, GATES_AT_ONCE_MAX } from '../limits.ts';
import type { ProbeOrder, RigAction } from '../actions.ts';
import type { Job, JobResult } from '../facts.ts';
import type { Bead } from '../model/bead.ts';
import type { LeftOut, Revived } from '../model/merge-answer.ts';
import type { Brought } from '../model/outside.ts';
import { trusted, type Sha } from '../model/ids.ts';
import { isOpen, type Judged } from '../train/conclude.ts';
import { gatesDigest } from '../train/gates-digest.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { cancelBeforePush, cancelledSource } from './merge-end.ts';
import { decide, pushSteps } from './merge-push.ts';
import { askForOwn, isOfAnother, mergedAlready, NOTHING_OWN, onTarget } from './merged-outside.ts';
import { backToLine } from './back-in-line.ts';
import { conflictCause, rework } from './rework.ts';
import { askToRevive, targetRewritten } from './rewritten-target.ts';
import { NOTHING, type RigVerdicts } from './rule.ts';

type Candidates = Extract<JobResult, { readonly result: 'candidate' }>;
type Conflict = Extract<JobResult, { readonly result: 'conflict' }>;
type Entries = ProbeOrder['entries'];

/** What follows from the merge in the object database. An answer that is no candidate is about the leader alone. */
export function afterMerge(view: RigView, review: ReviewFacts, result: JobResult, nowMs: number): RigVerdicts {
  switch (result.result) {
    case 'candidate':
      return afterCandidates(view, review, result, nowMs);
    case 'already_merged':
      return alone(view, review, afterMerged(view, review, result));
    case 'conflict':
      return alone(view, review, afterConflict(view, review, result));
    case 'rewritten':
      return targetRewritten(view, review, result);
    case 'revives':
      return alone(view, review, afterRevival(view, review, result));
    case 'refused':
      return targetLost(view, review, result.message);
    default:
      return NOTHING;
  }
}

interface Outcome {
  readonly reason: string;
  readonly actions: readonly RigAction[];
}

/** The others of its round go back in line, and the next round has no such entry. */
const alone = (view: RigView, review: ReviewFacts, { reason, actions }: Outcome): RigVerdicts =>
  decide(review, reason, [...others(view, review, reason), ...actions]);

const others = (view: RigView, { targetBranch: target, beadId: except }: ReviewFacts, reason: string): RigAction[] =>
  view.round(target).length > 1 ? [{ type: 'dissolve_round', target, except, reason }] : [];

/** The target can't be put back: the merge request waits in line until the branch is there again. */
function targetLost(view: RigView, review: ReviewFacts, message: string): RigVerdicts {
  const feature = view.feature(review.targetBranch);
  const lost: RigAction[] =
    feature === null || feature.state === 'lost'
      ? []
      : [{ type: 'feature_step', branch: feature.branch, from: feature.state, to: 'lost', job: null, reason: message }];
  return alone(view, review, {
    reason: `${review.targetBranch} can't be merged into: ${message}`,
    actions: [requeue(review, message), backToLine(review), ...lost],
  });
}

const requeue = (review: ReviewFacts, heldReason: string | null): RigAction => ({
  type: 'merge_step',
  mergeRequest: review.beadId,
  fromStep: review.step,
  toStep: 'queued',
  job: null,
  heldReason,
});

function afterCandidates(view: RigView, review: ReviewFacts, result: Candidates, nowMs: number): RigVerdicts {
  const round = view.round(review.targetBranch);
  const lists = listsOf(review, result);
  // Only of those that were looked at is it known that the target does not have them.
  const [cancelled] = round.flatMap((member) => {
    const source = cancelledSource(view, member);
    return source !== null && isKnownAbsent(view, member, { result, lists }) ? [{ member, source }] : [];
  });
  if (cancelled !== undefined) return alone(view, cancelled.member, callOff(cancelled.member, cancelled.source));
  const { gates } = view.config();
  return gates.length === 0
    ? withoutGates(view, { review, round, result, lists }, nowMs)
    : ordered(view, { review, round, result, lists }, nowMs);
}

const callOff = (member: ReviewFacts, source: Bead): Outcome => ({
  reason: 'cancelled, and its push had not arrived',
  actions: cancelBeforePush(member, source),
});

function isKnownAbsent(
  view: RigView,
  member: ReviewFacts,
  { result, lists }: { readonly result: Candidates; readonly lists: readonly Entries[] },
): boolean {
  const { beadId } = member;
  const left = result.leftOut?.find(({ mergeRequest }) => mergeRequest === beadId);
  if (left !== undefined) return left.why !== 'merged' || isOfAnother(view, member, left);
  return lists.some((entries) => entries.some(({ mergeRequest }) => mergeRequest === beadId));
}

function afterMerged(view: RigView, review: ReviewFacts, brought: Brought): Outcome {
  if (!isOfAnother(view, review, brought))
    return { reason: onTarget(brought), actions: mergedAlready(view, review, brought) };
  const source = cancelledSource(view, review);
  return source === null ? { reason: NOTHING_OWN, actions: askForOwn(view, review, brought) } : callOff(review, source);
}

function afterConflict(view: RigView, review: ReviewFacts, result: Conflict): Outcome {
  const source = cancelledSource(view, review);
  return source === null ? rework(view, review, 'conflict', conflictCause(review, result)) : callOff(review, source);
}

function afterRevival(view: RigView, review: ReviewFacts, found: Revived): Outcome {
  const source = cancelledSource(view, review);
  return source === null
    ? { reason: 'it would bring back what was taken out of its target', actions: askToRevive(view, review, found) }
    : callOff(review, source);
}

interface Made {
  readonly review: ReviewFacts;
  readonly round: readonly ReviewFacts[];
  readonly result: Candidates;
  readonly lists: readonly Entries[];
}

/** An older runner merges the leader only and says nothing of lists. */
function listsOf(review: ReviewFacts, result: Candidates): readonly Entries[] {
  const made = result.made ?? [
    { list: 0, entries: [{ mergeRequest: review.beadId, candidate: result.candidate, tree: result.tree }] },
  ];
  return made.map(({ entries }) =>
    entries.map(({ mergeRequest, candidate, tree }) => ({
      mergeRequest: trusted.bead(mergeRequest),
      candidate: trusted.sha(candidate),
      tree,
    })),
  );
}

function withoutGates(view: RigView, made: Made, nowMs: number): RigVerdicts {
  const { review, round, result, lists } = made;
  const list = lists.find((entries) => entries.length > 0) ?? [];
  const landing = {
    entries: list.flatMap((entry) => withReview(round, entry)),
    targetSha: trusted.sha(result.targetSha),
  };
  return decide(review, list.length === 1 ? 'clean merge and no gates' : 'clean merges and no gates', [
    ...notTaken(view, made, list),
    ...pushSteps(view, landing, nowMs),
  ]);
}

const withReview = (round: readonly ReviewFacts[], made: Entries[number]) => {
  const review = round.find((member) => member.beadId === made.mergeRequest);
  return review === undefined ? [] : [{ review, made, isFlaky: false }];
};

/** Lists whose tree passed before are known; of the others as many run as there are lanes. */
function ordered(view: RigView, made: Made, nowMs: number): RigVerdicts {
  const { review, round, result } = made;
  const { gates } = view.config();
  const orders = ordersOf(view, made);
  if (orders.length === 0) return alone(view, review, { reason: 'nothing to test', actions: back(review) });
  const tested = orders.flatMap(({ entries }) => entries);
  // More lists than a runner tests at once wait for each other.
  const waves = Math.max(1, Math.ceil(orders.filter(({ job }) => job !== null).length / GATES_AT_ONCE_MAX));
  const budgetMs = GATE_TIMEOUT_MS + waves * gates.reduce((sum, gate) => sum + gate.timeoutMs, 0);
  const taken = round.filter(
    ({ beadId }) => beadId === review.beadId || tested.some((entry) => entry.mergeRequest === beadId),
  );
  const steps = taken.map((member, position): RigAction => {
    const entry = tested.find(({ mergeRequest }) => mergeRequest === member.beadId);
    return {
      type: 'merge_step',
      mergeRequest: member.beadId,
      fromStep: 'preparing',
      toStep: 'gating',
      job: null,
      deadlineAtMs: nowMs + budgetMs,
      position,
      ...(entry === undefined
        ? {}
        : { candidate: { sha: entry.candidate, tree: entry.tree, targetSha: trusted.sha(result.targetSha) } }),
    };
  });
  const what = taken.length === 1 ? 'clean merge; gates run on its tree' : 'clean merges; gates run on their trees';
  return decide(review, what, [
    ...notTaken(
      view,
      made,
      taken.map(({ beadId }) => ({ mergeRequest: beadId })),
    ),
    ...steps,
    { type: 'order_probes', leader: review.beadId, probes: orders },
  ]);
}

const back = (review: ReviewFacts): readonly RigAction[] => [requeue(review, review.heldReason), backToLine(review)];

function ordersOf(view: RigView, { review, round, result, lists }: Made): readonly ProbeOrder[] {
  const { gates, merging = DEFAULT_MERGING } = view.config();
  const digest = gatesDigest(gates);
  const train = view.train(review.targetBranch);
  // Somebody moved the red target: perhaps it is mended, and that is asked first.
  const isMoved = train.state === 'red' && train.redTree !== result.targetTree;
  // What comes twice is passed over below.
  const sorted = isMoved ? [...lists.filter(({ length }) => length === 0), ...lists] : lists;
  const seen = new Set<string>();
  const all = sorted.flatMap((entries): ProbeOrder[] => {
    const tip = tipOf(entries, result);
    if (tip === null || seen.has(tip.commit)) return [];
    seen.add(tip.commit);
    const job = view.isTested(tip.tree, digest) ? null : gatesJob(view, review, tip.commit);
    return [{ key: gatesKey(review, tip.commit), entries, targetSha: trusted.sha(result.targetSha), ...tip, job }];
  });
  const known = all.filter(({ job }) => job === null);
  const best = known.reduce<Pick<Judged, 'entries'> | null>(
    (longest, { entries }) =>
      entries.length > (longest?.entries.length ?? 0) ? { entries: places(round, entries) } : longest,
    null,
  );
  const open = all.filter(({ job, entries }) => job !== null && isOpen(places(round, entries), best));
  return [...known, ...open.slice(0, merging.lanes)];
}

const places = (round: readonly ReviewFacts[], entries: Entries): readonly number[] =>
  entries.map((entry) => round.findIndex((member) => member.beadId === entry.mergeRequest));

/** Null: an older runner does not say what tree the target has. */
function tipOf(entries: Entries, result: Candidates): { readonly commit: Sha; readonly tree: string } | null {
  const tip = entries.at(-1);
  if (tip !== undefined) return { commit: tip.candidate, tree: tip.tree };
  return result.targetTree === undefined ? null : { commit: trusted.sha(result.targetSha), tree: result.targetTree };
}

const gatesKey = (review: ReviewFacts, commit: Sha): string =>
  `gates:${review.beadId}:${commit}:${String(review.version)}`;

/** Keys hold the version: the same candidate may come again after a lost race, and an old result must not answer it. */
export const gatesJob = (view: RigView, review: ReviewFacts, commit: Sha): Job => ({
  kind: 'gates',
  key: gatesKey(review, commit),
  repo: repoFor(view, review.targetBranch),
  commit,
  gates: view.config().gates,
});

/** Members of the round that are in no list: merged already, in conflict, or to wait for those before them. */
function notTaken(
  view: RigView,
  { round, result }: Made,
  taken: readonly { readonly mergeRequest: string }[],
): readonly RigAction[] {
  return round
    .filter((member) => !taken.some(({ mergeRequest }) => mergeRequest === member.beadId))
    .flatMap((member) => {
      const why = result.leftOut?.find(({ mergeRequest }) => mergeRequest === member.beadId);
      return leave(view, member, { why, targetSha: result.targetSha });
    });
}

function leave(
  view: RigView,
  member: ReviewFacts,
  { why, targetSha }: { readonly why: LeftOut | undefined; readonly targetSha: string },
): readonly RigAction[] {
  switch (why?.why) {
    case 'merged':
      return isOfAnother(view, member, why) ? askForOwn(view, member, why) : mergedAlready(view, member, why);
    case 'conflict':
      return rework(view, member, 'conflict', conflictCause(member, { ...why, targetSha })).actions;
    case 'revives':
      return askToRevive(view, member, why);
    case 'behind':
      return [
        requeue(member, `conflicts in ${why.paths.join(', ')} with one before it, which goes first`),
        backToLine(member),
      ];
    default:
      return back(member);
  }
}

import { DEFAULT_MERGING } from '../commands.ts';
import { LINE_MAX, MERGE_STEP_DEADLINE_MS, SQUASH_BODY_CHARS_MAX } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Job, MergeStyle } from '../facts.ts';
import type { Bead } from '../model/bead.ts';
import type { Train } from '../model/train.ts';
import { trainRef } from '../refs.ts';
import { planRepair, planRound, planUngated, type RoundPlan } from '../train/plan.ts';
import { ratesOf } from '../train/rates.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { awaitsReview } from './review-agent.ts';
import { act, NOTHING, wakeAt, type RigRule } from './rule.ts';

/**
 * One round at a time per target branch: when the train is free, the front of the line is merged and tested, in the lists
 * that `planRound` names. FIFO within priority, with ageing (`queueKey`). A merge request that waits for rework or for
 * people is not in line and blocks nobody.
 */
export const mergeTrain: RigRule = (view, target, nowMs) => {
  if (view.activeReview(target) !== null) return NOTHING;
  // A feature branch that is not known to be whole takes no merges: what was in it could be lost unseen.
  if ((view.feature(target)?.state ?? 'ready') !== 'ready') return NOTHING;
  const train = view.train(target);
  if (train.state === 'paused') return NOTHING;
  const line = view
    .line(target, LINE_MAX)
    .filter((review) => view.bead(review.sourceBeadId) !== null && !awaitsReview(view, review));
  if (line.length === 0) return NOTHING;
  const untilMs = restsUntil(train, line, nowMs);
  if (untilMs !== null) return wakeAt(untilMs);
  const plan = planOf(view, { train, line, nowMs });
  const round = plan.entries.flatMap((place) => line[place] ?? []);
  return act({
    rule: 'merge-train',
    entity: trainRef(target),
    reason: reasonOf(round, target),
    actions: round.flatMap((review, position) => start(view, { round, review, position, plan, nowMs })),
  });
};

const isRetry = ({ retryAtMs }: Train, nowMs: number): boolean => retryAtMs !== null && nowMs >= retryAtMs;

/** A red target is tried again after a while, or at once when something new is there that may mend it. */
function restsUntil(train: Train, line: readonly ReviewFacts[], nowMs: number): number | null {
  if (train.state !== 'red' || train.retryAtMs === null || isRetry(train, nowMs)) return null;
  return line.some((review) => review.queuedAtMs > train.changedAtMs) ? null : train.retryAtMs;
}

interface Front {
  readonly train: Train;
  readonly line: readonly ReviewFacts[];
  readonly nowMs: number;
}

function planOf(view: RigView, { train, line, nowMs }: Front): RoundPlan {
  const { gates, merging = DEFAULT_MERGING } = view.config();
  if (gates.length === 0)
    return planUngated(
      line.map(({ suspect: mark }) => ({ mark })),
      merging.batch,
    );
  if (train.state === 'red') return planRepair(line, { ...train, isRetry: isRetry(train, nowMs) });
  const marks = line.map(({ suspect: mark }) => ({ mark }));
  return planRound(marks, { lanes: merging.lanes, batchMax: merging.batch, rates: ratesOf(train.stats) });
}

function reasonOf(round: readonly ReviewFacts[], target: string): string {
  const first = round[0]?.beadId ?? '';
  return round.length === 1
    ? `${first} is first in line for ${target}`
    : `${first} and ${String(round.length - 1)} behind it are tested together for ${target}`;
}

interface Start {
  readonly round: readonly ReviewFacts[];
  readonly review: ReviewFacts;
  readonly position: number;
  readonly plan: RoundPlan;
  readonly nowMs: number;
}

function start(view: RigView, { round, review, position, plan, nowMs }: Start): readonly RigAction[] {
  return [
    {
      type: 'start_merge',
      mergeRequest: review.beadId,
      fromStep: 'queued',
      toStep: 'preparing',
      job: position === 0 ? mergeJob(view, round, plan, nowMs) : null,
      deadlineAtMs: nowMs + MERGE_STEP_DEADLINE_MS,
      heldReason: null,
      position,
    },
    { type: 'transition_bead', bead: review.beadId, from: 'open', to: 'in_progress' },
  ];
}

type MergeJob = Extract<Job, { readonly kind: 'merge' }>;

/** The candidates' date comes with the order, so that repeating the order makes the same commits. */
function mergeJob(view: RigView, round: readonly ReviewFacts[], plan: RoundPlan, nowMs: number): Job | null {
  const config = view.config();
  const [review, ...riders] = round;
  if (review === undefined) return null;
  const source = view.bead(review.sourceBeadId);
  const { style } = config.merging ?? DEFAULT_MERGING;
  const isAlone = riders.length === 0 && plan.lists.length === 1;
  return {
    kind: 'merge',
    key: `merge:${review.beadId}:${review.headSha}:${String(review.version)}`,
    repo: repoFor(view, review.targetBranch),
    mergeRequest: review.beadId,
    head: review.headSha,
    earlierCandidate: review.candidateSha,
    message: messageOf(review, source, style),
    author: { name: `${config.name}/refinery`, email: config.ownerEmail },
    dateMs: nowMs,
    ...(style === 'merge' ? {} : { style }),
    ...rewriteOf(view, review),
    ...(isAlone ? {} : { riders: riders.map((rider) => riderOf(view, rider, style)), lists: plan.lists }),
  };
}

/** A branch that the town keeps is put back instead. */
function rewriteOf(view: RigView, review: ReviewFacts): Pick<MergeJob, 'formerTips' | 'mayRevive' | 'mayReviveAlso'> {
  const { targetBranch } = review;
  const formerTips = view.feature(targetBranch) === null ? view.formerTips(targetBranch) : [];
  return { ...(formerTips.length === 0 ? {} : { formerTips }), ...yesOf(review) };
}

const yesOf = ({ mayRevive: [first, ...also] }: ReviewFacts): Pick<MergeJob, 'mayRevive' | 'mayReviveAlso'> => ({
  ...(first === undefined ? {} : { mayRevive: first }),
  ...(also.length === 0 ? {} : { mayReviveAlso: also }),
});

const riderOf = (view: RigView, review: ReviewFacts, style: MergeStyle) => ({
  mergeRequest: review.beadId,
  head: review.headSha,
  earlierCandidate: review.candidateSha,
  message: messageOf(review, view.bead(review.sourceBeadId), style),
  ...yesOf(review),
});

/** A squashed commit says what the bead says; a rebased one has its own words, unless it has to be squashed. */
export function messageOf(review: ReviewFacts, source: Bead | null, style: MergeStyle): string {
  const title = firstLine(source?.title ?? '');
  // By characters: half of one is none, and git would store another in its place.
  const body = Array.from(source?.body.trim() ?? '')
    .slice(0, SQUASH_BODY_CHARS_MAX)
    .join('');
  const text =
    style === 'merge' ? `Merge ${review.branch}: ${title}` : `${title}${body === '' ? '' : `\n\n${body.trimEnd()}`}`;
  return `${text}\n\nGt-Bead: ${review.sourceBeadId}\nGt-Merge-Request: ${review.beadId}\n`;
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

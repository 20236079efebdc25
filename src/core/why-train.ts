/** `gt why` and `gt mq` for a merge request in line: what its train does, and what the line is. */
import { nextOf, troubleNow } from './job-trouble.ts';
import { LINE_MAX, PUSH_GRACE_MS } from './limits.ts';
import type { MergeStep } from './model/review.ts';
import type { Train } from './model/train.ts';
import { duration } from './text.ts';
import type { ReviewFacts, RigView } from './view.ts';

interface Said {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string;
  readonly command?: string;
  readonly sinceMs?: number;
  readonly wakeAtMs?: number | null;
}

type Paused = Pick<Train, 'target' | 'reason' | 'changedBy' | 'changedAtMs'>;

/** The same at any moment. */
export const pauseOf = ({ target, reason, changedBy }: Omit<Paused, 'changedAtMs'>): string =>
  `${target} is paused by ${changedBy}: ${reason ?? 'no reason is known'}`;

/** Begins with the target's name. */
export const pausedBy = ({ target, reason, changedBy, changedAtMs }: Paused, nowMs: number): string =>
  `${target} is paused by ${changedBy} since ${duration(nowMs - changedAtMs)}: ${reason ?? 'no reason is known'}`;

/** What is the same wherever a pause is told. */
export function pausedText(view: RigView, train: Paused, nowMs: number): Said {
  const { name, targetBranch } = view.config();
  return {
    sentence: `In line; the merge train of ${pausedBy(train, nowMs)}.`,
    rule: 'merge-train',
    next: 'A person lets it go on.',
    command: `gt mq resume ${name}${train.target === targetBranch ? '' : ` --target ${train.target}`}`,
    sinceMs: train.changedAtMs,
  };
}

/** A merge request that is queued, neither held nor behind rework. */
export function queuedText(view: RigView, review: ReviewFacts, nowMs: number): Said {
  const { targetBranch } = review;
  const train = view.train(targetBranch);
  if (train.state === 'paused') return pausedText(view, train, nowMs);
  const active = view.activeReview(targetBranch);
  const rule = 'merge-train';
  if (active !== null)
    return {
      sentence: `In line for ${targetBranch}${placeOf(view, review)}; ${active.beadId} is being merged.${saidOf(review)}`,
      rule,
      next: `${active.beadId} is merged or leaves the train.`,
    };
  if (train.state === 'red')
    return {
      sentence: `In line for ${targetBranch}, which is red itself: ${train.reason ?? 'its gates fail'}. Nobody's work is blamed.`,
      rule,
      next: `${targetBranch} is mended; it is tried again by itself, and at once when new work is in line.`,
      wakeAtMs: nextOf(nowMs, train.retryAtMs),
    };
  return {
    sentence: `In line for ${targetBranch} since ${duration(nowMs - review.queuedAtMs)}${placeOf(view, review)}.${saidOf(review)}`,
    rule,
    next: 'The train takes it.',
  };
}

/** Nothing for the first, who needs no number. */
function placeOf(view: RigView, review: ReviewFacts): string {
  const place = view.line(review.targetBranch, LINE_MAX).findIndex((one) => one.beadId === review.beadId);
  return place > 0 ? `, behind ${String(place)}` : '';
}

const STEP_TEXT: Readonly<Partial<Record<MergeStep, string>>> = {
  preparing: 'is being merged in the object database',
  gating: 'runs its gates on the combined tree',
  pushing: 'is being pushed to the target',
};

/** One that a round has: the step's order and what it met. The leader's order is that of all. */
export function stepText(view: RigView, review: ReviewFacts, nowMs: number): Said {
  const leader = view.activeReview(review.targetBranch) ?? review;
  const keys = [leader.stepKey, ...view.probes(leader.beadId).map(({ key }) => key)];
  const failed = keys.map((key) => troubleNow(view, key, nowMs)).find((text) => text !== '') ?? '';
  const isGivenUp = review.step === 'pushing' && review.deadlineAtMs !== null && review.deadlineAtMs <= nowMs;
  const givenUpAtMs = isGivenUp ? (review.deadlineAtMs ?? 0) + PUSH_GRACE_MS : null;
  const tried = keys.map((key) => (key === null ? null : view.trouble(key)?.nextAtMs));
  return {
    sentence: `${review.branch} ${STEP_TEXT[review.step] ?? 'is being merged'} (${review.targetBranch}).${failed}`,
    rule: 'merge-step',
    next: isGivenUp ? 'It goes back in line and is merged again.' : 'The result of this step.',
    ...(failed === '' || isGivenUp ? {} : { command: `gt mq retry ${review.sourceBeadId}` }),
    wakeAtMs: nextOf(nowMs, ...tried, review.deadlineAtMs, givenUpAtMs),
  };
}

/** What an earlier round showed of it. */
const saidOf = ({ suspect, heldReason }: ReviewFacts): string =>
  suspect === null || heldReason === null ? '' : ` It ${heldReason}.`;

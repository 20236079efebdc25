import { REVIEW_FAILURES_MAX, REVIEW_ROUNDS_MAX } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import { isTerminal, type Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import { mayHaveLanded } from '../model/review.ts';
import type { Reviewer } from '../model/reviewer.ts';
import { beadRef } from '../refs.ts';
import { duration } from '../text.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { askPerson } from './refused-push.ts';
import { advance } from './rework.ts';
import { act, NOTHING, wakeAt, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * A rig may have an agent look at each merge request before the train takes it. It is asked once about each head; its
 * approval lets the merge request go on, its wishes become rework. Its word is never evidence: gates and git decide as they
 * do without it. What it does not say until its deadline does not stop anybody in silence.
 */
export const reviewAgent: RigRule = (view, id, nowMs) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || isTerminal(bead.status)) return NOTHING;
  if (bead.kind === 'review') return unanswered(view, bead, nowMs);
  return bead.type === 'merge_request' ? ask(view, bead) : NOTHING;
};

/** True while its review agent has not been asked about the head of a merge request in line: the train leaves it alone. */
export function awaitsReview(view: RigView, review: ReviewFacts): boolean {
  const reviewer = reviewerOf(view, review);
  if (reviewer === null || review.step !== 'queued' || review.reviewAsked === review.headSha) return false;
  // What may be on the target already is not looked at any more: the next merge says.
  if (mayHaveLanded(review)) return false;
  return review.rounds < REVIEW_ROUNDS_MAX || reviewer.unanswered === 'ask';
}

/** Landings and reverts bring what was looked at before. */
function reviewerOf(view: RigView, review: ReviewFacts): Reviewer | null {
  const isWork = view.bead(review.sourceBeadId)?.kind === 'task' && review.strategy === 'direct';
  return isWork ? (view.config().reviewer ?? null) : null;
}

function ask(view: RigView, bead: Bead): RigVerdicts {
  const review = view.review(bead.id);
  if (review === null || !awaitsReview(view, review)) return NOTHING;
  if (bead.status !== 'open' || bead.hold !== null || bead.openBlockers > 0) return NOTHING;
  const step = {
    type: 'merge_step',
    mergeRequest: bead.id,
    fromStep: 'queued',
    toStep: 'reworking',
    job: null,
    reviewAsked: review.headSha,
  } as const;
  if (review.rounds >= REVIEW_ROUNDS_MAX) {
    const why = `it was reworked ${String(review.rounds)} times already, so its review agent is not asked again`;
    return decide(bead, why, [{ ...step, heldReason: why }, ...person(review, why)]);
  }
  return decide(bead, `the review agent is asked about ${review.headSha}`, [
    { ...step, heldReason: 'its review agent looks at it' },
    {
      type: 'create_rework',
      mergeRequest: bead.id,
      kind: 'review',
      title: `Review ${review.branch}`,
      body: `Look at ${review.branch} at ${review.headSha} before it is merged into ${review.targetBranch}.`,
      notBeforeMs: 0,
      preferAgent: null,
    },
  ]);
}

/** The person decides with the ordinary words: retry lets it merge, request-changes gives it back. */
const person = (review: ReviewFacts, why: string): readonly RigAction[] =>
  askPerson(
    review,
    `Nobody has reviewed ${review.sourceBeadId}: ${why}. Look at ${review.branch}, then "gt bead retry ${review.sourceBeadId}" to let it merge, or "gt request-changes ${review.sourceBeadId}".`,
  );

function unanswered(view: RigView, bead: Bead, nowMs: number): RigVerdicts {
  const review = bead.branchOf === null ? null : view.reviewOf(bead.branchOf);
  if (review === null || (view.liveAttempt(bead.id)?.claim ?? null) !== null) return NOTHING;
  const reviewer = reviewerOf(view, review);
  const dueMs = bead.createdAtMs + (reviewer?.timeoutMs ?? 0);
  const why = endOf(bead, reviewer, nowMs >= dueMs);
  if (why === null) return wakeAt(dueMs);
  return decide(bead, why, [
    {
      type: 'transition_bead',
      bead: bead.id,
      from: bead.status,
      to: 'closed',
      closeReason: 'cancelled',
      evidence: { note: why },
    },
    ...(review.step === 'reworking' ? [advance(view, bead, review, review.headSha)] : []),
    ...(reviewer?.unanswered === 'ask' ? person(review, why) : []),
  ]);
}

/** Why nothing more is expected of a review; null: its answer is awaited. */
function endOf(bead: Bead, reviewer: Reviewer | null, isDue: boolean): string | null {
  if (reviewer === null) return 'the rig has no review agent any more';
  if (isDue) return `its review agent said nothing within ${duration(reviewer.timeoutMs)}`;
  if (bead.failures >= REVIEW_FAILURES_MAX || bead.hold === 'needs_human') return 'its review agent failed';
  return null;
}

const decide = (bead: Bead, reason: string, actions: readonly RigAction[]): RigVerdicts =>
  act({ rule: 'review-agent', entity: beadRef(bead.id), reason, actions });

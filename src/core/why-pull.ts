/** `gt why`, `gt mq` and the inbox for a merge request with a pull request. */
import { trusted } from './model/ids.ts';
import { nextOf, troubleNow } from './job-trouble.ts';
import type { MergeStep } from './model/review.ts';
import type { Proposal } from './model/proposal.ts';
import { asSentence } from './sentence.ts';
import type { ReviewFacts, RigView } from './view.ts';

interface Said {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string;
  readonly command?: string;
  readonly sinceMs?: number | null;
  readonly wakeAtMs?: number | null;
}

const RULE = 'pull-request';

const STEP_TEXT: Readonly<Partial<Record<MergeStep, string>>> = {
  checking: 'is being merged with its target in the object database',
  testing: 'runs the gates of the rig on the combined tree',
  opening: 'is being proposed: its forge is asked for a pull request',
  accepting: 'is being merged by its forge',
  confirming: 'is merged, says its forge; the target is looked at',
};

/** What became of the pull request of a cancelled bead; empty: it had none. */
export function closingText(proposal: Proposal | null): string {
  const closing = proposal?.closing ?? null;
  if (closing === null || closing.asks === 0) return '';
  const { state, number, mergeSha, error } = closing;
  const name = number === null ? 'Its pull request' : `Its pull request #${String(number)}`;
  const texts: Readonly<Record<typeof state, string>> = {
    asked: `${name} is to be closed; its forge has not answered yet.`,
    closed: `${name} is closed.`,
    left: `${name} was opened by somebody else: it has a comment and stays open.`,
    merged: `${name} was merged there all the same, as ${mergeSha ?? 'an unknown commit'}.`,
    refused: `${name} could not be closed: ${error ?? 'it was refused'}`,
    none: '',
  };
  return texts[state];
}

/** Null: nothing of a pull request is under way. */
export function pullText(view: RigView, mergeRequest: string, nowMs: number): Said | null {
  const review = view.review(trusted.bead(mergeRequest));
  if (review === null || review.strategy !== 'pr') return null;
  const proposal = view.proposal(review.beadId);
  if (proposal === null) return null;
  if (proposal.silentSinceMs !== null && proposal.number !== null && review.step === 'proposed')
    return {
      sentence: `The forge does not answer about pull request #${String(proposal.number)}; nothing is merged or given up meanwhile.`,
      rule: RULE,
      next: 'It answers; it is asked again by itself.',
      sinceMs: proposal.silentSinceMs,
    };
  return review.step === 'proposed' || review.step === 'opening'
    ? waiting(view, { review, proposal, nowMs })
    : under(view, review, nowMs);
}

function under(view: RigView, review: ReviewFacts, nowMs: number): Said | null {
  const what = STEP_TEXT[review.step];
  const trouble = review.stepKey === null ? null : view.trouble(review.stepKey);
  if (what !== undefined)
    return {
      sentence: `${review.branch} ${what} (${review.targetBranch}).${troubleNow(view, review.stepKey, nowMs)}`,
      rule: RULE,
      next: 'The result of this step.',
      wakeAtMs: nextOf(nowMs, trouble?.nextAtMs, review.deadlineAtMs),
    };
  if (review.step !== 'queued') return null;
  return {
    sentence: review.heldReason === null ? 'Its pull request comes next.' : `Waits: ${asSentence(review.heldReason)}`,
    rule: RULE,
    next: 'It is tried again by itself.',
    sinceMs: review.queuedAtMs,
  };
}

const NEXT: Readonly<Record<NonNullable<Proposal['waitsFor']>, string>> = {
  people: 'Somebody does that; it is seen by itself.',
  checks: 'The checks report.',
  forge: 'The forge says more.',
  delay: 'The delay is over and nobody objects.',
  target: 'A person lets the train go on.',
};

function waiting(
  view: RigView,
  { review, proposal, nowMs }: { readonly review: ReviewFacts; readonly proposal: Proposal; readonly nowMs: number },
): Said | null {
  const { waitReason, waitsFor } = proposal;
  if (waitReason === null || waitsFor === null) return under(view, review, nowMs);
  const { name, targetBranch } = view.config();
  const train = view.train(review.targetBranch);
  const resume = `gt mq resume ${name}${review.targetBranch === targetBranch ? '' : ` --target ${review.targetBranch}`}`;
  return {
    sentence: asSentence(`${waitReason.charAt(0).toUpperCase()}${waitReason.slice(1)}`),
    rule: RULE,
    next: NEXT[waitsFor],
    sinceMs: proposal.waitSinceMs,
    // Since when it is paused, not since when that is all that is in the way.
    ...(waitsFor === 'target' ? { command: resume } : {}),
    ...(waitsFor === 'target' && train.state === 'paused' ? { sinceMs: train.changedAtMs } : {}),
    ...(review.step === 'opening'
      ? { command: `gt mq retry ${review.sourceBeadId}`, wakeAtMs: proposal.retryAtMs }
      : {}),
  };
}

/** What a cancel in review waits for. */
export function cancelText(view: RigView, mergeRequest: string): string {
  const review = view.review(trusted.bead(mergeRequest));
  if (review?.strategy !== 'pr') return 'Its cancel waits until git says whether its push arrived.';
  const proposal = view.proposal(review.beadId);
  const what = `pull request #${String(proposal?.number ?? 0)}`;
  if (review.step === 'confirming' || (proposal !== null && proposal.lookError !== null))
    return `Its cancel waits until git says whether ${review.targetBranch} has ${what}.`;
  return proposal?.seen?.inQueue === true
    ? `Its cancel waits until ${what} has left the queue of its forge.`
    : `Its cancel waits until its forge shows what became of ${what}.`;
}

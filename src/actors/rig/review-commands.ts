import type { BeadChanges, BeadCommand, Caller } from '../../core/commands.ts';
import { conflict, precondition, TownError, usage } from '../../core/errors.ts';
import { BODY_CHARS_MAX } from '../../core/limits.ts';
import { checkRuntime } from '../../core/runtimes.ts';
import { hasOpenTarget, isTerminal, sourceOf, type Bead } from '../../core/model/bead.ts';
import type { ReviewFacts } from '../../core/view.ts';
import { COMMITTED_STEPS, mayHaveLanded } from '../../core/model/review.ts';
import { beadRef } from '../../core/refs.ts';
import { queueKey } from '../../core/queue-key.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import { callOff } from './call-off.ts';
import type { Turn } from '../kernel/turn.ts';
import { createRework } from './create-rework.ts';
import type { RigContext } from './rig-context.ts';
import { leaveRound } from './rounds.ts';

type RequestChanges = Extract<BeadCommand, { readonly type: 'request_changes' }>;

/**
 * A person or the reviewer wants changes before the merge: one rework bead on the same branch. While one waits,
 * further comments are appended to it, so that an agent gets all of them at once. One that an agent works on was read
 * already: then another round follows it, or the comment would be answered with success and never be read.
 */
export function requestChanges(
  rig: RigContext,
  turn: Turn,
  bead: Bead,
  request: { readonly command: RequestChanges; readonly caller: Caller },
): void {
  const writer = rig.writer(turn);
  const { review, mergeRequest } = inReview(rig, bead);
  if (mayHaveLanded(review)) {
    throw conflict(
      'push_under_way',
      underWay(review),
      `Look at the verdict with "gt why ${review.sourceBeadId}", then create a new bead for what should change.`,
    );
  }
  if (request.command.head !== undefined && request.command.head !== review.headSha)
    throw new TownError('stale', 'head_moved', {
      message: `${review.branch} is at ${review.headSha.slice(0, 12)} by now, not at what you looked at.`,
      next: 'Look at its changes again; what you wrote about lines may not fit any more.',
    });
  const comment = `Changes requested by ${request.caller.actor}:\n\n${request.command.comment}`;
  const waits = rig.view.openReworks(review.beadId);
  const open = waits.find(({ kind }) => kind === 'review') ?? waits.find(({ status }) => status === 'open');
  if (open?.kind === 'review') endReview(turn, writer, open, `${request.caller.actor} asks for changes`);
  else if (open !== undefined) {
    writer.updateBead(open.id, { body: `${open.body}\n\n${comment}`.slice(0, BODY_CHARS_MAX) });
    return;
  }
  leaveRound(rig, turn, writer, review);
  sendBack(turn, writer, review, mergeRequest);
  createRework(rig, writer, review, {
    kind: 'rework',
    title: 'Make the requested changes',
    body: comment,
    createdBy: request.caller.actor,
  });
}

/** Somebody said what must change: its review agent has nothing left to look at. */
function endReview(turn: Turn, writer: RigWriter, bead: Bead, note: string): void {
  writer.transitionBead(bead, 'closed', { closeReason: 'no_change', evidence: { note } });
  turn.dirty(beadRef(bead.id));
}

function underWay({ branch, step }: ReviewFacts): string {
  if (step === 'pushing') return `${branch} is being pushed in this moment.`;
  return COMMITTED_STEPS.includes(step)
    ? `${branch} is being merged by its forge in this moment.`
    : `${branch} was pushed, and nobody knows yet whether it arrived.`;
}

/** The merge request that carries a bead's work. Errors: `not_in_review`, `review_ended`. */
function inReview(rig: RigContext, bead: Bead): { readonly review: ReviewFacts; readonly mergeRequest: Bead } {
  const review = bead.type === 'merge_request' ? rig.view.review(bead.id) : rig.view.reviewOf(sourceOf(bead));
  const mergeRequest = review === null ? null : rig.view.bead(review.beadId);
  if (review === null || mergeRequest === null) {
    throw precondition(
      'not_in_review',
      `${bead.id} has no merge request yet.`,
      'Wait until its agent is done, or close it.',
    );
  }
  if (isTerminal(mergeRequest.status)) {
    throw conflict(
      'review_ended',
      `The merge request of ${review.sourceBeadId} has ended (${mergeRequest.closeReason ?? mergeRequest.status}).`,
      'Create a new bead for what should change.',
    );
  }
  return { review, mergeRequest };
}

/** A reviewer's word, on record at the head that it is about. Errors: `not_in_review`, `review_ended`. */
export function approve(
  rig: RigContext,
  turn: Turn,
  bead: Bead,
  said: { readonly by: string; readonly comment: string },
): void {
  const { review } = inReview(rig, bead);
  const comment = said.comment === '' ? '' : `: ${said.comment}`;
  turn.journal({
    entity: beadRef(review.beadId),
    action: 'approved',
    rule: 'command',
    reason: `${said.by} approves ${review.headSha.slice(0, 12)}${comment}`,
  });
  const attempt = bead.kind === 'review' ? rig.view.liveAttempt(bead.id) : null;
  if (attempt === null || attempt.claim !== null) return;
  // What its review agent has to say: its attempt ends like one that found nothing to change.
  rig.writer(turn).setClaim(
    attempt.id,
    { state: 'recorded', kind: 'no_change' },
    {
      claimed_head: null,
      claimed_at: turn.nowMs,
      claim_summary: `approved${comment}`.slice(0, BODY_CHARS_MAX),
      claim_refusal: null,
    },
  );
}

/** Takes a merge request out of the train; the effect of its present step is not needed any more. */
function sendBack(turn: Turn, writer: RigWriter, review: ReviewFacts, mergeRequest: Bead): void {
  if (review.stepKey !== null) callOff(turn, review.stepKey, 'changes were requested');
  // It was not opened, and nobody waits for that any more: its silence is over.
  if (review.step === 'opening') writer.proposals.change(review.beadId, { silentSinceMs: null });
  if (review.step !== 'reworking') {
    writer.stepReview(review.beadId, {
      from: review.step,
      to: 'reworking',
      stepKey: null,
      // It was not pushed, or this would have been refused.
      columns: { held_reason: 'changes were requested', position: null, suspect: null, candidate_sha: null },
    });
  }
  if (mergeRequest.status === 'in_progress')
    writer.transitionBead(mergeRequest, 'open', { closeReason: null, evidence: null });
}

/** Back to "recorded": only what does not run yet can be taken back without ending an agent. */
export function unsling(rig: RigContext, turn: Turn, bead: Bead): void {
  if (isTerminal(bead.status)) {
    throw conflict(
      'bead_ended',
      `${bead.id} has ended (${bead.closeReason ?? bead.status}); an end is final.`,
      'Nothing needs to be taken back.',
    );
  }
  if (bead.status !== 'open') {
    throw precondition(
      'not_waiting',
      `${bead.id} is ${bead.status}.`,
      `Close it with "gt bead close ${bead.id}" to stop its agent.`,
    );
  }
  if (bead.type !== 'issue' || bead.branchOf !== null || bead.convoyId !== null) {
    throw precondition(
      'not_slung',
      `${bead.id} was not slung by itself: it belongs to ${bead.convoyId ?? bead.branchOf ?? bead.parentId ?? 'a branch'}.`,
      `Hold it with "gt bead hold ${bead.id}".`,
    );
  }
  if (bead.hold === 'staged') return;
  rig.writer(turn).updateBead(bead.id, { hold: 'staged', hold_reason: 'recorded, not slung yet' });
}

function checkTargetFree(bead: Bead): void {
  if (bead.status === 'open' && hasOpenTarget(bead)) return;
  throw precondition(
    'target_fixed',
    `${bead.id} is for ${bead.targetBranch}, and that can't change any more: its work began there, or it belongs to a convoy or a branch.`,
    `Close it with "gt bead close ${bead.id}", and create it anew with --target-branch.`,
  );
}

/** The next attempt reads what is written here; a running one is not disturbed. */
export function update(rig: RigContext, turn: Turn, bead: Bead, changes: BeadChanges): void {
  if (isTerminal(bead.status)) {
    throw conflict(
      'bead_ended',
      `${bead.id} has ended (${bead.closeReason ?? bead.status}); an end is final.`,
      'Create a new bead for more work.',
    );
  }
  const columns: Record<string, string | number> = {};
  const { targetBranch, ...plain } = changes;
  for (const [name, value] of Object.entries(plain)) if (typeof value === 'string') columns[name] = value;
  if (targetBranch !== undefined) {
    checkTargetFree(bead);
    columns['target_branch'] = targetBranch;
  }
  if (Object.keys(columns).length === 0) {
    throw usage(
      'nothing_to_update',
      'Nothing to change was named.',
      'Give a title, body, priority, runtime, model or target branch.',
    );
  }
  if (changes.runtime !== undefined) checkRuntime(changes.runtime, rig.view.config());
  if (changes.priority !== undefined) columns['queue_key'] = queueKey(changes.priority, bead.createdAtMs);
  rig.writer(turn).updateBead(bead.id, columns);
}

/** A landing is what its convoy wants; to end it by itself would only make the convoy land again. */
export const landingIsOfConvoy = (bead: Bead): TownError =>
  usage(
    'not_a_task',
    `${bead.id} lands the convoy ${bead.convoyId ?? ''}.`,
    `End the convoy with "gt convoy close ${bead.convoyId ?? '<id>'}", or look at it with "gt why ${bead.convoyId ?? '<id>'}".`,
    'bead',
  );

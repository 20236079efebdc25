import type { RigAction } from '../actions.ts';
import type { Bead, Evidence } from '../model/bead.ts';
import type { Sha } from '../model/ids.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { backInLine } from './back-in-line.ts';

export const cancelSource = (
  source: Bead,
  evidence: Evidence = { note: 'cancelled while its push was under way; the push lost' },
): RigAction => ({
  type: 'transition_bead',
  bead: source.id,
  from: 'in_review',
  to: 'closed',
  closeReason: 'cancelled',
  evidence,
});

/** The cancel waited for a push that never had a verdict; the merge found that it did not arrive. */
export const cancelBeforePush = (review: ReviewFacts, source: Bead): readonly RigAction[] => [
  ...backInLine(review),
  cancelSource(source),
];

/** Rework of what is merged or cancelled has no purpose, also while nobody knows yet which of the two it is. */
export const endReworks = (view: RigView, review: ReviewFacts): readonly RigAction[] =>
  view.openReworks(review.beadId).map(({ id, status }) => ({
    type: 'transition_bead',
    bead: id,
    from: status,
    to: 'closed',
    closeReason: 'source_ended',
  }));

/** The bead of a merge request whose cancel waits for a verdict; null: nobody cancelled it. */
export const cancelledSource = (view: RigView, member: ReviewFacts): Bead | null => {
  const source = view.bead(member.sourceBeadId);
  return source?.cancelRequestedAtMs === null ? null : source;
};

/** Merged is a fact about ancestry: the commit is on the target. It closes the merge request and its source together. */
export function merged(view: RigView, review: ReviewFacts, mergeSha: Sha, note?: string): readonly RigAction[] {
  const evidence = {
    head: review.headSha,
    mergeSha,
    target: review.targetBranch,
    ...(note === undefined ? {} : { note }),
  };
  const end = { to: 'closed', closeReason: 'merged', evidence } as const;
  const source = view.bead(review.sourceBeadId);
  return [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'ended',
      job: null,
      mergeSha,
      heldReason: null,
    },
    { type: 'transition_bead', bead: review.beadId, from: 'in_progress', ...end },
    ...(source?.status === 'in_review'
      ? [{ type: 'transition_bead' as const, bead: source.id, from: 'in_review' as const, ...end }]
      : []),
  ];
}

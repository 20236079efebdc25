import type { RigAction } from '../actions.ts';
import type { ReviewFacts } from '../view.ts';

/** What a merge request keeps of the try that ended. */
type Kept = Pick<
  Extract<RigAction, { readonly type: 'start_merge' | 'merge_step' }>,
  'heldReason' | 'suspect' | 'races' | 'requeueAtMs' | 'mayRevive'
>;

/** Out of its round and in line again, not landed: its next try makes a candidate of its own. */
export const backInLine = (review: ReviewFacts, kept: Kept = {}): readonly RigAction[] => [
  {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: 'queued',
    job: null,
    candidate: null,
    ...kept,
  },
  backToLine(review),
];

/** Its bead waits again: in the line, for its rework, or for a person. */
export const backToLine = (review: ReviewFacts): RigAction => ({
  type: 'transition_bead',
  bead: review.beadId,
  from: 'in_progress',
  to: 'open',
});

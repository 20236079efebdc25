import { sourceOf } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import { mayHaveLanded } from '../model/review.ts';
import { beadRef } from '../refs.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * Policy `abort` of a convoy: what an agent works on may end well, but nothing begins again. A bead that opens after a
 * failed attempt, and a rework that would start, end the bead that they belong to.
 */
export const abortedConvoy: RigRule = (view, id) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.type !== 'issue' || bead.status !== 'open') return NOTHING;
  const source = view.bead(sourceOf(bead));
  if (source === null || !view.isAborted(source.id)) return NOTHING;
  if (source.status !== 'open' && source.status !== 'in_review') return NOTHING;
  // Its merge request may be at the push by now: then git decides.
  const review = view.reviewOf(source.id);
  if (review !== null && mayHaveLanded(review)) return NOTHING;
  return act({
    rule: 'aborted-convoy',
    entity: beadRef(bead.id),
    reason: 'its convoy was aborted, so it is not tried again',
    actions: [
      {
        type: 'transition_bead',
        bead: source.id,
        from: source.status,
        to: 'closed',
        closeReason: 'cancelled',
        evidence: { note: `not tried again: the convoy ${source.convoyId ?? ''} was aborted` },
      },
    ],
  });
};

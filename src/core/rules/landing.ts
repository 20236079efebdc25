import type { RigAction } from '../actions.ts';
import type { Bead } from '../model/bead.ts';
import { featureBranchName } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import { beadRef } from '../refs.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * A landing bead has its work on the feature branch already. Once that branch is checked its merge request goes in line
 * for the rig's target, where the train tests it on the combined tree like any other.
 */
export const startLanding: RigRule = (view, id) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.kind !== 'landing' || bead.status !== 'open' || bead.convoyId === null) return NOTHING;
  const feature = view.feature(featureBranchName(bead.convoyId));
  if (feature === null || feature.state !== 'ready' || feature.headSha === null) return NOTHING;
  return act({
    rule: 'landing',
    entity: beadRef(bead.id),
    reason: `${feature.branch} is whole at ${feature.headSha}`,
    actions: [
      { type: 'transition_bead', bead: bead.id, from: 'open', to: 'in_review' },
      { type: 'create_review', source: bead.id, head: feature.headSha, branch: feature.branch },
    ],
  });
};

/**
 * Gives one landing up for good: the merge request fails with its source, and the convoy decides whether another one
 * may follow. The feature branch stays as it is, so nothing of the work is lost.
 */
export function failLanding(
  view: RigView,
  given: { readonly review: ReviewFacts; readonly landing: Bead; readonly why: string },
): readonly RigAction[] {
  const { review, landing, why } = given;
  const mergeRequest = view.bead(review.beadId);
  if (mergeRequest === null || (mergeRequest.status !== 'open' && mergeRequest.status !== 'in_progress')) return [];
  const evidence = { note: why };
  const end = { to: 'failed', closeReason: 'merge_failed', evidence } as const;
  return [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'ended',
      job: null,
      heldReason: why,
    },
    { type: 'transition_bead', bead: mergeRequest.id, from: mergeRequest.status, ...end },
    { type: 'transition_bead', bead: landing.id, from: 'in_review', ...end },
  ];
}

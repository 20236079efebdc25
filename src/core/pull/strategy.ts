import type { MergeStrategy } from '../model/review.ts';
import type { RigView } from '../view.ts';

/**
 * How work for this branch is merged. A convoy's feature branch is the town's own: beads land in it through the train, and
 * what lands it on the rig's branch is one pull request.
 */
export const strategyFor = (view: RigView, target: string): MergeStrategy =>
  view.feature(target) === null ? (view.config().merging?.strategy ?? 'direct') : 'direct';

import type { Bead } from './model/bead.ts';
import { featureBranchName } from './model/feature.ts';
import type { RigView } from './view.ts';
import { whyRevert } from './why-revert.ts';

export interface FeatureSentence {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string;
  readonly wakeAtMs: number | null;
}

/** What an open bead waits for that merges into a convoy's feature branch, lands it, or takes it back; null when that is in order. */
export function whyFeature(view: RigView, bead: Bead): FeatureSentence | null {
  const revert = whyRevert(view, bead);
  if (revert !== null) return revert;
  const { kind, convoyId, targetBranch } = bead;
  const feature = view.feature(kind === 'landing' && convoyId !== null ? featureBranchName(convoyId) : targetBranch);
  if (feature === null || feature.state === 'ready') return null;
  const { branch } = feature;
  switch (feature.state) {
    case 'staged':
      return {
        sentence: `Its convoy ${feature.convoyId} has not started; it merges into ${branch}.`,
        rule: 'convoy',
        next: `Run "gt convoy start ${feature.convoyId}".`,
        wakeAtMs: null,
      };
    case 'lost':
      return {
        sentence: `The feature branch ${branch} can't be used: ${feature.reason ?? 'it is not on the origin'}`,
        rule: 'feature-branch',
        next: `Mend it on the origin; its last known good commit is ${feature.headSha ?? 'unknown'}. It is looked at again by itself.`,
        wakeAtMs: feature.retryAtMs,
      };
    default:
      return {
        sentence: `The feature branch ${branch} is being ${feature.headSha === null ? 'made' : 'checked'} on the origin.`,
        rule: 'feature-branch',
        next: 'The answer of the runner.',
        wakeAtMs: null,
      };
  }
}

/** An ended bead that goes on as another one says so. */
export const reopenedText = <T extends { readonly sentence: string; readonly next: string | null }>(
  bead: Bead,
  text: T,
): T =>
  bead.reopenedAs === null
    ? text
    : {
        ...text,
        sentence: `${text.sentence} Reopened as ${bead.reopenedAs}.`,
        next: `See "gt why ${bead.reopenedAs}".`,
      };

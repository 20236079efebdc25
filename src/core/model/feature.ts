import type { ConvoyId, Sha } from './ids.ts';

/**
 * Where a convoy's feature branch stands in one rig. `staged`: named, nobody needs it yet. `wanted`: must be there, and
 * nobody has looked. `checking`: the runner makes or checks it. `ready`: on the origin with all that was merged into it.
 * `lost`: it can't be put back without a person; it is looked at again by itself.
 */
export const FEATURE_STATES = ['staged', 'wanted', 'checking', 'ready', 'lost'] as const;
export type FeatureState = (typeof FEATURE_STATES)[number];

/** The branch that the beads of one convoy merge into, in one rig. Desired state: the origin is made to agree with it. */
export interface Feature {
  readonly branch: string;
  readonly convoyId: ConvoyId;
  readonly state: FeatureState;
  /** Last known good commit: holds all that was merged into the branch. Null until it was made. */
  readonly headSha: Sha | null;
  /** Key of the check that is under way; another result is late. */
  readonly stepKey: string | null;
  /** Why it is lost. */
  readonly reason: string | null;
  readonly retryAtMs: number | null;
  /** A person was told. */
  readonly escalated: boolean;
  readonly version: number;
}

/** One name for life, computed: a second try finds the first one's branch. Prefixes of rigs are never `hq`. */
export const featureBranchName = (convoy: ConvoyId): string => `gt/${convoy}`;

import type { BeadId, ConvoyId, RigName } from './ids.ts';

/**
 * `creating`: rigs have not all acknowledged their beads. `staged`: complete, not started. `active`: beads run.
 * `ready_to_land`: every bead ended well enough for the policy. `landed`, `failed`, `cancelled` are terminal.
 */
export const CONVOY_STATUSES = [
  'creating',
  'staged',
  'active',
  'ready_to_land',
  'landed',
  'failed',
  'cancelled',
] as const;
export type ConvoyStatus = (typeof CONVOY_STATUSES)[number];

export const MERGE_MODES = ['review-and-merge', 'review-then-land'] as const;
export type MergeMode = (typeof MERGE_MODES)[number];

export const FAILURE_POLICIES = ['hold', 'skip', 'abort'] as const;
export type FailurePolicy = (typeof FAILURE_POLICIES)[number];

/** State of one bead as the town knows it: live until the rig reports its end. */
export const CONVOY_BEAD_STATUSES = ['creating', 'live', 'closed', 'failed', 'cancelled'] as const;
export type ConvoyBeadStatus = (typeof CONVOY_BEAD_STATUSES)[number];

export const REVERTED = ['running', 'done', 'failed'] as const;

export interface Convoy {
  readonly id: ConvoyId;
  readonly title: string;
  readonly status: ConvoyStatus;
  readonly mergeMode: MergeMode;
  readonly onFailure: FailurePolicy;
  readonly startWhenReady: boolean;
  /** Mode review-then-land: the branch that its beads merge into, the same name in each rig. */
  readonly featureBranch: string | null;
  /** Rigs in the order in which they land; rigs that are not named come after them, as they appear in the plan. */
  readonly landingOrder: readonly string[];
  readonly totalBeads: number;
  readonly closedBeads: number;
  readonly failedBeads: number;
  readonly cancelledBeads: number;
  readonly createdBy: string;
  readonly reason: string | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly landedAtMs: number | null;
  /** What became of taking it back; null: nobody asked for that. */
  readonly reverted: (typeof REVERTED)[number] | null;
}

export interface ConvoyBead {
  readonly convoyId: ConvoyId;
  readonly position: number;
  readonly rig: RigName;
  readonly beadId: BeadId | null;
  readonly title: string;
  readonly status: ConvoyBeadStatus;
  /** Positions in the same convoy that come first. */
  readonly dependsOn: readonly number[];
  readonly mergeSha: string | null;
  /** The branch it was merged into. */
  readonly mergeTarget: string | null;
  readonly closeReason: string | null;
  /** 0: it came with the convoy; later additions count from 1 and are taken or refused as a whole. */
  readonly batch: number;
  /** It existed before it joined: it leaves instead of being cancelled when its joining fails. */
  readonly adopted: boolean;
  /** Its rig was told to let it run. */
  readonly started: boolean;
}

/** Beads that join a convoy later, all or none of them. `pending` until every rig has answered. */
export interface ConvoyAddition {
  readonly batch: number;
  readonly state: 'pending' | 'done' | 'refused';
  readonly reason: string | null;
}

export const isConvoyEnded = (status: ConvoyStatus): boolean =>
  status === 'landed' || status === 'failed' || status === 'cancelled';

/** Landed without some of its beads: they failed or were cancelled, and the policy lets the rest land. */
export const landedPartially = (convoy: Convoy): boolean =>
  convoy.status === 'landed' && convoy.closedBeads < convoy.totalBeads;

/** How a bead of another rig is named before that rig has minted it. */
export const convoyBeadRef = (convoy: ConvoyId, position: number): string => `${convoy}/${String(position)}`;

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

export interface Convoy {
  readonly id: ConvoyId;
  readonly title: string;
  readonly status: ConvoyStatus;
  readonly mergeMode: MergeMode;
  readonly onFailure: FailurePolicy;
  readonly startWhenReady: boolean;
  readonly totalBeads: number;
  readonly closedBeads: number;
  readonly failedBeads: number;
  readonly cancelledBeads: number;
  readonly createdBy: string;
  readonly reason: string | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly landedAtMs: number | null;
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
  readonly closeReason: string | null;
}

/** How a bead of another rig is named before that rig has minted it. */
export const convoyBeadRef = (convoy: ConvoyId, position: number): string => `${convoy}/${String(position)}`;

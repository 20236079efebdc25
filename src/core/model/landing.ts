import type { BeadId, ConvoyId, RigName } from './ids.ts';

/**
 * Where the landing of a convoy in one rig stands. `waiting`: its turn or its wait has not come. `ordered`: one merge
 * request is under way. `failed`: that one was given up and nobody has decided yet. `landed`: on the target. `nothing`:
 * no bead changed anything in this rig.
 */
export const LANDING_STATES = ['waiting', 'ordered', 'failed', 'landed', 'nothing'] as const;
export type LandingState = (typeof LANDING_STATES)[number];

/** One rig's part of landing a convoy: rigs go one after the other, in order of position. */
export interface ConvoyLanding {
  readonly convoyId: ConvoyId;
  readonly position: number;
  readonly rig: RigName;
  readonly state: LandingState;
  /** How many landings were ordered; 0 before the first. */
  readonly attempt: number;
  /** The landing bead of the present or last attempt. */
  readonly beadId: BeadId | null;
  readonly mergeSha: string | null;
  /** The branch it is to land on, once its rig has said so. */
  readonly target: string | null;
  /** Not tried again before. */
  readonly notBeforeMs: number;
  /** Why the last attempt failed, or why none is made now (`removedText`). */
  readonly reason: string | null;
}

/** Nothing of a rig that was removed can be merged; its feature branch stays where it is. */
export const removedText = (rig: string): string => `the rig ${rig} was removed before the convoy landed there`;

export const hasLanded = (landing: ConvoyLanding): boolean => landing.state === 'landed' || landing.state === 'nothing';

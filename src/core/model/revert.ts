import type { BeadId, ConvoyId, RigName, Sha } from './ids.ts';

/**
 * How far the making of a revert is. `wanted`: not ordered yet. `making`: the runner undoes the commits. `made`: its
 * branch is there, and the merge request follows. `conflict`: it can't be made without judgement. `agent`: given to an
 * agent for that reason. `nothing`: the target has nothing left of it.
 */
export const REVERT_STATES = ['wanted', 'making', 'made', 'conflict', 'agent', 'nothing'] as const;
export type RevertState = (typeof REVERT_STATES)[number];

/** By which merge request a commit came to the target, and what was merged with it. */
export interface LandedCommit {
  readonly sha: string;
  readonly mergeRequest: string;
  readonly head: string;
}

/** What a rig knows of the revert that one of its beads is for. */
export interface Revert {
  readonly beadId: BeadId;
  readonly convoyId: ConvoyId;
  /** Merge commits on the target that are to be undone. */
  readonly commits: readonly string[];
  /** Those of them that this rig's own merge requests brought; what is put away long ago is not among them. */
  readonly landed: readonly LandedCommit[];
  readonly state: RevertState;
  /** Key of the job whose answer it waits for. */
  readonly stepKey: string | null;
  readonly headSha: Sha | null;
  /** Why it could not be made by itself, or why there is nothing to do. */
  readonly reason: string | null;
  readonly version: number;
}

/** `failed`: its bead was given up or cancelled; asking again makes another one. `nothing`: it was undone already. */
export const CONVOY_REVERT_STATES = ['ordered', 'reverted', 'nothing', 'failed'] as const;
export type ConvoyRevertState = (typeof CONVOY_REVERT_STATES)[number];

/** The revert of what a convoy landed on one branch of one rig, as the town knows it. */
export interface ConvoyRevert {
  readonly convoyId: ConvoyId;
  readonly rig: RigName;
  readonly target: string;
  /** How often it was asked for after the one before had failed; counts from 1. */
  readonly attempt: number;
  readonly state: ConvoyRevertState;
  /** Null until its rig has made the bead. */
  readonly beadId: BeadId | null;
  readonly mergeSha: string | null;
  /** How it failed. */
  readonly reason: string | null;
}

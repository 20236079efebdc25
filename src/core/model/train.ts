import type { GateRun } from '../facts.ts';
import type { BeadId, Sha } from './ids.ts';

/**
 * Whether the merge train of a target takes entries. `red`: the target itself fails its gates, so nobody's work is blamed
 * until it is mended. `paused`: a person said so.
 */
export const TRAIN_STATES = ['running', 'paused', 'red'] as const;
export type TrainState = (typeof TRAIN_STATES)[number];

/** What became of entries and runs of gates lately, in thousandths; older ones weigh less. */
export interface TrainStats {
  readonly entries: number;
  /** Entries that were given back because their gates are red. */
  readonly bad: number;
  readonly runs: number;
  /** Red runs of something that passed when it was run again. */
  readonly flakes: number;
}

export const NO_STATS: TrainStats = { entries: 0, bad: 0, runs: 0, flakes: 0 };

/** The merge train of one target branch. */
export interface Train {
  readonly target: string;
  readonly state: TrainState;
  readonly reason: string | null;
  readonly changedBy: string;
  readonly changedAtMs: number;
  /** The target's tree that was red; null while it is not known to be. */
  readonly redTree: string | null;
  /** State `red`: when it is tried again. */
  readonly retryAtMs: number | null;
  readonly stats: TrainStats;
  readonly escalated: boolean;
  readonly version: number;
}

/** True while the target is known to fail its gates by itself, also behind a pause. */
export const isTargetKnownRed = (train: Pick<Train, 'state' | 'redTree'>): boolean =>
  train.state === 'red' || (train.state === 'paused' && train.redTree !== null);

/** A train that takes nothing, and how many in line wait behind it. */
export interface StoppedTrain extends Pick<Train, 'target' | 'state' | 'reason' | 'changedBy' | 'changedAtMs'> {
  readonly waiting: number;
}

export const newTrain = (target: string): Train => ({
  target,
  state: 'running',
  reason: null,
  changedBy: 'system',
  changedAtMs: 0,
  redTree: null,
  retryAtMs: null,
  stats: NO_STATS,
  escalated: false,
  version: 0,
});

/** One entry of a list that is tested together: the commit that merges it onto those before it. */
export interface MergedEntry {
  readonly mergeRequest: BeadId;
  readonly candidate: Sha;
  readonly tree: string;
}

/** `killed`: something else ended its gates, which says nothing about the work. */
export const PROBE_STATES = ['running', 'green', 'red', 'killed'] as const;
export type ProbeState = (typeof PROBE_STATES)[number];

/** A run of the gates on one list of a round; without entries it is the untouched target. */
export interface Probe {
  /** Of its job. */
  readonly key: string;
  readonly leader: BeadId;
  readonly entries: readonly MergedEntry[];
  /** Target commit that the list was made on. */
  readonly targetSha: Sha;
  readonly commit: Sha;
  readonly tree: string;
  readonly state: ProbeState;
  /** The gate that was not green. */
  readonly run: GateRun | null;
  /** It was known to pass; nothing ran. */
  readonly cached: boolean;
}

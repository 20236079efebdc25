/**
 * `healthy`: answers, gets work. `suspect`: its line is cut or it missed a question; nothing new is given to it. `down`:
 * three questions missed in a row. `draining`: answers, takes nothing new.
 */
export const RUNNER_STATES = ['healthy', 'suspect', 'down', 'draining'] as const;
export type RunnerState = (typeof RUNNER_STATES)[number];

/** The runner beside the daemon: it has the town's own secrets, is never registered and never removed. */
export const LOCAL_RUNNER = 'local';

/** A runner as rigs know it: enough to choose one. */
export interface RunnerFacts {
  readonly id: string;
  /** Process that answered last; a new one proves that all agents of the former are gone. */
  readonly instance: string | null;
  readonly state: RunnerState;
  /** Agents of one rig at once; null: no limit but the rig's own. */
  readonly capacity: number | null;
  readonly labels: readonly string[];
}

/** A row of the town's `runners`. */
export interface Runner extends RunnerFacts {
  /** Where the town calls it; null: it dials in, or it is the local one. */
  readonly url: string | null;
  readonly lastSeenAtMs: number | null;
  readonly versions: Readonly<Record<string, string>>;
  /** What people want: it stays so over cuts and restarts. */
  readonly draining: boolean;
  /** When those that still run there are stopped; null: they take their time. */
  readonly drainUntilMs: number | null;
  readonly createdAtMs: number;
  /** A token was made that has not been used yet; the old one works until then. */
  readonly rotating: boolean;
}

/**
 * What only people can mend at a runner, told once while it lasts. `twin`: two processes show its token. `clock`: its time is
 * another than ours. `facts`: the town can't read something that it reports.
 */
export const RUNNER_TROUBLES = ['twin', 'clock', 'facts'] as const;
export type RunnerTrouble = (typeof RUNNER_TROUBLES)[number];

/** What a runner says of itself when it is met. */
export interface RunnerHello {
  readonly instance: string;
  readonly capacity: number | null;
  readonly labels: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
  /** What of it people must mend, in words. */
  readonly troubles?: Partial<Readonly<Record<RunnerTrouble, string>>>;
}

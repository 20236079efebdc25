import type { Caller } from '../core/commands.ts';
import type { AttemptFilter, AttemptPlace } from '../core/model/attempt-filter.ts';
import type { Runner, RunnerHello, RunnerState, RunnerTrouble } from '../core/model/runner.ts';

/** The version that a change is meant for. Errors of each that takes it: `stale`. */
export type Meant = Pick<Caller, 'ifMatch'>;

/** The registry of runners, as the API and the lines to runners use it. No secrets go through here, only the serials of tokens. */
export interface RunnerGateway {
  list(): Promise<readonly Runner[]>;
  /** Errors: `runner_not_found`. */
  get(id: string): Promise<Runner>;
  /** Agents that are at it now. */
  busy(id: string): Promise<number>;
  /** Errors: `runner_exists`. */
  add(runner: { readonly id: string; readonly url: string | null; readonly serial: string }): Promise<Runner>;
  /** Errors: `runner_not_found`, `local_runner`, `runner_has_work`. */
  remove(id: string, lost: boolean, meant?: Meant): Promise<void>;
  /** Errors: `runner_not_found`, `local_runner`. */
  rotate(id: string, serial: string, meant?: Meant): Promise<Runner>;
  /** `graceMs`: those that still run then are stopped. Errors: `runner_not_found`. */
  drain(id: string, on: boolean, meant?: Meant & { readonly graceMs?: number | null }): Promise<Runner>;
  /** Of the tokens that it may show; null for one that is not registered. */
  serials(id: string): Promise<{ readonly current: string; readonly next: string | null } | null>;
  /** The token that was made last was used. */
  rotated(id: string): Promise<void>;
  /** It answers now; null when it was removed meanwhile. */
  seen(id: string, hello: RunnerHello): Promise<Runner | null>;
  away(id: string, state: Extract<RunnerState, 'suspect' | 'down'>, reason: string): Promise<void>;
  /** People are told once while it lasts, and that it is over when `text` is null. */
  troubled(id: string, trouble: RunnerTrouble, text: string | null): Promise<void>;
  /**
   * The process whose line is kept while people are told that two show its token: the one that was met last, until it is
   * down. Null: whoever comes gets it.
   */
  keptFor(id: string): Promise<string | null>;
  /** Attempts of all rigs, or of one, newest first, at most `limit`. Errors: `rig_not_found`. */
  attempts(filter: AttemptFilter, limit: number): Promise<readonly AttemptPlace[]>;
  /** Where an attempt is. */
  ofAttempt(attempt: string): Promise<string>;
}

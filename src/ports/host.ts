import type { Capability, MayorCapability } from '../core/queries.ts';
import type { RefusedSettings } from '../core/refused-settings.ts';
import type { RunnerTrouble } from '../core/runner-trouble.ts';
import type { Alarm } from './alarm.ts';
import type { Clock } from './clock.ts';
import type { Forge } from './forge.ts';
import type { Random } from './ids.ts';
import type { Log } from './log.ts';
import type { Notifier } from './notifier.ts';
import type { RunnerClient } from './runner-client.ts';
import type { Snapshots } from './snapshots.ts';
import type { Sql } from './sql.ts';

/** `town`, `mayor` or `rig/<name>`: one single-writer actor each, with its own database and alarm. */
export type ActorAddress = string;

/** The lines to runners on other machines. */
export interface RunnerLines {
  client(id: string): RunnerClient | null;
  /** Its registration was made, changed or taken away: who keeps lines looks at it now, not at intervals. */
  readonly changed?: (id: string) => void;
}

/** Everything an actor may touch besides its own state. A host makes it; tests and the simulator replace parts. */
export interface HostPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runner: RunnerClient;
  /** False on a host that starts no runner of its own. Missing: true. */
  readonly hasLocalRunner?: boolean | undefined;
  /** Runners on other machines, by name; null while one has no line. Without it there are none. */
  readonly runners?: RunnerLines | undefined;
  /** The way to people outside; without it such routes are off. */
  readonly notifier?: Notifier | undefined;
  /** Settings that the town's file has and that are not in force; null: there are none. Missing: as null. */
  readonly refusedSettings?: (() => RefusedSettings | null) | undefined;
  /** Why the runner that this host starts does not come up; null: it does, as far as is known. Missing: as null. */
  readonly runnerTrouble?: (() => RunnerTrouble | null) | undefined;
  /** The way to code hosts with pull requests; without it no rig can use them. */
  readonly forge?: Forge | undefined;
  /** The database of one actor; opened once per actor and process. */
  openSql(address: ActorAddress): Sql;
  /** False where an actor has no database yet and none may be made (a town that is only read). Missing: always true. */
  readonly hasSql?: ((address: ActorAddress) => boolean) | undefined;
  /** The wake-up of one actor; `onAlarm` runs when it is due and must not throw. */
  openAlarm(address: ActorAddress, onAlarm: () => void): Alarm;
  /** Runs `work` after the present event-loop turn, so that everything asked in one turn shares one commit. */
  defer(work: () => void): void;
  /** Runs `work` after `delayMs`; the answer cancels it. For deadlines of waiting callers, never for state. */
  after(delayMs: number, work: () => void): () => void;
  /** Signs what an attempt may do; the agent shows it on every call. */
  mintCapability(capability: Capability | MayorCapability): Promise<string>;
  /** Copies of databases for replay; without it all history is kept. */
  readonly snapshots?: Snapshots | undefined;
  /** True on a host that never takes any: history goes by its age alone. */
  readonly takesNoSnapshots?: boolean | undefined;
  /**
   * What the safety net does when it rings; by default it looks at everything live. `blind`: at nothing, so that only
   * what was touched and what is due is looked at. `always`: every turn looks at everything live. Histories must come to
   * the same end either way; tests hold them against each other.
   */
  readonly safetyNet?: 'blind' | 'always' | undefined;
  /** Effects of one actor in flight at once; the default suits the narrowest host. */
  readonly effectsInFlightMax?: number | undefined;
  /** Called after each committed turn: where a development host checks the invariants. */
  readonly afterTurn?: ((address: ActorAddress, sql: Sql) => void) | undefined;
  /**
   * Called with `<effect key>:before` and `<effect key>:after` around the effects of an actor (`start:<attempt>`,
   * `job:push:…`, `message:…`); tests use it to kill the process in a known phase.
   */
  readonly probe?: ((phase: string) => void) | undefined;
}

import type { RigConfig } from '../core/commands.ts';
import type { RigName } from '../core/model/ids.ts';
import type { MayorConfig } from '../core/model/mayor.ts';
import type { RefusedSettings } from '../core/refused-settings.ts';
import type { RunnerTrouble } from '../core/runner-trouble.ts';
import type { KernelStore } from '../store/kernel-store.ts';
import type { Asked, AskedMayor, AskedRig } from './asked.ts';
import type { TownActor } from './town/town-actor.ts';

/**
 * The actors of one town by name, for whoever speaks for the whole town. The town's own actor is always here; rigs and
 * the mayor may be in other processes.
 */
export interface TownActors {
  readonly town: TownActor;
  /** True in a process that reads beside the daemon, or without one. */
  readonly readOnly: boolean;
  /** Missing on a host whose settings are checked before they are written, and nobody edits. */
  readonly refusedSettings?: () => RefusedSettings | null;
  /** Missing on a host that starts no runner of its own. */
  readonly runnerTrouble?: () => RunnerTrouble | null;
  /** Null in a town that is only read and never had one. */
  readonly mayor: AskedMayor | null;
  open(): Promise<void>;
  close(): void;
  /** Re-arms alarms that were lost. */
  wakeAll(): void;
  /** Registers a rig, or gives it new settings. Errors: those of `putRig`. */
  configureRig(config: RigConfig): Promise<void>;
  /** Its actor ends; its database stays. False while a message to it is on its way; then nothing was changed. */
  removeRig(name: RigName): Promise<boolean>;
  configureMayor(config: MayorConfig | null): Promise<void>;
  /** Those that have their settings. The same object for the same rig. */
  rigs(): readonly AskedRig[];
  rig(name: string): AskedRig | null;
  rigByPrefix(prefix: string): AskedRig | null;
  all(): readonly { readonly address: string; readonly kernel: Asked<KernelStore> }[];
}

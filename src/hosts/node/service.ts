import type { Budget } from '../../core/budget.ts';
import type { RigConfig } from '../../core/commands.ts';
import type { MayorConfig } from '../../core/model/mayor.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';

export interface ServiceOptions {
  readonly id: string;
  readonly name: string;
  readonly ports: HostPorts;
  /** Reads only: no alarms, no effects, no migrations. */
  readonly readOnly: boolean;
}

/** The brain as its host sees it: the gateway of the HTTP application, and its life cycle. */
export interface TownRuntime extends TownGateway {
  /** Opens the actors, goes on with whatever was under way, and applies the rigs' settings. */
  start(rigs: readonly RigConfig[], budgets?: readonly Budget[]): Promise<void>;
  /** Finishes the turn that runs and takes no more. */
  stop(): Promise<void> | void;
  /** A runner of this instance answers now. */
  runnerChanged(instance: string): Promise<void>;
  /** Whether `configure` would take these rigs; nothing changes. Errors: `prefix_fixed`, `prefix_taken`. */
  mustTake(rigs: readonly RigConfig[]): void;
  configure(rigs: readonly RigConfig[], budgets?: readonly Budget[]): Promise<void>;
  /** Null: this town has no mayor. Kept until it is set anew. */
  configureMayor(config: MayorConfig | null): Promise<void>;
  /** Sets the alarms again; cheap, for an alarm that was lost. */
  rearm(): void;
}

export type ServiceFactory = (options: ServiceOptions) => TownRuntime;

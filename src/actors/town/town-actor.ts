import type { Caller, CreateConvoy, RigConfig } from '../../core/commands.ts';
import type { ConvoyId } from '../../core/model/ids.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import { KernelStore, type OutboxRow } from '../../store/kernel-store.ts';
import { Actor } from '../kernel/actor.ts';
import type { EffectOutcome } from '../kernel/program.ts';
import { TownCommands } from './town-commands.ts';
import { TOWN_ADDRESS, TownProgram } from './town-program.ts';

/** The town: its actor, and what may be asked of it. */
export class TownActor {
  readonly actor: Actor;
  readonly program: TownProgram;
  readonly kernel: KernelStore;
  readonly #commands: TownCommands;

  constructor(options: {
    readonly ports: HostPorts;
    readonly sql: Sql;
    readonly deliver: (row: OutboxRow) => Promise<EffectOutcome>;
  }) {
    this.program = new TownProgram(options.sql, options.ports, options.deliver);
    this.kernel = new KernelStore(options.sql);
    this.#commands = new TownCommands(options.sql, this.program, options.ports.random);
    this.actor = new Actor({ address: TOWN_ADDRESS, ports: options.ports, sql: options.sql, program: this.program });
  }

  putRig(config: RigConfig): Promise<void> {
    return this.actor.ask((turn) => {
      this.#commands.putRig(turn, config);
    });
  }

  createConvoy(input: CreateConvoy, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => this.#commands.createConvoy(turn, input, caller));
  }

  startConvoy(id: ConvoyId, caller: Caller): Promise<string> {
    return this.actor.command(caller.idempotencyKey, (turn) => this.#commands.startConvoy(turn, id, caller));
  }
}

import type { Asked, AskedMayor, AskedRig } from '../../actors/asked.ts';
import { named } from '../../actors/kernel/named.ts';
import type { EffectOutcome } from '../../actors/kernel/program.ts';
import type { TownActors } from '../../actors/town-actors.ts';
import { TownActor } from '../../actors/town/town-actor.ts';
import { rigAddress, TOWN_ADDRESS } from '../../actors/town/town-context.ts';
import type { RigConfig } from '../../core/commands.ts';
import type { RigName } from '../../core/model/ids.ts';
import { MAYOR_ADDRESS, type MayorConfig } from '../../core/model/mayor.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { Sql } from '../../ports/sql.ts';
import type { KernelStore, OutboxRow } from '../../store/kernel-store.ts';
import type { DurableStorage } from './durable.ts';
import { remote, type Ask } from './rpc.ts';

/** The actors of a town that are objects of their own, as the town's object sees them; its own actor is here. */
export class ObjectActors implements TownActors {
  readonly readOnly = false;
  readonly town: TownActor;
  readonly mayor: AskedMayor;
  readonly #ports: HostPorts;
  readonly #kv: DurableStorage['kv'];
  readonly #askOf: (address: string) => Ask;
  readonly #rigs = new Map<string, AskedRig>();
  readonly #mayorKernel: Asked<KernelStore>;

  constructor(options: {
    readonly ports: HostPorts;
    readonly sql: Sql;
    readonly kv: DurableStorage['kv'];
    readonly askOf: (address: string) => Ask;
    readonly deliver: (row: OutboxRow) => Promise<EffectOutcome>;
  }) {
    this.#ports = options.ports;
    this.#kv = options.kv;
    this.#askOf = options.askOf;
    this.town = named(
      new TownActor({
        ports: options.ports,
        sql: options.sql,
        deliver: options.deliver,
        askRig: async (name) => this.#get(name).health(),
      }),
    );
    this.mayor = remote<AskedMayor>(options.askOf(MAYOR_ADDRESS), { address: MAYOR_ADDRESS });
    this.#mayorKernel = this.mayor.kernel;
  }

  open(): Promise<void> {
    return this.town.actor.open();
  }

  /** The objects of the others go on by themselves. */
  close(): void {
    this.town.actor.close();
  }

  wakeAll(): void {
    this.town.actor.rearm();
  }

  async configureRig(config: RigConfig): Promise<void> {
    await this.town.putRig(config);
    await this.#configured(config.name);
  }

  async removeRig(name: RigName): Promise<boolean> {
    if (!(await this.town.removeRig(name))) return false;
    this.#rigs.delete(name);
    return true;
  }

  async configureMayor(config: MayorConfig | null): Promise<void> {
    await this.mayor.configure(config);
    const instance = this.#ports.runner.instance();
    if (instance !== null) await this.mayor.runnerChanged(instance);
  }

  rigs(): readonly AskedRig[] {
    return this.town.program.view.rigs().map((row) => this.#get(row.name));
  }

  rig(name: string): AskedRig | null {
    return this.town.program.view.rig(name) === null ? null : this.#get(name);
  }

  rigByPrefix(prefix: string): AskedRig | null {
    const row = this.town.program.view.rigByPrefix(prefix);
    return row === null ? null : this.#get(row.name);
  }

  all(): readonly { readonly address: string; readonly kernel: Asked<KernelStore> }[] {
    return [
      { address: TOWN_ADDRESS, kernel: this.town.kernel },
      { address: MAYOR_ADDRESS, kernel: this.#mayorKernel },
      ...this.rigs().map((rig) => ({ address: rig.address, kernel: rig.kernel })),
    ];
  }

  #get(name: string): AskedRig {
    const known = this.#rigs.get(name);
    if (known !== undefined) return known;
    const address = rigAddress(name);
    const ask = this.#askOf(address);
    const rig = remote<AskedRig>(
      async (path, args) => {
        await this.#configured(name);
        return ask(path, args);
      },
      { address, name },
    );
    this.#rigs.set(name, rig);
    return rig;
  }

  /**
   * Gives a rig the settings that the registry has, if it was not given just these: a crash between the registry and the
   * rig's own object would leave it without any.
   */
  async #configured(name: string): Promise<void> {
    const row = this.town.program.view.rig(name);
    if (row === null) return;
    const settings = JSON.stringify(row.config);
    const key = `settings:${name}`;
    if (this.#kv.get(key) === settings) return;
    const rig = remote<AskedRig>(this.#askOf(rigAddress(name)));
    await rig.configure(row.config);
    const instance = this.#ports.runner.instance();
    if (instance !== null) await rig.runnerChanged(instance);
    this.#kv.put(key, settings);
  }
}

import type { RigConfig } from '../core/commands.ts';
import type { RigName } from '../core/model/ids.ts';
import type { RigHealth } from '../core/model/health.ts';
import type { RefusedSettings } from '../core/refused-settings.ts';
import type { RunnerTrouble } from '../core/runner-trouble.ts';
import type { ActorAddress, HostPorts } from '../ports/host.ts';
import type { KernelStore, OutboxRow } from '../store/kernel-store.ts';
import { parseJson } from '../store/rows.ts';
import type { MayorConfig } from '../core/model/mayor.ts';
import { MAYOR_ADDRESS } from '../core/model/mayor.ts';
import type { Actor } from './kernel/actor.ts';
import { OUT_OF_ORDER, type Envelope } from './kernel/envelope.ts';
import { named } from './kernel/named.ts';
import type { EffectOutcome } from './kernel/program.ts';
import { MayorActor } from './mayor/mayor-actor.ts';
import { RigActor } from './rig/rig-actor.ts';
import type { TownActors } from './town-actors.ts';
import { TownActor } from './town/town-actor.ts';
import { rigAddress, TOWN_ADDRESS } from './town/town-context.ts';

/** All actors of one town in this process, by address, and the wire between them. */
export class LocalActors implements TownActors {
  #town: TownActor;
  #mayor: MayorActor | null;
  readonly #rigs = new Map<string, RigActor>();
  readonly #name: { readonly id: string; readonly name: string };
  readonly #ports: HostPorts;
  readonly #portsOf: (address: ActorAddress) => HostPorts;
  /** True in a process that reads beside the daemon, or without one. */
  readonly readOnly: boolean;

  /** `portsOf`: for a bench in which each actor has its own; in the field they share those of their process. */
  constructor(
    town: { readonly id: string; readonly name: string },
    ports: HostPorts,
    readOnly: boolean,
    portsOf: (address: ActorAddress) => HostPorts = () => ports,
  ) {
    this.#name = town;
    this.#ports = ports;
    this.#portsOf = portsOf;
    this.readOnly = readOnly;
    this.#town = this.#makeTown();
    this.#mayor = ports.hasSql?.(MAYOR_ADDRESS) === false ? null : this.#makeMayor();
  }

  refusedSettings(): RefusedSettings | null {
    return this.#ports.refusedSettings?.() ?? null;
  }

  runnerTrouble(): RunnerTrouble | null {
    return this.#ports.runnerTrouble?.() ?? null;
  }

  get town(): TownActor {
    return this.#town;
  }

  /** Null in a town that is only read and never had one. */
  get mayor(): MayorActor | null {
    return this.#mayor;
  }

  #makeTown(): TownActor {
    const ports = this.#portsOf(TOWN_ADDRESS);
    const sql = ports.openSql(TOWN_ADDRESS);
    return named(new TownActor({ ports, sql, deliver: this.#deliver, askRig: this.#askRig }));
  }

  #makeMayor(): MayorActor {
    const ports = this.#portsOf(MAYOR_ADDRESS);
    const sql = ports.openSql(MAYOR_ADDRESS);
    return named(new MayorActor({ ports, sql, town: this.#name, deliver: this.#deliver }));
  }

  /**
   * One actor ends and begins anew from its rows, as an object of another host does that was put away: what waited for it
   * is refused, and answers that were on their way to it count no more.
   */
  async reopen(address: ActorAddress): Promise<void> {
    const old = this.all().find((one) => one.address === address);
    if (old === undefined) throw new Error(`no actor ${address}`);
    old.actor.close();
    await this.#made(address).actor.open();
  }

  #made(address: ActorAddress): { readonly actor: Actor } {
    if (address === TOWN_ADDRESS) return (this.#town = this.#makeTown());
    if (address === MAYOR_ADDRESS) return (this.#mayor = this.#makeMayor());
    const row = this.town.program.view.rigs().find(({ name }) => rigAddress(name) === address);
    if (row === undefined) throw new Error(`no rig ${address}`);
    return this.#add(row.name, row.createdAtMs);
  }

  async open(): Promise<void> {
    if (!this.readOnly) {
      await this.town.actor.open();
      await this.mayor?.actor.open();
    }
    for (const row of this.town.program.view.rigs()) {
      const rig = this.#add(row.name, row.createdAtMs);
      if (!this.readOnly) await rig.actor.open();
    }
  }

  close(): void {
    for (const { actor } of this.all()) actor.close();
  }

  wakeAll(): void {
    for (const { actor } of this.all()) actor.rearm();
  }

  #add(name: string, createdAtMs: number): RigActor {
    const address = rigAddress(name);
    const ports = this.#portsOf(address);
    const rig = named(
      new RigActor({
        address,
        town: this.#name.id,
        ports,
        sql: ports.openSql(address),
        createdAtMs,
        deliver: this.#deliver,
      }),
    );
    this.#rigs.set(name, rig);
    return rig;
  }

  /** Town first: the registry owns names and prefixes; the rig learns its settings after its name is taken. */
  async configureRig(config: RigConfig): Promise<void> {
    await this.town.putRig(config);
    let rig = this.#rigs.get(config.name);
    if (rig === undefined) {
      rig = this.#add(config.name, this.town.program.view.rig(config.name)?.createdAtMs ?? this.#ports.clock.now());
      await rig.actor.open();
    }
    await rig.configure(config);
    const instance = this.#ports.runner.instance();
    if (instance !== null) await rig.runnerChanged(instance);
  }

  async removeRig(name: RigName): Promise<boolean> {
    if (!(await this.town.removeRig(name))) return false;
    this.#rigs.get(name)?.actor.close();
    this.#rigs.delete(name);
    return true;
  }

  async configureMayor(config: MayorConfig | null): Promise<void> {
    await this.mayor?.configure(config);
    const instance = this.#ports.runner.instance();
    if (instance !== null) await this.mayor?.runnerChanged(instance);
  }

  rigs(): readonly RigActor[] {
    return [...this.#rigs.values()].filter((rig) => rig.view.hasConfig());
  }

  rig(name: string): RigActor | null {
    return this.#rigs.get(name) ?? null;
  }

  rigByPrefix(prefix: string): RigActor | null {
    const row = this.town.program.view.rigByPrefix(prefix);
    return row === null ? null : this.rig(row.name);
  }

  all(): readonly { readonly address: string; readonly actor: Actor; readonly kernel: KernelStore }[] {
    return [
      { address: TOWN_ADDRESS, actor: this.town.actor, kernel: this.town.kernel },
      ...(this.mayor === null ? [] : [this.mayor]),
      ...this.#rigs.values(),
    ];
  }

  readonly #askRig = async (name: string): Promise<RigHealth> => {
    const rig = this.#rigs.get(name);
    if (rig === undefined) throw new Error('its actor is not open');
    rig.actor.rearm();
    return rig.health();
  };

  /** Hands a message to its receiver; done only after the receiver's commit. */
  readonly #deliver = async (row: OutboxRow): Promise<EffectOutcome> => {
    const envelope = parseJson<Envelope>(row.payload);
    const target = this.all().find((entry) => entry.address === envelope.to);
    // One that is not open yet will be; to a rig that was removed nothing is on its way.
    if (target === undefined) return { state: 'retry', error: `no actor ${envelope.to}` };
    const receipt = await target.actor.receive(envelope);
    return receipt === 'gap' ? OUT_OF_ORDER : { state: 'done' };
  };
}

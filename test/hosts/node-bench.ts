/** A town of one Node process for the bench: `LocalActors` on SQLite files in memory. */
import type { Actor } from '../../src/actors/kernel/actor.ts';
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import { LocalActors } from '../../src/actors/local-actors.ts';
import { TownService } from '../../src/actors/town-service.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import type { Sql } from '../../src/ports/sql.ts';
import { endOf, TownBench, type ActorEnd } from './bench.ts';
import type { Life } from './life.ts';
import { actorsOfLife, untilDeath } from './mortal.ts';
import { BenchTimers, BenchWorld, benchPorts, WatchedSql } from './world.ts';

export const TOWN = { id: 'town-hosts', name: 'hosts' };

interface Living {
  readonly life: Life;
  readonly ports: HostPorts;
}

export class NodeBench extends TownBench {
  readonly #databases = new Map<string, WatchedSql>();
  readonly #living = new Map<string, Living>();
  #actors: LocalActors;
  gateway: TownService;

  constructor(seed: number) {
    super(new BenchWorld(seed));
    [this.#actors, this.gateway] = this.#make();
  }

  #make(): [LocalActors, TownService] {
    const begins = (address: string): HostPorts => this.#begins(address).ports;
    const { ports } = this.#begins('process');
    const actors = new LocalActors(TOWN, ports, false, begins);
    return [actors, this.#service(actors)];
  }

  /** Speaks for the whole town, in the same object as its actor on the other host: it dies with it. */
  #service(actors: LocalActors): TownService {
    const { life, ports } = this.#living.get('town') ?? this.#begins('town');
    return untilDeath<TownService>(new TownService({ ...TOWN, ports, actors: actorsOfLife(actors, life) }), life);
  }

  #begins(address: string): Living {
    const { world } = this;
    const timers = new BenchTimers();
    world.timers.set(address, timers);
    const life = world.born(address);
    const ports: HostPorts = {
      ...benchPorts(world, { address, timers, life, soon: setImmediate }),
      openSql: (of) => {
        const sql = this.#databases.get(of) ?? this.#open(of);
        this.#databases.set(of, sql);
        return sql;
      },
    };
    const living = { life, ports };
    this.#living.set(address, living);
    return living;
  }

  #open(address: string): WatchedSql {
    const die = (): void => {
      this.#dies(address);
    };
    return new WatchedSql(SqliteSql.open(':memory:', { readOnly: false }), { world: this.world, address, die });
  }

  async start(rigs: readonly RigConfig[]): Promise<void> {
    await this.#actors.open();
    for (const rig of rigs) await this.ask(this.#actors.configureRig(rig));
    await this.settle();
  }

  /** What is on its disk. */
  databases(): ReadonlyMap<string, Sql> {
    return this.#databases;
  }

  protected breath(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  /** All calls are in this process: they arrive before anything else happens. */
  protected async arrivals(): Promise<void> {
    do await this.breath();
    while (this.world.opening > 0);
  }

  protected ring(address: string): Promise<void> {
    this.world.timers.get(address)?.fire(this.world.nowMs);
    return Promise.resolve();
  }

  /** As the registry has it. */
  rigConfig(name: string): RigConfig | null {
    return this.#actors.town.view.rig(name)?.config ?? null;
  }

  receive(envelope: Envelope): Promise<Receipt> {
    const target = this.#actor(envelope.to);
    if (target === undefined) throw new Error(`no actor ${envelope.to}`);
    return target.receive(envelope);
  }

  protected addresses(): readonly string[] {
    return this.#actors.all().map(({ address }) => address);
  }

  protected giveTurn(address: string): Promise<void> {
    this.#living.get(address)?.life.takeTurn();
    return Promise.resolve();
  }

  #dies(address: string): void {
    this.#actor(address)?.close();
    this.world.diedAlone(address);
  }

  protected kill(address: string): Promise<void> {
    this.#dies(address);
    return Promise.resolve();
  }

  protected async revive(address: string): Promise<void> {
    await this.#actors.reopen(address);
    if (!address.startsWith('rig/')) this.gateway = this.#service(this.#actors);
  }

  protected wake(address: string): Promise<void> {
    this.#actor(address)?.wake();
    return Promise.resolve();
  }

  #actor(address: string): Actor | undefined {
    return this.#actors.all().find((one) => one.address === address)?.actor;
  }

  async crash(): Promise<void> {
    this.#actors.close();
    this.world.died();
    [this.#actors, this.gateway] = this.#make();
    await this.#actors.open();
  }

  ends(): Promise<readonly ActorEnd[]> {
    return Promise.resolve(
      [...this.#databases].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([address, sql]) => endOf(address, sql)),
    );
  }
}

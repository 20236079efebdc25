/** A town of one Node process for the bench: `LocalActors` on SQLite files in memory. */
import type { Actor } from '../../src/actors/kernel/actor.ts';
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import { LocalActors } from '../../src/actors/local-actors.ts';
import { TownService } from '../../src/actors/town-service.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import type { Sql } from '../../src/ports/sql.ts';
import { BenchTimers, BenchWorld, benchPorts, endOf, TownBench, WatchedSql, type ActorEnd } from './bench.ts';

/** All actors of a Node process share its timers. */
const PROCESS = 'process';
export const TOWN = { id: 'town-hosts', name: 'hosts' };

export class NodeBench extends TownBench {
  readonly #databases = new Map<string, WatchedSql>();
  /** Whose turn it is: chance is drawn from the stream of that actor. */
  #speaker = 'town';
  #actors: LocalActors;
  gateway: TownService;

  constructor(seed: number) {
    super(new BenchWorld(seed));
    [this.#actors, this.gateway] = this.#make();
  }

  #make(): [LocalActors, TownService] {
    const timers = new BenchTimers();
    this.world.timers.set(PROCESS, timers);
    const ports: HostPorts = {
      ...benchPorts(this.world, { timers, life: this.world.born(PROCESS), soon: setImmediate }),
      random: { bytes: (count) => this.world.bytes(this.#speaker, count) },
      openSql: (address) => {
        const sql = this.#databases.get(address) ?? this.#open(address);
        this.#databases.set(address, sql);
        return sql;
      },
    };
    const actors = new LocalActors(TOWN, ports, false);
    return [actors, new TownService({ ...TOWN, ports, actors })];
  }

  #open(address: string): WatchedSql {
    return new WatchedSql(SqliteSql.open(':memory:', { readOnly: false }), { world: this.world, address }, (work) => {
      const before = this.#speaker;
      this.#speaker = address;
      try {
        return work();
      } finally {
        this.#speaker = before;
      }
    });
  }

  async start(rigs: readonly RigConfig[]): Promise<void> {
    await this.#actors.open();
    for (const rig of rigs) await this.#actors.configureRig(rig);
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

  protected ring(): Promise<void> {
    this.world.timers.get(PROCESS)?.fire(this.world.nowMs);
    return Promise.resolve();
  }

  /** As the registry has it. */
  rigConfig(name: string): RigConfig | null {
    return this.#actors.town.view.rig(name)?.config ?? null;
  }

  receive(envelope: Envelope): Promise<Receipt> {
    const target = [this.#actors.town, ...this.#actors.rigs()].find(
      (one) => ('address' in one ? one.address : 'town') === envelope.to,
    );
    if (target === undefined) throw new Error(`no actor ${envelope.to}`);
    return Promise.resolve('receive' in target ? target.receive(envelope) : target.actor.receive(envelope));
  }

  protected addresses(): readonly string[] {
    return this.#actors.all().map(({ address }) => address);
  }

  protected async reopen(address: string): Promise<void> {
    await this.#actor(address)?.open();
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

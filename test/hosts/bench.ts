/**
 * A whole town on virtual time, on whichever host: its actors, a runner that does what the test says, and clocks and
 * alarms that the test moves. The same stories are told to both, so nothing here knows a host.
 */
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { TownGateway } from '../../src/ports/town-gateway.ts';
import { dumpTable, tableNames, type TableDump } from '../../src/store/table-dump.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../../src/ports/sql.ts';
import { FakeRunner } from '../support/fake-runner.ts';

/** The state of one actor at the end, as plain rows. */
export interface ActorEnd {
  readonly address: string;
  readonly tables: readonly TableDump[];
}

/** What a town cost so far, counted where it happens. */
export interface Counts {
  statements: number;
  rowsRead: number;
  rowsWritten: number;
  /** Calls to objects, from the Worker and from each other. */
  requests: number;
  /** Alarms that rang, and those that were set anew: each is a row for the platform. */
  alarms: number;
  alarmsSet: number;
}

/** Time, chance and the runner of one town; shared by its actors, kept over their deaths. */
export class BenchWorld {
  nowMs = 1_000_000_000_000;
  readonly runner: FakeRunner = new FakeRunner(() => this.nowMs);
  /** By actor, or by process. An actor that was made anew takes the place of its former life. */
  readonly timers = new Map<string, BenchTimers>();
  /** Turns so far: while it stands still and nothing is under way, the town is quiet. */
  turns = 0;
  /** Effects under way. */
  flights = 0;
  readonly counts: Counts = { statements: 0, rowsRead: 0, rowsWritten: 0, requests: 0, alarms: 0, alarmsSet: 0 };
  /** By actor: until when its disk takes nothing, so that every turn of it throws, those of its alarm too. */
  readonly failingUntilMs = new Map<string, number>();
  #life = 0;
  readonly #seed: number;
  readonly #streams = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Everybody died: what was under way is lost. */
  died(): void {
    this.#life += 1;
    this.flights = 0;
    this.timers.clear();
    this.failingUntilMs.clear();
  }

  /** Watches the effects of one life. */
  probe(): (phase: string) => void {
    const life = this.#life;
    return (phase) => {
      if (life === this.#life) this.flights += phase.endsWith(':before') ? 1 : -1;
    };
  }

  /** Chance of one actor: the same on both hosts, whatever the others draw. */
  bytes(address: string, count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#next(address));
  }

  #next(address: string): number {
    let state = this.#streams.get(address) ?? hash(`${String(this.#seed)}:${address}`);
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    this.#streams.set(address, state);
    return state >>> 24;
  }
}

/** Tells the world of every turn. */
export class WatchedSql implements Sql {
  readonly inner: Sql;
  readonly #world: BenchWorld;
  readonly #address: string;
  readonly #around: <T>(work: () => T) => T;

  constructor(
    inner: Sql,
    of: { readonly world: BenchWorld; readonly address: string },
    around: <T>(work: () => T) => T = (work) => work(),
  ) {
    this.inner = inner;
    this.#world = of.world;
    this.#address = of.address;
    this.#around = around;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    return this.inner.all(text, ...args);
  }

  tx<T>(work: () => T): T {
    this.#world.turns += 1;
    if ((this.#world.failingUntilMs.get(this.#address) ?? 0) > this.#world.nowMs)
      throw new DbError('storage', 'the disk takes nothing');
    return this.#around(() => this.inner.tx(work));
  }
}

export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return value;
}

/** The alarm and the timers of one actor or of one process, which ring when the test says so. */
export class BenchTimers {
  readonly #alarms = new Map<string, { readonly atMs: number; readonly run: () => void }>();
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  readonly #counts: Counts | null;

  constructor(counts: Counts | null = null) {
    this.#counts = counts;
  }

  readonly openAlarm: HostPorts['openAlarm'] = (address, onAlarm) => ({
    set: (atMs) => {
      if (this.#counts !== null && (this.#alarms.get(address)?.atMs ?? null) !== atMs) this.#counts.alarmsSet += 1;
      if (atMs === null) this.#alarms.delete(address);
      else this.#alarms.set(address, { atMs, run: onAlarm });
    },
  });

  after(nowMs: () => number): HostPorts['after'] {
    return (delayMs, run) => {
      const timer = { atMs: nowMs() + delayMs, run };
      this.#timers.add(timer);
      return () => {
        this.#timers.delete(timer);
      };
    };
  }

  fire(nowMs: number): boolean {
    let fired = false;
    for (const [address, alarm] of this.#alarms) {
      if (alarm.atMs > nowMs) continue;
      this.#alarms.delete(address);
      if (this.#counts !== null) this.#counts.alarms += 1;
      alarm.run();
      fired = true;
    }
    for (const timer of this.#timers) {
      if (timer.atMs > nowMs) continue;
      this.#timers.delete(timer);
      timer.run();
      fired = true;
    }
    return fired;
  }

  /** The next moment at which something rings: an actor's alarm, or a second try. */
  nextMs(): number | null {
    return least([...this.#alarms.values(), ...this.#timers].map(({ atMs }) => atMs));
  }

  isDue(nowMs: number): boolean {
    return [...this.#alarms.values(), ...this.#timers].some(({ atMs }) => atMs <= nowMs);
  }
}

const least = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time): time is number => time !== null);
  return known.length === 0 ? null : Math.min(...known);
};

/** The ports that both hosts' actors get instead of their own. */
export function benchPorts(world: BenchWorld, timers: BenchTimers) {
  return {
    clock: { now: () => world.nowMs },
    log: silentLog,
    runner: world.runner,
    hasLocalRunner: true,
    openAlarm: timers.openAlarm,
    after: timers.after(() => world.nowMs),
    probe: world.probe(),
    mintCapability: (capability: { readonly attempt: string }) => Promise.resolve(`cap:${capability.attempt}`),
  } satisfies Partial<HostPorts>;
}

/** A macrotask of the host: everything that was ready has run. */
export const breath = (): Promise<void> =>
  new Promise((resolve) => {
    soon(resolve);
  });

/** Node rounds `setTimeout` up to a millisecond, which a long history is made of; a Worker has no other way. */
export const soon = (work: () => void): void => {
  if ('setImmediate' in globalThis) setImmediate(work);
  else setTimeout(work, 0);
};

/** Kept of each turn so that it can be run again; how turns were grouped is the host's own matter. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['turns', 'snapshots', 'answers']);

export const endOf = (address: string, sql: Sql): ActorEnd => ({
  address,
  tables: tableNames(sql)
    .filter((name) => !NOT_COMPARED.has(name))
    .map((name) => dumpTable(sql, name)),
});

/** Rounds without a turn or an effect under way before a town is taken to be quiet: a call that returns takes a few. */
const QUIET_ROUNDS = 3;
/** Far above what any step needs; beyond it something runs in circles. */
const ROUNDS_MAX = 20_000;

/** A town of one host. A host says how its actors are reached; time and quiet are the same everywhere. */
export abstract class TownBench {
  readonly world: BenchWorld;

  constructor(world: BenchWorld) {
    this.world = world;
  }

  abstract readonly gateway: TownGateway;
  abstract start(rigs: readonly RigConfig[]): Promise<void>;
  /** Lets what is due of these timers ring, where they are. */
  protected abstract ring(address: string): Promise<void>;
  abstract receive(envelope: Envelope): Promise<Receipt>;
  /** Every actor's process dies; what it was doing is lost, and the next call finds it opened anew. */
  abstract crash(): Promise<void>;
  abstract ends(): Promise<readonly ActorEnd[]>;

  /** One actor alone is put away and made anew, where a host does so. It must not show. */
  evict(_pick: number): Promise<void> {
    return Promise.resolve();
  }

  get runner(): FakeRunner {
    return this.world.runner;
  }

  /** Lets everything happen that is due now, facts of the runner included. Answers the next alarm. */
  async settle(): Promise<number | null> {
    const { world } = this;
    for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS; rounds += 1) {
      if (rounds > ROUNDS_MAX) throw new Error('the town does not come to rest');
      const before = world.turns;
      const isBusy = await this.#doDue();
      await breath();
      quiet = isBusy || world.turns !== before || world.flights > 0 ? 0 : quiet + 1;
    }
    return this.#nextMs();
  }

  async #doDue(): Promise<boolean> {
    const { world, runner } = this;
    let isBusy = false;
    if (runner.facts.length > 0 && !runner.silent) {
      await this.gateway.recordFacts(runner.facts.splice(0));
      isBusy = true;
    }
    for (const [address, timers] of world.timers) {
      if (!timers.isDue(world.nowMs)) continue;
      await this.ring(address);
      isBusy = true;
    }
    return isBusy;
  }

  #nextMs(): number | null {
    return least([...this.world.timers.values()].map((timers) => timers.nextMs()));
  }

  /** Moves time on, and lets each alarm on the way ring at its moment. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.world.nowMs + ms;
    let next = await this.settle();
    while (next !== null && next <= untilMs) {
      this.world.nowMs = Math.max(this.world.nowMs + 1, next);
      next = await this.settle();
    }
    this.world.nowMs = Math.max(this.world.nowMs, untilMs);
    await this.settle();
  }
}

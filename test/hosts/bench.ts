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
import { lateRunner, type LateWorld } from './late-runner.ts';
import { Life } from './life.ts';

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
export class BenchWorld implements LateWorld {
  nowMs = 1_000_000_000_000;
  readonly runner: FakeRunner = new FakeRunner(() => this.nowMs);
  /** By actor, or by process. An actor that was made anew takes the place of its former life. */
  readonly timers = new Map<string, BenchTimers>();
  /** Turns so far: while it stands still and nothing is under way, the town is quiet. */
  turns = 0;
  late: LateWorld['late'] = null;
  lateAnswers = 0;
  /** Turns that threw because the disk took nothing. */
  failedTurns = 0;
  evictions = 0;
  readonly counts: Counts = { statements: 0, rowsRead: 0, rowsWritten: 0, requests: 0, alarms: 0, alarmsSet: 0 };
  /** By actor: until when its disk takes nothing, so that every turn of it throws, those of its alarm too. */
  readonly failingUntilMs = new Map<string, number>();
  /** By actor, or by process. */
  readonly #lives = new Map<string, Life>();
  readonly #seed: number;
  readonly #streams = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Everybody died: what was under way is lost. */
  died(): void {
    this.#lives.clear();
    this.timers.clear();
    this.failingUntilMs.clear();
  }

  /** An actor, or a process, begins to live; what its former life had under way is lost. */
  born(who: string): Life {
    const life = new Life();
    this.#lives.set(who, life);
    return life;
  }

  /** Somebody has something under way that does not wait for time to go on. */
  isBusy(): boolean {
    return [...this.#lives.values()].some((life) => life.isBusy);
  }

  /** Answers of the runner are on their way, until time goes on. */
  isWaiting(): boolean {
    return [...this.#lives.values()].some((life) => life.isWaiting);
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
    if ((this.#world.failingUntilMs.get(this.#address) ?? 0) > this.#world.nowMs) {
      this.#world.failedTurns += 1;
      throw new DbError('storage', 'the disk takes nothing');
    }
    return this.#around(() => this.inner.tx(work));
  }
}

function hash(text: string): number {
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

/** The ports that the actors of one life get on both hosts instead of their own; `soon` is the host's own `defer`. */
export function benchPorts(
  world: BenchWorld,
  of: { readonly timers: BenchTimers; readonly life: Life; readonly soon: (work: () => void) => void },
) {
  const { timers, life, soon } = of;
  const after = timers.after(() => world.nowMs);
  // A call that was late is repeated under the same key.
  const effects = new Map<string, (() => void)[]>();
  const underWay = (key: string): (() => void)[] => {
    const ends = effects.get(key) ?? [];
    effects.set(key, ends);
    return ends;
  };
  return {
    clock: { now: () => world.nowMs },
    log: silentLog,
    runner: lateRunner(world, life, after),
    hasLocalRunner: true,
    openAlarm: timers.openAlarm,
    after,
    defer: (work) => {
      const end = life.begins();
      soon(() => {
        end();
        work();
      });
    },
    probe: (phase) => {
      if (phase.endsWith(':before')) underWay(phase.slice(0, -':before'.length)).push(life.begins());
      else underWay(phase.slice(0, -':after'.length)).shift()?.();
    },
    mintCapability: (capability: { readonly attempt: string }) => Promise.resolve(`cap:${capability.attempt}`),
  } satisfies Partial<HostPorts>;
}

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

  /** Everything that was ready has run, and what it called has gone on as far. */
  protected abstract breath(): Promise<void>;

  protected abstract addresses(): readonly string[];
  /** One actor begins anew from its rows: an object that was put away, or on Node the same actor opened once more. */
  protected abstract reopen(address: string): Promise<void>;

  /** One actor alone loses its memory. Not while an answer is on its way to it: on Node it would arrive. */
  async evict(pick: number): Promise<void> {
    const addresses = this.addresses();
    const address = addresses[pick % addresses.length];
    if (address === undefined || this.world.isWaiting()) return;
    await this.reopen(address);
    this.world.evictions += 1;
    await this.settle();
  }

  /** Asks an actor for a turn, as its alarm does. */
  protected abstract wake(address: string): Promise<void>;

  /** Its disk takes nothing for so long: it is asked for a turn, and tries that again until it can. */
  async failUntil(address: string, ms: number): Promise<void> {
    await this.wake(address);
    await this.advance(ms);
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
      await this.breath();
      quiet = isBusy || world.turns !== before || world.isBusy() ? 0 : quiet + 1;
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

/** Time, chance, the runner and the turns of one town of the bench, and what its actors get instead of a host's own ports. */
import type { HostPorts } from '../../src/ports/host.ts';
import { silentLog } from '../../src/ports/log.ts';
import { DbError, type Sql, type SqlRow, type SqlValue } from '../../src/ports/sql.ts';
import { FakeRunner } from '../support/fake-runner.ts';
import { lateRunner, type LateWorld } from './late-runner.ts';
import { Life } from './life.ts';
import type { Trace } from './trace.ts';
import { Trips, TurnOrder, type Doom } from './turns.ts';

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
  /** By actor. One that was made anew takes the place of its former life. */
  readonly timers = new Map<string, BenchTimers>();
  /** Turns so far: while it stands still and nothing is under way, the town is quiet. */
  turns = 0;
  late: LateWorld['late'] = null;
  lateAnswers = 0;
  /** Turns that threw because the disk took nothing. */
  failedTurns = 0;
  evictions = 0;
  /** Deaths in the middle of a step, by how. */
  readonly deaths: Record<Doom['how'], number> = { waiting: 0, 'in its turn': 0 };
  doom: Doom | null = null;
  /** Actors that the host itself put away in the middle of a history, which the other one knows nothing of. */
  surprises = 0;
  /** Actors that open just now. */
  opening = 0;
  /** Null: nobody asked for one. */
  trace: Trace | null = null;
  /** Whose turn ends in its death. */
  dyingIn: string | null = null;
  readonly order: TurnOrder = new TurnOrder((below) => (this.#next('turns') * below) >> 8);
  readonly trips: Trips = new Trips();
  readonly counts: Counts = { statements: 0, rowsRead: 0, rowsWritten: 0, requests: 0, alarms: 0, alarmsSet: 0 };
  /** By actor: until when its disk takes nothing, so that every turn of it throws, those of its alarm too. */
  readonly failingUntilMs = new Map<string, number>();
  readonly #lives = new Map<string, Life>();
  readonly #seed: number;
  readonly #streams = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Everybody died: what was under way is lost. */
  died(): void {
    for (const life of this.#lives.values()) life.end();
    this.#lives.clear();
    this.timers.clear();
    this.failingUntilMs.clear();
  }

  /** An actor begins to live; what its former life had under way is lost. */
  born(address: string): Life {
    if (this.order.holds && this.#lives.has(address)) this.surprises += 1;
    this.trace?.note(`${address} is born`);
    const life = new Life();
    this.#lives.set(address, life);
    return life;
  }

  /** An actor has its first turn, which is not held; what is called when it has had it. */
  opens(isOpening: boolean): () => void {
    const one = isOpening ? 1 : 0;
    this.opening += one;
    return () => {
      this.opening -= one;
    };
  }

  /** What it had under way is lost. */
  diedAlone(address: string): void {
    this.#lives.get(address)?.end();
    this.#lives.delete(address);
    this.timers.delete(address);
    this.failingUntilMs.delete(address);
    this.order.taken(address);
    this.trips.died(address);
  }

  isAlive(address: string): boolean {
    return this.#lives.has(address);
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

/** Tells the world of every turn, and fails it when the world says so. */
export class WatchedSql implements Sql {
  readonly inner: Sql;
  readonly #world: BenchWorld;
  readonly #address: string;
  readonly #die: () => void;
  #depth = 0;

  constructor(
    inner: Sql,
    of: {
      readonly world: BenchWorld;
      readonly address: string;
      /** The actor dies here and now. */ readonly die: () => void;
    },
  ) {
    this.inner = inner;
    this.#world = of.world;
    this.#address = of.address;
    this.#die = of.die;
  }

  all(text: string, ...args: readonly SqlValue[]): readonly SqlRow[] {
    return this.inner.all(text, ...args);
  }

  tx<T>(work: () => T): T {
    if (this.#depth > 0) return this.inner.tx(work);
    const world = this.#world;
    world.turns += 1;
    if ((world.failingUntilMs.get(this.#address) ?? 0) > world.nowMs) {
      world.failedTurns += 1;
      world.trace?.note(`turn of ${this.#address} threw: its disk takes nothing`);
      throw new DbError('storage', 'the disk takes nothing');
    }
    this.#depth += 1;
    try {
      const value = this.inner.tx(() => this.#lastly(work()));
      world.trace?.committed(this.#address, this.inner);
      return value;
    } finally {
      this.#depth -= 1;
    }
  }

  /** All is done but the commit. */
  #lastly<T>(value: T): T {
    if (this.#world.dyingIn !== this.#address) return value;
    this.#world.dyingIn = null;
    this.#world.trace?.note(`${this.#address} dies in its turn`);
    this.#die();
    throw new DbError('storage', 'it died in its turn');
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return value;
}

/** The alarm and the timers of one actor, which ring when the test says so. */
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

  /** What is due is the alarm alone, which only asks for a turn. */
  isOnlyAlarm(nowMs: number): boolean {
    return [...this.#timers].every(({ atMs }) => atMs > nowMs);
  }

  isDue(nowMs: number): boolean {
    return [...this.#alarms.values(), ...this.#timers].some(({ atMs }) => atMs <= nowMs);
  }
}

/** The earliest of them; null: none. */
export const least = (times: readonly (number | null)[]): number | null => {
  const known = times.filter((time): time is number => time !== null);
  return known.length === 0 ? null : Math.min(...known);
};

/** The ports that an actor gets for one life on both hosts instead of the host's own; `soon` is the host's `defer`. */
export function benchPorts(
  world: BenchWorld,
  of: {
    readonly address: string;
    readonly timers: BenchTimers;
    readonly life: Life;
    readonly soon: (work: () => void) => void;
  },
) {
  const { address, timers, life, soon } = of;
  // Whoever opens has its first turn at once: an object is asked nothing before that.
  let isOpening = true;
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
    takesNoSnapshots: true,
    openAlarm: timers.openAlarm,
    after,
    random: { bytes: (count) => world.bytes(address, count) },
    defer: (work) => {
      if (world.order.holds && !isOpening) {
        life.hold(work);
        world.order.hold(address);
        return;
      }
      const ended = world.opens(isOpening);
      isOpening = false;
      const end = life.begins();
      soon(() => {
        ended();
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

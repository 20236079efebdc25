/** The objects of the Worker under test: the real ones on virtual time, and small ones for single ports. */
import { DurableObject } from 'cloudflare:workers';
import type { DurableNamespace, DurableState } from '../../src/hosts/cloudflare/durable.ts';
import type { Env, TownStub } from '../../src/hosts/cloudflare/env.ts';
import { MayorDO, RigDO, TownDO } from '../../src/hosts/cloudflare/objects.ts';
import { objectClock } from '../../src/hosts/cloudflare/object-ports.ts';
import { StorageAlarm } from '../../src/hosts/cloudflare/storage-alarm.ts';
import { StorageSql } from '../../src/hosts/cloudflare/sql-storage.ts';
import { silentLog } from '../../src/ports/log.ts';
import type { HostPorts } from '../../src/ports/host.ts';
import { Life } from './life.ts';
import { endOf, type ActorEnd } from './bench.ts';
import { benchPorts, BenchTimers, BenchWorld, WatchedSql } from './world.ts';
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import type { ActorStub, Answer } from '../../src/hosts/cloudflare/rpc.ts';
import { runCase, type CaseResult } from './case.ts';
import { SQL_CASES } from './sql-cases.ts';

/** Worlds by town. All objects of this Worker are in one isolate, so they share this. */
const worlds = new Map<string, BenchWorld>();

export function worldOf(town: string): BenchWorld {
  let world = worlds.get(town);
  if (world === undefined) worlds.set(town, (world = new BenchWorld(Number(town.slice(town.lastIndexOf('-') + 1)))));
  return world;
}

export function forgetWorld(town: string): void {
  worlds.get(town)?.died();
  worlds.delete(town);
}

const partsOf = (ctx: DurableState): { readonly town: string; readonly address: string } => {
  const name = ctx.id.name ?? '';
  const slash = name.indexOf('/');
  return slash < 0 ? { town: name, address: '' } : { town: name.slice(0, slash), address: name.slice(slash + 1) };
};

/** Where the objects of the bench find each other. */
export interface BenchEnv extends Env {
  readonly BENCH_TOWN: DurableNamespace<TownStub & BenchObject>;
  readonly BENCH_RIG: DurableNamespace<ActorStub & BenchObject>;
  readonly BENCH_MAYOR: DurableNamespace<ActorStub & BenchObject>;
}

const whoOf = (ctx: DurableState, kind: string): string => partsOf(ctx).address || kind;

const envOf = (ctx: DurableState, env: BenchEnv, kind: string): Env =>
  benchEnv(partsOf(ctx).town, env, { who: whoOf(ctx, kind), life: lifeOf(ctx, kind) });

interface From {
  readonly who: string;
  readonly life: Life;
}

/** `from`: who calls; the Worker itself waits for what it calls, so it has no life. */
export const benchEnv = (town: string, env: BenchEnv, from: From = { who: 'worker', life: new Life() }): Env => ({
  ...env,
  GT_TOWN_ID: town,
  TOWN: counted(env.BENCH_TOWN, { town, kind: 'town' }, from),
  RIG: counted(env.BENCH_RIG, { town, kind: 'rig' }, from),
  MAYOR: counted(env.BENCH_MAYOR, { town, kind: 'mayor' }, from),
});

/** By object: it calls others while it is still being made. */
const livesOf = new WeakMap<DurableState, Life>();

function lifeOf(ctx: DurableState, kind: string): Life {
  const { town } = partsOf(ctx);
  const life = livesOf.get(ctx) ?? worldOf(town).born(whoOf(ctx, kind));
  livesOf.set(ctx, life);
  return life;
}

/** A call from one of them to another, while it is on its way; `call` gets its number along. */
export async function onTrip<T>(
  world: BenchWorld,
  way: { readonly from: string; readonly to: string },
  call: (trip: number) => Promise<T>,
): Promise<T> {
  world.counts.requests += 1;
  const trip = world.trips.begins(way.from, way.to);
  try {
    return await call(trip);
  } finally {
    world.trips.ended(trip);
  }
}

/** The other end of it. */
async function atItsEnd<T>(ctx: DurableState, trip: number | undefined, work: () => Promise<T>): Promise<T> {
  if (trip === undefined) return work();
  const { trips } = worldOf(partsOf(ctx).town);
  trips.arrived(trip);
  try {
    return await work();
  } finally {
    trips.answered(trip);
  }
}

/** The same objects; each call to one is counted. */
function counted<Stub extends ActorStub>(
  namespace: DurableNamespace<Stub & BenchObject>,
  { town, kind }: { readonly town: string; readonly kind: string },
  { who, life }: From,
): DurableNamespace<Stub> {
  const count = <T>(to: string, call: (trip: number) => Promise<T>): Promise<T> =>
    life.during(() => onTrip(worldOf(town), { from: who, to }, call));
  return {
    getByName: (name) => {
      const stub = namespace.getByName(name);
      const to = name.includes('/') ? name.slice(name.indexOf('/') + 1) : kind;
      return Object.assign(Object.create(null) as Stub, {
        call: (path: readonly string[], args: readonly unknown[]) => count(to, (trip) => stub.call(path, args, trip)),
        receive: (envelope: Envelope) => count(envelope.to, (trip) => stub.receive(envelope, trip)),
        transfer: (verb: string, args: readonly unknown[]) => stub.transfer(verb, args),
        watch: () => life.during(() => stub.watch()),
      });
    },
  };
}

/** What the bench may do to each object. */
export interface BenchObject {
  ring(): Promise<void>;
  /** A turn of its actor, as an alarm makes one. */
  wake(): Promise<void>;
  end(): Promise<ActorEnd>;
  crash(): Promise<void>;
  /** Answers once it is open. */
  opened(): Promise<void>;
  /** Answers when its life is over: while a call is under way the platform does not put an object away by itself. */
  stay(): Promise<void>;
  /** It has the turn that was held for it. */
  giveTurn(): Promise<void>;
  /** Both, in one call. */
  ringAndGive(): Promise<void>;
  /** With the number of a call that the bench follows. */
  call(path: readonly string[], args: readonly unknown[], trip?: number): Promise<Answer>;
  receive(envelope: Envelope, trip?: number): Promise<Receipt>;
}

/** How soon one that stays notices that it need not any more. */
const LOOKS_EVERY_MS = 500;

function benched(ctx: DurableState, kind: string) {
  const who = whoOf(ctx, kind);
  const world = worldOf(partsOf(ctx).town);
  const { counts } = world;
  const life = lifeOf(ctx, kind);
  const timers = new BenchTimers(counts);
  world.timers.set(who, timers);
  const sql = new StorageSql(ctx.storage, ({ rowsRead, rowsWritten }) => {
    counts.statements += 1;
    counts.rowsRead += rowsRead;
    counts.rowsWritten += rowsWritten;
  });
  const die = (): void => {
    world.diedAlone(who);
    ctx.abort('it died in its turn');
  };
  const ports: Partial<HostPorts> = {
    ...benchPorts(world, { address: who, timers, life, soon: (work) => setTimeout(work, 0) }),
    openSql: () => new WatchedSql(sql, { world, address: who, die }),
  };
  return {
    ports,
    ring: (): Promise<void> => {
      timers.fire(world.nowMs);
      return Promise.resolve();
    },
    stay: async (): Promise<void> => {
      while (!life.isOver) await new Promise((resolve) => setTimeout(resolve, LOOKS_EVERY_MS));
    },
    giveTurn: (): Promise<void> => {
      life.takeTurn();
      return Promise.resolve();
    },
    ringAndGive: (): Promise<void> => {
      timers.fire(world.nowMs);
      world.order.taken(who);
      life.takeTurn();
      return Promise.resolve();
    },
    end: (): Promise<ActorEnd> => Promise.resolve(endOf(who, sql)),
    crash: (): Promise<void> => {
      world.diedAlone(who);
      return dieNow(ctx);
    },
  };
}

type Benched = ReturnType<typeof benched>;

/** By object: the ports are asked for while the object is still being made, before it can have fields. */
const benches = new WeakMap<object, Benched>();

function benchOf(object: object, ctx: DurableState, kind: string): Benched {
  const bench = benches.get(object) ?? benched(ctx, kind);
  benches.set(object, bench);
  return bench;
}

/** Dies at the next chance, so that the caller hears of it only as a lost call. */
function dieNow(ctx: DurableState): Promise<void> {
  ctx.abort('crash of the bench');
  return Promise.resolve();
}

export class BenchTownDO extends TownDO implements BenchObject {
  constructor(ctx: DurableState, env: BenchEnv) {
    super(ctx, envOf(ctx, env, 'town'));
  }

  protected override instead(): Partial<HostPorts> {
    return benchOf(this, this.ctx, 'town').ports;
  }

  ring(): Promise<void> {
    return benchOf(this, this.ctx, 'town').ring();
  }

  async wake(): Promise<void> {
    (await this.open()).actor.wake();
  }

  end(): Promise<ActorEnd> {
    return benchOf(this, this.ctx, 'town').end();
  }

  crash(): Promise<void> {
    return benchOf(this, this.ctx, 'town').crash();
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  stay(): Promise<void> {
    return benchOf(this, this.ctx, 'town').stay();
  }

  giveTurn(): Promise<void> {
    return benchOf(this, this.ctx, 'town').giveTurn();
  }

  ringAndGive(): Promise<void> {
    return benchOf(this, this.ctx, 'town').ringAndGive();
  }

  override call(path: readonly string[], args: readonly unknown[], trip?: number): Promise<Answer> {
    return atItsEnd(this.ctx, trip, () => super.call(path, args));
  }

  override receive(envelope: Envelope, trip?: number): Promise<Receipt> {
    return atItsEnd(this.ctx, trip, () => super.receive(envelope));
  }
}

export class BenchRigDO extends RigDO implements BenchObject {
  constructor(ctx: DurableState, env: BenchEnv) {
    super(ctx, envOf(ctx, env, 'rig'));
  }

  protected override instead(): Partial<HostPorts> {
    return benchOf(this, this.ctx, 'rig').ports;
  }

  ring(): Promise<void> {
    return benchOf(this, this.ctx, 'rig').ring();
  }

  async wake(): Promise<void> {
    (await this.open()).actor.wake();
  }

  end(): Promise<ActorEnd> {
    return benchOf(this, this.ctx, 'rig').end();
  }

  crash(): Promise<void> {
    return benchOf(this, this.ctx, 'rig').crash();
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  stay(): Promise<void> {
    return benchOf(this, this.ctx, 'rig').stay();
  }

  giveTurn(): Promise<void> {
    return benchOf(this, this.ctx, 'rig').giveTurn();
  }

  ringAndGive(): Promise<void> {
    return benchOf(this, this.ctx, 'rig').ringAndGive();
  }

  override call(path: readonly string[], args: readonly unknown[], trip?: number): Promise<Answer> {
    return atItsEnd(this.ctx, trip, () => super.call(path, args));
  }

  override receive(envelope: Envelope, trip?: number): Promise<Receipt> {
    return atItsEnd(this.ctx, trip, () => super.receive(envelope));
  }
}

export class BenchMayorDO extends MayorDO implements BenchObject {
  constructor(ctx: DurableState, env: BenchEnv) {
    super(ctx, envOf(ctx, env, 'mayor'));
  }

  protected override instead(): Partial<HostPorts> {
    return benchOf(this, this.ctx, 'mayor').ports;
  }

  ring(): Promise<void> {
    return benchOf(this, this.ctx, 'mayor').ring();
  }

  async wake(): Promise<void> {
    (await this.open()).actor.wake();
  }

  end(): Promise<ActorEnd> {
    return benchOf(this, this.ctx, 'mayor').end();
  }

  crash(): Promise<void> {
    return benchOf(this, this.ctx, 'mayor').crash();
  }

  opened(): Promise<void> {
    return Promise.resolve();
  }

  stay(): Promise<void> {
    return benchOf(this, this.ctx, 'mayor').stay();
  }

  giveTurn(): Promise<void> {
    return benchOf(this, this.ctx, 'mayor').giveTurn();
  }

  ringAndGive(): Promise<void> {
    return benchOf(this, this.ctx, 'mayor').ringAndGive();
  }

  override call(path: readonly string[], args: readonly unknown[], trip?: number): Promise<Answer> {
    return atItsEnd(this.ctx, trip, () => super.call(path, args));
  }

  override receive(envelope: Envelope, trip?: number): Promise<Receipt> {
    return atItsEnd(this.ctx, trip, () => super.receive(envelope));
  }
}

/** One empty database: the object is named after its case. */
export class SqlDO extends DurableObject<DurableState, Env> {
  /** Does nothing: by the time the answer is there, whatever was ready in other objects has run. */
  nothing(): Promise<void> {
    return Promise.resolve();
  }

  async run(name: string): Promise<CaseResult> {
    const found = SQL_CASES.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no case ${name}`);
    return runCase(found, new StorageSql(this.ctx.storage));
  }
}

/** Short, so that a case can wait for it. */
const PREARMED_MS = 60;

/** One alarm of the port, on the platform's own clock and alarms. What it does is counted durably. */
export class AlarmDO extends DurableObject<DurableState, Env> {
  readonly #alarm: StorageAlarm;

  constructor(ctx: DurableState, env: Env) {
    super(ctx, env);
    const { kv } = ctx.storage;
    this.#alarm = new StorageAlarm({
      storage: ctx.storage,
      clock: objectClock(),
      log: silentLog,
      prearmedMs: PREARMED_MS,
      onAlso: () => {
        kv.put('others', this.others() + 1);
      },
      onAlarm: () => {
        kv.put('rings', this.rings() + 1);
        const throws = Number(kv.get('throws') ?? 0);
        kv.put('throws', throws - 1);
        if (throws > 0) throw new Error('the work of this alarm fails');
        const again = Number(kv.get('again') ?? 0);
        kv.put('again', again - 1);
        this.#alarm.set(again > 0 ? Date.now() + 1 : null);
      },
    });
  }

  set(inMs: number | null): void {
    this.#alarm.set(inMs === null ? null : Date.now() + inMs);
  }

  also(inMs: number | null): void {
    this.#alarm.also(inMs === null ? null : Date.now() + inMs);
  }

  others(): number {
    return Number(this.ctx.storage.kv.get('others') ?? 0);
  }

  /** The alarm's work sets it again so often. */
  again(times: number): void {
    this.ctx.storage.kv.put('again', times);
  }

  throwNext(times: number): void {
    this.ctx.storage.kv.put('throws', times);
  }

  rings(): number {
    return Number(this.ctx.storage.kv.get('rings') ?? 0);
  }

  /** The platform forgets it. */
  async lose(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
  }

  crash(): Promise<void> {
    return dieNow(this.ctx);
  }

  alarm(): Promise<void> {
    return this.#alarm.ring(() => Promise.resolve());
  }
}

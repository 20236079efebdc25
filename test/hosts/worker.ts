/** The Worker under test: tells cases and histories to the objects of its isolate, and answers what became of them. */
import { remote, type ActorStub } from '../../src/hosts/cloudflare/rpc.ts';
import type { DurableNamespace } from '../../src/hosts/cloudflare/durable.ts';
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import type { TownTarget } from '../../src/hosts/cloudflare/town-app.ts';
import type { TownGateway } from '../../src/ports/town-gateway.ts';
import product from '../../src/hosts/cloudflare/worker.ts';
import { ALARM_CASES, OBJECT_ALARM_CASES, type ObjectAlarmBench } from './alarm-cases.ts';
import { TownBench, type ActorEnd } from './bench.ts';
import { runCase, type CaseResult } from './case.ts';
import { TownError } from '../../src/core/errors.ts';
import { parseSettings, type Settings } from '../../src/settings/settings.ts';
import { objectForge } from '../../src/hosts/cloudflare/object-forge.ts';
import { FAKE_TOKEN } from '../support/forge/wire.ts';
import type { ForgeSite } from '../../src/core/model/pull-request.ts';
import { ObjectNotifier } from '../../src/hosts/cloudflare/object-notifier.ts';
import { NOTICE, rpcResults, type RigRpc, type TownRpc } from './rpc-cases.ts';
import { figuresOf } from './figures.ts';
import { tellHistory, type HistoryOrder } from './history.ts';
import { goOn } from './go-on.ts';
import { transferStepSchema } from '../../src/api/contract/transfer.ts';
import { transferDoor } from '../../src/hosts/cloudflare/transfer-door.ts';
import { TOWN_CASES } from './town-cases.ts';
import { benchEnv, forgetWorld, onTrip, worldOf, type BenchEnv, type BenchObject } from './worker-objects.ts';

export * from './worker-objects.ts';
export { MayorDO, RigDO, TownDO } from '../../src/hosts/cloudflare/objects.ts';
export { StreamDO } from '../../src/hosts/cloudflare/stream-object.ts';

interface SqlStub {
  run(name: string): Promise<CaseResult>;
  nothing(): Promise<void>;
}

interface WorkerEnv extends BenchEnv {
  readonly SQL: DurableNamespace<SqlStub>;
  readonly ALARM: DurableNamespace<ObjectAlarmBench>;
}

/** A call takes a few; beyond it something hangs. */
const ARRIVAL_ROUNDS_MAX = 20_000;
/** Far above the one or two that are seen now and then. */
const REVIVE_TRIES_MAX = 1_000;

/** A town of Durable Objects for the bench. */
class ObjectBench extends TownBench {
  readonly #env: WorkerEnv;
  readonly #town: string;
  #rigs: readonly string[] = [];
  readonly gateway: TownGateway;

  constructor(env: WorkerEnv, town: string) {
    super(worldOf(town));
    this.#env = env;
    this.#town = town;
    this.gateway = remote<TownTarget['gateway']>(
      (path, args) =>
        onTrip(this.world, { from: 'worker', to: 'town' }, (trip) =>
          this.#object('town').call(['gateway', ...path], args, trip),
        ),
      { id: town, name: 'bench' },
    );
  }

  protected addresses(): readonly string[] {
    return ['town', 'mayor', ...this.#rigs.map((name) => `rig/${name}`)];
  }

  #objects(): readonly (ActorStub & BenchObject)[] {
    return this.addresses().map((address) => this.#object(address));
  }

  /** As if it had been started here: its rows came from elsewhere. */
  adopt(rigs: readonly string[]): void {
    this.#rigs = rigs;
  }

  async start(rigs: readonly RigConfig[]): Promise<void> {
    // On Node both are made when the town starts, on a platform of objects when they are first called.
    for (const address of this.addresses()) await this.revive(address);
    for (const rig of rigs) await this.ask(this.gateway.addRig(rig, { actor: 'human/bench', origin: 'human' }));
    this.#rigs = rigs.map((rig) => rig.name);
    if (this.world.order.holds) for (const { name } of rigs) this.#holds(`rig/${name}`);
    await this.settle();
  }

  /** Timers of the platform ring only when no call is under way, and a turn begins with one; a call is much quicker. */
  protected breath(): Promise<void> {
    const { world } = this;
    return world.opening > 0 || (!world.order.holds && world.isBusy())
      ? new Promise((resolve) => {
          setTimeout(resolve, 0);
        })
      : this.#env.SQL.getByName('breath').nothing();
  }

  protected ring(address: string): Promise<void> {
    return this.#object(address).ring();
  }

  #object(address: string): ActorStub & BenchObject {
    if (address === 'town') return this.#env.BENCH_TOWN.getByName(this.#town);
    if (address === 'mayor') return this.#env.BENCH_MAYOR.getByName(this.#town);
    return this.#env.BENCH_RIG.getByName(`${this.#town}/${address}`);
  }

  receive(envelope: Envelope): Promise<Receipt> {
    return this.#object(envelope.to).receive(envelope);
  }

  async crash(): Promise<void> {
    await Promise.allSettled(this.#objects().map((object) => object.crash()));
    this.world.died();
    // Whoever is called is made anew; on Node a process that starts opens all of its actors.
    for (const object of this.#objects()) await object.ring();
  }

  protected async kill(address: string): Promise<void> {
    await this.#object(address)
      .crash()
      .catch(() => undefined);
  }

  /** A call that comes very soon still meets the former life, or what it died of. */
  protected async revive(address: string): Promise<void> {
    for (let tries = 0; !this.world.isAlive(address); tries += 1) {
      if (tries > REVIVE_TRIES_MAX) throw new Error(`${address} does not come back`);
      await this.#object(address)
        .opened()
        .catch(() => this.breath());
    }
    if (this.world.order.holds) this.#holds(address);
  }

  /** Until its life is over. */
  #holds(address: string): void {
    this.#object(address)
      .stay()
      .catch(() => undefined);
  }

  protected giveTurn(address: string): Promise<void> {
    return this.#object(address).giveTurn();
  }

  protected override ringAndGive(address: string): Promise<void> {
    return this.#object(address).ringAndGive();
  }

  protected async arrivals(): Promise<void> {
    const { world } = this;
    for (let rounds = 0; world.trips.isMoving || world.opening > 0; rounds += 1) {
      if (rounds > ARRIVAL_ROUNDS_MAX) throw new Error(`a call does not arrive: ${world.trips.text()}`);
      await this.breath();
    }
  }

  protected wake(address: string): Promise<void> {
    return this.#object(address).wake();
  }

  async ends(): Promise<readonly ActorEnd[]> {
    const ends = await Promise.all(this.#objects().map((object) => object.end()));
    return ends.toSorted((a, b) => (a.address < b.address ? -1 : 1));
  }
}

/** A stub of its own for each call: one whose object died answers no more. */
const freshly = (stub: () => ObjectAlarmBench): ObjectAlarmBench => ({
  set: (inMs) => stub().set(inMs),
  again: (times) => stub().again(times),
  rings: () => stub().rings(),
  also: (inMs) => stub().also(inMs),
  others: () => stub().others(),
  throwNext: (times) => stub().throwNext(times),
  lose: () => stub().lose(),
  crash: () => stub().crash(),
});

async function runTown(env: WorkerEnv, name: string, seed: number): Promise<CaseResult> {
  const found = TOWN_CASES.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  const town = `case-${String(seed)}`;
  const result = await runCase(found, new ObjectBench(env, town));
  forgetWorld(town);
  return result;
}

async function answerToOthers(path: string, body: unknown, env: WorkerEnv): Promise<unknown> {
  const { name, seed } = body as { name: string; seed: number };
  switch (path) {
    case '/transfer':
      return transferDoor(benchEnv(name, env))(transferStepSchema.parse(Reflect.get(body as object, 'step')));
    case '/go-on': {
      const bench = new ObjectBench(env, name);
      bench.adopt(['api', 'web']);
      return goOn(bench);
    }
    case '/figures':
      return figuresOf(new ObjectBench(env, `figures-${String(seed)}`));
    case '/rpc':
      return rpcResults(new ObjectBench(env, 'rpc-1'), {
        town: env.BENCH_TOWN.getByName('rpc-1') as unknown as TownRpc,
        rig: env.BENCH_RIG.getByName('rpc-1/rig/api') as unknown as RigRpc,
        realTown: env.TOWN.getByName(env.GT_TOWN_ID) as unknown as TownRpc,
        realRig: env.RIG.getByName(`${env.GT_TOWN_ID}/rig/api`) as unknown as RigRpc,
        secrets: { owner: env.GT_OWNER_TOKEN, runner: env.GT_RUNNER_SECRET, key: env.GT_CAPABILITY_KEY },
      });
    case '/notify': {
      const settings = (): Settings => parseSettings(name, 'gastown.toml', {});
      const secret = (): string => 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
      return new ObjectNotifier({ town: 'there', settings, secret }).send('webhook', NOTICE);
    }
    case '/forge': {
      // The one call of a rig's object that leaves the platform for a code host.
      const forge = objectForge(() => FAKE_TOKEN);
      const { site, headSha } = JSON.parse(name) as { site: ForgeSite; headSha: string };
      const head = 'gt/api-1';
      const opened = await forge.open({ site, head, headSha, base: 'main', title: 'A', body: '', after: null });
      const ref = { site, number: 1 };
      const looked = await forge.look(ref, null);
      const again = await forge.look(ref, looked.state === 'ok' ? looked.pullRequest.tag : null);
      const merge = {
        ref,
        expectedHead: headSha,
        expectedBase: 'main',
        style: 'merge',
        title: 'A',
        message: '',
      } as const;
      return [opened.state, looked.state, again.state, await forge.merge(merge)];
    }
    case '/world':
      worldOf(name).nowMs = seed;
      return null;
    default:
      throw new Error(`no such path ${path}`);
  }
}

async function answerTo(path: string, body: unknown, env: WorkerEnv): Promise<unknown> {
  const { name, seed, order } = body as { name: string; seed: number; order: HistoryOrder };
  switch (path) {
    case '/sql':
      return env.SQL.getByName(name).run(name);
    case '/alarm': {
      const all = [...ALARM_CASES, ...OBJECT_ALARM_CASES];
      const found = all.find((one) => one.name === name);
      if (found === undefined) throw new Error(`there is no case ${name}`);
      return runCase(
        found,
        freshly(() => env.ALARM.getByName(name)),
      );
    }
    case '/set-alarm':
      await env.ALARM.getByName(name).set(seed);
      return null;
    case '/rings':
      return env.ALARM.getByName(name).rings();
    case '/town':
      return runTown(env, name, seed);
    case '/history': {
      const town = `history-${String(order.seed)}`;
      const end = await tellHistory(new ObjectBench(env, town), order);
      forgetWorld(town);
      return end;
    }
    default:
      return answerToOthers(path, body, env);
  }
}

const worker = {
  fetch: async (request: Request, env: WorkerEnv): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith('/bench/')) return product.fetch(request, env);
    try {
      return Response.json({ value: await answerTo(pathname.slice('/bench'.length), await request.json(), env) });
    } catch (error) {
      const code = error instanceof TownError ? `[code ${error.code}] ` : '';
      return Response.json({
        error: `${code}${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      });
    }
  },
};

export default worker;

/** A random history of a town, told to either host: the same seed is the same history. */
import { EFFECT_DEADLINE_MS, TURN_RETRY_MS } from '../../src/core/limits.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { JobResult } from '../../src/core/facts.ts';
import { defaultResult, sha, type FakeProcess } from '../support/fake-runner.ts';
import { rigConfig } from '../support/rig-config.ts';
import type { ActorEnd, TownBench } from './bench.ts';
import { Trace } from './trace.ts';
import { newBead, newConvoy, newTask, person } from './words.ts';

export interface HistoryOrder {
  readonly seed: number;
  readonly steps: number;
  /** True: it is told with its trace. */
  readonly trace?: boolean;
}

export interface HistoryEnd {
  readonly ends: readonly ActorEnd[];
  /** How often each verb was done to something. */
  readonly done: Readonly<Record<string, number>>;
  readonly faults: Faults;
  /** Empty, but when it was asked for. */
  readonly trace: readonly string[];
}

/** What was done to the town. */
export interface Faults {
  readonly evictions: number;
  /** In the middle of a step: with what waited for a turn, and in a turn before its commit. */
  readonly diedWaiting: number;
  readonly diedInTurn: number;
  /** Turns that threw, those of alarms among them. */
  readonly failedTurns: number;
  readonly lateAnswers: number;
}

/** From one commit to the next, past a lease, a retry, a takeover, a rung of GUPP; and how often each is picked. */
const WAITS: readonly (readonly [ms: number, weight: number])[] = [
  [0, 60],
  [1_000, 10],
  [6_000, 6],
  [16_000, 3],
  [31_000, 2],
  [61_000, 1],
  [320_000, 1],
];
/** Longer than an effect waits for its answer, so that the call is repeated before the first answer is there. */
const LATE_MS = EFFECT_DEADLINE_MS + 5_000;
/** Turns that fail are tried again: more often than the seven throws after which a platform drops an alarm. */
const FAILING_MS = 9 * TURN_RETRY_MS;
/** At the end: past every back-off and deadline but the mail's. */
const END_MS = 1_800_000;
const RED: JobResult = { result: 'gates', green: false, runs: [] };
const LOST_RACE: JobResult = { result: 'lost_race', targetSha: sha(9) };

type Verb = (history: History) => Promise<unknown> | null;

/** What is done, with how often it is picked. Null: there was nothing to do it to. */
const VERBS: readonly (readonly [name: string, weight: number, verb: Verb])[] = [
  ['sling', 2, (history) => history.sling([])],
  ['sling after another', 1, (history) => history.sling(history.somebead())],
  ['convoy', 1, (history) => history.convoy()],
  ['done', 14, (history) => history.agent((process) => history.finish(process))],
  ['exit 0', 1, (history) => history.agent((process) => history.exit(process, {}))],
  [
    'exit 1',
    2,
    (history) => history.agent((process) => history.exit(process, { exitCode: 1, lastLine: history.word() })),
  ],
  ['lost', 1, (history) => history.agent((process) => history.exit(process, { exitCode: null, cause: 'runner_lost' }))],
  ['active', 2, (history) => history.agent((process) => history.bench.runner.active(process.request.attempt))],
  ['red gate', 1, (history) => history.once('gates', RED)],
  ['lost race', 1, (history) => history.once('push', LOST_RACE)],
  ['hold', 1, (history) => history.order((bead) => ({ type: 'hold', bead, note: 'later' }))],
  ['release', 2, (history) => history.order((bead) => ({ type: 'release', bead }))],
  ['retry', 2, (history) => history.order((bead) => ({ type: 'retry', bead }))],
  ['close', 2, (history) => history.order((bead) => ({ type: 'close', bead, reason: 'cancelled', note: 'no' }))],
  ['silence', 1, (history) => history.silence(true)],
  ['an answer', 4, (history) => history.silence(false)],
  ['new runner', 1, (history) => history.newRunner()],
  ['mail', 1, (history) => history.mail()],
  ['acknowledge', 1, (history) => history.acknowledge()],
  ['crash', 1, (history) => history.bench.evictAll()],
  ['eviction', 2, (history) => history.bench.evict(history.pick(60))],
  ['death in a step', 3, (history) => history.doom()],
  ['late runner', 1, (history) => history.late()],
  ['failing alarms', 1, (history) => history.failing()],
];

/** A step has some ten turns. */
const DOOM_TURNS = 24;
const DOOMS: readonly (readonly [who: 'next' | 'some' | 'all' | 'in its turn', weight: number])[] = [
  ['in its turn', 3],
  ['next', 2],
  ['some', 2],
  ['all', 1],
];

class History {
  readonly bench: TownBench;
  readonly #beads: BeadId[] = [];
  #state: number;
  #keys = 0;

  constructor(bench: TownBench, seed: number) {
    this.bench = bench;
    this.#state = seed * 2_654_435_761 + 1;
  }

  pick(below: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  weighed<T extends readonly [unknown, number, ...unknown[]]>(among: readonly T[]): T {
    let left = this.pick(among.reduce((sum, [, weight]) => sum + weight, 0));
    for (const one of among) if ((left -= one[1]) < 0) return one;
    throw new Error('the weights are wrong');
  }

  word(): string {
    return `failed as ${String(this.pick(4))}`;
  }

  #key(): ReturnType<typeof person> {
    this.#keys += 1;
    return person(`key-${String(this.#keys)}`);
  }

  somebead(): readonly BeadId[] {
    const bead = this.#beads[this.pick(this.#beads.length)];
    return bead === undefined ? [] : [bead];
  }

  async sling(dependsOn: readonly BeadId[]): Promise<void> {
    const rig =
      dependsOn[0]?.startsWith('web') === true ? 'web' : this.pick(3) === 0 && dependsOn.length === 0 ? 'web' : 'api';
    const bead = newBead(`task ${String(this.#beads.length)}`, { rig: trusted.rig(rig), dependsOn });
    this.#beads.push((await this.bench.ask(this.bench.gateway.createBead(bead, this.#key()))).id);
  }

  async convoy(): Promise<void> {
    const tasks = [newTask('api', 'a'), newTask('web', 'b', [0]), newTask('api', 'c', [1])];
    const convoy = newConvoy({ tasks, onFailure: 'skip' });
    for (const { beadId } of (await this.bench.ask(this.bench.gateway.createConvoy(convoy, this.#key()))).beads)
      if (beadId !== null) this.#beads.push(beadId);
  }

  agent(act: (process: FakeProcess) => unknown): Promise<unknown> | null {
    // By id: in which order two rigs started theirs is the host's own matter.
    const running = this.bench.runner.running().toSorted((a, b) => (a.request.attempt < b.request.attempt ? -1 : 1));
    const process = running[this.pick(running.length)];
    return process === undefined ? null : Promise.resolve(act(process));
  }

  finish({ request }: FakeProcess): void {
    this.#keys += 1;
    const head = sha(0x1000 + this.#keys);
    this.bench.runner.done(request.attempt, head);
    this.bench.runner.exit(request.attempt, { head });
  }

  exit({ request }: FakeProcess, how: Parameters<TownBench['runner']['exit']>[1]): void {
    this.bench.runner.exit(request.attempt, how);
  }

  /** The next job of this kind of one rig comes to this. */
  once(kind: string, result: JobResult): Promise<unknown> {
    const rig = this.pick(2) === 0 ? 'api' : 'web';
    let key: string | null = null;
    this.bench.runner.judge = (job) => {
      if (job.kind !== kind || job.repo.rig !== rig) return defaultResult(job);
      key ??= job.key;
      return job.key === key ? result : defaultResult(job);
    };
    return Promise.resolve();
  }

  order(command: (bead: BeadId) => Parameters<TownBench['gateway']['beadCommand']>[0]): Promise<unknown> | null {
    const bead = this.somebead()[0];
    return bead === undefined ? null : this.bench.ask(this.bench.gateway.beadCommand(command(bead), this.#key()));
  }

  /**
   * The disk of one actor takes nothing: each of its turns throws, its alarm more often than a platform forgives. Time
   * goes on until the disk is whole again: who makes a convoy meanwhile waits for that rig, and time stands for who waits.
   */
  failing(): Promise<unknown> {
    const { world } = this.bench;
    const address = ['rig/api', 'rig/web', 'town'][this.pick(3)] ?? 'town';
    world.failingUntilMs.set(address, world.nowMs + FAILING_MS);
    return this.bench.failUntil(address, FAILING_MS);
  }

  /** Answers about one rig come past the deadline of a call, after which it is repeated; or in time again. */
  late(): Promise<unknown> {
    const { world } = this.bench;
    const rig = this.pick(2) === 0 ? 'api' : 'web';
    world.late = world.late === null ? { rig, ms: LATE_MS } : null;
    return Promise.resolve();
  }

  /** Somebody dies a few turns from now: before a turn with all that waits for it, or in it before its commit. */
  doom(): Promise<unknown> {
    const turns = this.pick(DOOM_TURNS);
    const [who] = this.weighed(DOOMS);
    this.bench.world.doom =
      who === 'in its turn'
        ? { turns, how: who, who: 'next' }
        : { turns, how: 'waiting', who: who === 'some' ? this.pick(60) : who };
    return Promise.resolve();
  }

  silence(isSilent: boolean): Promise<unknown> | null {
    if (this.bench.runner.silent === isSilent) return null;
    this.bench.runner.silent = isSilent;
    return Promise.resolve();
  }

  /** Every agent dies with its runner, and another one answers. */
  newRunner(): Promise<unknown> {
    const { runner } = this.bench;
    for (const process of runner.running()) this.exit(process, { exitCode: null, cause: 'runner_lost' });
    return Promise.resolve();
  }

  mail(): Promise<unknown> | null {
    return this.agent(({ request }) =>
      this.bench.ask(
        this.bench.gateway.talk.sendMail(
          { to: request.agent, kind: 'note', subject: 'Hello', body: 'There.', replyTo: null },
          this.#key(),
        ),
      ),
    );
  }

  async acknowledge(): Promise<void> {
    const open = await this.bench.ask(this.bench.gateway.listEscalations(true));
    const item = open[this.pick(open.length)];
    if (item !== undefined)
      await this.bench.ask(this.bench.gateway.commandEscalation(item.id, { type: 'ack' }, this.#key()));
  }
}

/** Tells it and answers where every actor ended. */
export async function tellHistory(bench: TownBench, order: HistoryOrder): Promise<HistoryEnd> {
  const { world } = bench;
  if (order.trace === true) world.trace = new Trace(() => world.nowMs);
  const done = await tellUntil(bench, order);
  bench.runner.silent = false;
  bench.world.late = null;
  bench.holdTurns(true);
  await bench.advance(END_MS);
  if (bench.world.surprises > 0)
    throw new Error('the host put an actor away by itself: it has too little of the machine');
  const { evictions, deaths, failedTurns, lateAnswers } = bench.world;
  const [diedWaiting, diedInTurn] = [deaths.waiting, deaths['in its turn']];
  const faults = { evictions, diedWaiting, diedInTurn, failedTurns, lateAnswers };
  return { ends: await bench.ends(), done, faults, trace: world.trace?.lines ?? [] };
}

/** Tells it up to its last step and leaves everything as it is then. What a step was refused is part of it, not an error. */
export async function tellUntil(bench: TownBench, order: HistoryOrder): Promise<HistoryEnd['done']> {
  const history = new History(bench, order.seed);
  bench.holdTurns(true);
  const done: Record<string, number> = {};
  await bench.start([rigConfig('api', { polecatsMax: 2 }), rigConfig('web', { polecatsMax: 1 })]);
  if (bench.world.trace !== null) bench.world.trace.isTold = true;
  for (let step = 0; step < order.steps; step += 1) {
    const [name, , verb] = history.weighed(VERBS);
    bench.world.trace?.note(`step ${String(step)}: ${name}`);
    const doing = verb(history);
    if (doing !== null) {
      done[name] = (done[name] ?? 0) + 1;
      await doing.catch(() => undefined);
    }
    await bench.settle();
    await bench.advance(history.weighed(WAITS)[0]);
  }
  bench.world.doom = null;
  bench.holdTurns(false);
  return done;
}

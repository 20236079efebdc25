/**
 * A whole town on virtual time, on whichever host: its actors, a runner that does what the test says, and clocks and
 * alarms that the test moves. The same stories are told to both, so nothing here knows a host.
 */
import type { Envelope, Receipt } from '../../src/actors/kernel/envelope.ts';
import type { RigConfig } from '../../src/core/commands.ts';
import type { TownGateway } from '../../src/ports/town-gateway.ts';
import { dumpTable, tableNames, type TableDump } from '../../src/store/table-dump.ts';
import type { Sql } from '../../src/ports/sql.ts';
import type { FakeRunner } from '../support/fake-runner.ts';
import { least, type BenchWorld } from './world.ts';

/** The state of one actor at the end, as plain rows. */
export interface ActorEnd {
  readonly address: string;
  readonly tables: readonly TableDump[];
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
/** A runner whose facts were not taken sends them again. */
const FACTS_AGAIN_MS = 1_000;
/** Far above what any step needs; beyond it something runs in circles. */
const ROUNDS_MAX = 20_000;

/** A town of one host. A host says how its actors are reached; time and quiet are the same everywhere. */
export abstract class TownBench {
  readonly world: BenchWorld;
  #isSending = false;
  #factsAgainAtMs = 0;

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
  /** One actor dies alone, in the middle of whatever it does. */
  protected abstract kill(address: string): Promise<void>;
  /** It begins anew from its rows. */
  protected abstract revive(address: string): Promise<void>;
  /** It has the turn that was held for it. */
  protected abstract giveTurn(address: string): Promise<void>;
  /** Its alarm rings, and nobody else asks for a turn: the same as both, one after the other. */
  protected async ringAndGive(address: string): Promise<void> {
    await this.ring(address);
    this.world.order.taken(address);
    await this.giveTurn(address);
  }

  /** While calls are on their way. */
  protected abstract arrivals(): Promise<void>;

  /** One actor alone loses its memory, between two steps. */
  async evict(pick: number): Promise<void> {
    await this.#dies(this.#numbered(pick));
    this.world.evictions += 1;
    await this.settle();
  }

  /** Everybody dies, one right after the other. */
  async evictAll(): Promise<void> {
    for (const address of this.addresses()) await this.#dies(address);
  }

  #numbered(pick: number): string {
    const addresses = this.addresses();
    return addresses[pick % addresses.length] ?? 'town';
  }

  async #dies(address: string): Promise<void> {
    this.world.trace?.note(`${address} dies`);
    await this.kill(address);
    await this.revive(address);
    await this.arrivals();
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

  /** True: each turn takes in the same on every host, and whoever asks something must do so by `ask`. Only at rest. */
  holdTurns(holds: boolean): void {
    this.world.order.holds = holds;
  }

  /** What the town answers to `asked` while turns are held: time goes on when nothing else can. */
  async ask<T>(asked: Promise<T>): Promise<T> {
    if (!this.world.order.holds) return asked;
    let isOpen = true;
    const end = (): void => {
      isOpen = false;
    };
    asked.then(end, end);
    for (let next = await this.settle(); isOpen; next = await this.settle()) {
      if (next === null) throw new Error('somebody waits for an answer, and nothing will happen any more');
      this.world.nowMs = Math.max(this.world.nowMs + 1, next);
    }
    return asked;
  }

  /** Lets everything happen that is due now, facts of the runner included. Answers the next alarm. */
  async settle(): Promise<number | null> {
    const { world } = this;
    if (world.order.holds) return this.#settleInTurns();
    for (let quiet = 0, rounds = 0; quiet < QUIET_ROUNDS; rounds += 1) {
      if (rounds > ROUNDS_MAX) throw new Error('the town does not come to rest');
      const before = world.turns;
      const isBusy = await this.#doDue();
      await this.breath();
      quiet = isBusy || world.turns !== before || world.isBusy() ? 0 : quiet + 1;
    }
    return this.#nextMs();
  }

  async #settleInTurns(): Promise<number | null> {
    const { world } = this;
    for (let rounds = 0; ; rounds += 1) {
      if (rounds > ROUNDS_MAX) throw new Error('the town does not come to rest');
      await this.arrivals();
      if (this.#sendFacts() || (await this.#ringDue())) continue;
      const address = world.order.next();
      if (address === null) return this.#nextMs();
      await this.#inTurn(address);
    }
  }

  async #inTurn(address: string): Promise<void> {
    const { world } = this;
    const { doom } = world;
    if (doom === null || doom.turns > 0) {
      if (doom !== null) doom.turns -= 1;
      return this.giveTurn(address);
    }
    if (doom.how === 'in its turn') return this.#dieInTurn(address);
    world.doom = null;
    world.deaths.waiting += 1;
    world.order.hold(address);
    if (doom.who === 'all') return this.evictAll();
    return this.#dies(doom.who === 'next' ? address : this.#numbered(doom.who));
  }

  async #dieInTurn(address: string): Promise<void> {
    const { world } = this;
    world.dyingIn = address;
    await this.giveTurn(address).catch(() => undefined);
    const hasDied = world.dyingIn === null;
    world.dyingIn = null;
    // Its disk took nothing, so there was no such moment: the next turn has one.
    if (!hasDied) return;
    world.doom = null;
    world.deaths['in its turn'] += 1;
    return this.revive(address);
  }

  /** As a runner does: one call at a time, and again after a while what was not taken. */
  #sendFacts(): boolean {
    const { world, runner } = this;
    if (runner.silent || runner.facts.length === 0 || this.#isSending || world.nowMs < this.#factsAgainAtMs)
      return false;
    const facts = runner.facts.splice(0);
    this.#isSending = true;
    for (const fact of facts) world.trace?.note(`the runner tells ${JSON.stringify(fact)}`);
    this.gateway.recordFacts(facts).then(
      () => {
        this.#isSending = false;
      },
      () => {
        this.#isSending = false;
        this.#factsAgainAtMs = world.nowMs + FACTS_AGAIN_MS;
        runner.facts.unshift(...facts);
      },
    );
    return true;
  }

  async #ringDue(): Promise<boolean> {
    const { world } = this;
    const due = this.addresses().filter((address) => world.timers.get(address)?.isDue(world.nowMs) === true);
    const [alone] = due;
    // An alarm that is set anew while its turn is held asks for the same turn.
    for (const address of due) if (!world.order.isHeld(address)) world.trace?.note(`${address} rings`);
    const isQuick = due.length === 1 && alone !== undefined && world.order.isEmpty && world.doom === null;
    if (isQuick && world.timers.get(alone)?.isOnlyAlarm(world.nowMs) === true) await this.ringAndGive(alone);
    else for (const address of due) await this.ring(address);
    return due.length > 0;
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
    const isFactLeft = this.runner.facts.length > 0 && !this.runner.silent && !this.#isSending;
    const alarms = [...this.world.timers.values()].map((timers) => timers.nextMs());
    return least([...alarms, isFactLeft ? this.#factsAgainAtMs : null]);
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

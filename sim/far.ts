import type { TownService } from '../src/actors/town-service.ts';
import { TAKEOVER_AFTER_MS } from '../src/core/limits.ts';
import { BrainDoor } from './brain-door.ts';
import type { Sim } from './context.ts';
import { FarClaims } from './far-claims.ts';
import type { Prng } from './prng.ts';
import { SimRunner } from './runner.ts';
import { NoAnswer, type Reach } from './wire.ts';

/** Name of the runner on the other machine. */
export const FAR = 'far';
const CAPACITY = 2;
/** From a cut to the moment in which the town's end notices it. */
const NOTICED_MAX_MS = 25_000;
/** What a cut of the line leads to shows so long after it. */
const AFTERMATH_MS = 4 * TAKEOVER_AFTER_MS;
/** A runner dials again after so long at most, and what failed is tried again. */
const AGAIN_MAX_MS = 3_000;
/** A machine that is down is looked at again. */
const LATER_MS = 60_000;
/** A person finds out that a machine is gone for good. */
const FOUND_OUT_MS = [30_000, TAKEOVER_AFTER_MS + 180_000] as const;

/** The town as it is seen from the other machine: not there while the line is cut, and an answer on its way is lost. */
class FarDoor extends BrainDoor {
  readonly #inner: BrainDoor;
  readonly #isCut: () => boolean;

  constructor(inner: BrainDoor, isCut: () => boolean) {
    super();
    this.#inner = inner;
    this.#isCut = isCut;
  }

  override get isOpen(): boolean {
    return !this.#isCut() && this.#inner.isOpen;
  }

  override get town(): TownService | null {
    return this.#isCut() ? null : this.#inner.town;
  }

  override async service<T>(work: (town: TownService) => Promise<T>): Promise<T> {
    if (this.#isCut()) throw new NoAnswer('the line is cut');
    const answer = await this.#inner.service(work);
    if (this.#isCut()) throw new NoAnswer('the line was cut before the answer');
    return answer;
  }
}

/** A machine far away with a runner of its own: it dials, is cut off, dies and comes back, or is gone for good. */
export class Far {
  readonly runner: SimRunner;
  readonly #sim: Sim;
  readonly #door: BrainDoor;
  readonly #chance: Prng;
  #cutUntilMs = 0;
  #isGone = false;
  #isRemoved = false;
  /** The process of the brain that has a line to it. */
  #metBy: TownService | null = null;

  constructor(sim: Sim, door: BrainDoor) {
    this.#sim = sim;
    this.#door = door;
    this.#chance = sim.chance('far');
    this.runner = new SimRunner(sim, new FarDoor(door, () => this.#isCut), FAR);
    const { disk } = this.runner;
    disk.owner = FAR;
    const claims = new FarClaims(sim, {
      name: FAR,
      isCut: () => this.#isCut || this.runner.instance() === null,
      cut: (durationMs) => {
        sim.ledger.trouble(sim.time.wallMs, sim.time.wallMs + durationMs + AFTERMATH_MS);
        this.cut(durationMs);
      },
      hasFact: (rig, key) => disk.hasFact(rig, key),
    });
    disk.onClaim = (claim) => {
      claims.claimed(claim);
    };
    this.runner.onInstance = () => {
      this.#meet();
    };
  }

  get #isCut(): boolean {
    return this.#isGone || this.#sim.time.nowMs < this.#cutUntilMs;
  }

  get reach(): Reach {
    return this.#isCut ? 'down' : this.runner.reach;
  }

  get hasLine(): boolean {
    return this.#metBy !== null && this.#metBy === this.#door.town && this.reach !== 'down';
  }

  /** Nobody has a line at a start; whoever is there dials. */
  brainStarted(): void {
    this.#metBy = null;
    if (this.#isGone) {
      this.#remove();
      return;
    }
    this.#ask('registers', async ({ runners }) => {
      const isKnown = (await runners.list()).some((runner) => runner.id === FAR);
      if (isKnown) await runners.away(FAR, 'suspect', 'the daemon started; it has not been heard of since');
      else await runners.add({ id: FAR, url: null, serial: 'serial' });
      this.#sim.time.after(this.#chance.between(50, AGAIN_MAX_MS), 'far dials', () => {
        this.#meet();
      });
    });
  }

  cut(durationMs: number): void {
    if (this.#isGone) return;
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#sim.time.nowMs + durationMs);
    this.#sim.note('the line to far is cut');
    for (const [attempt, row] of this.runner.disk.attempts)
      if (row.state !== 'exited') this.#sim.ledger.explain(attempt, 'its line was cut');
    this.#noticed();
    this.#sim.time.after(durationMs + 1, 'far dials again', () => {
      this.#meet();
    });
  }

  die(downMs: number): void {
    if (this.#isGone) return;
    this.runner.die(downMs, true);
    this.#noticed();
  }

  /** Its machine burns; a person says so later. */
  lose(): void {
    if (this.#isGone) return;
    if (this.runner.instance() === null) {
      // It is down and its return is on its way: it burns when it is back.
      this.#sim.time.after(LATER_MS, 'far burns later', () => {
        this.lose();
      });
      return;
    }
    this.runner.die(null, true);
    this.#isGone = true;
    this.#sim.ledger.burned.add(FAR);
    this.#noticed();
    this.#sim.time.after(this.#chance.between(...FOUND_OUT_MS), 'a person removes far', () => {
      // What was said to have been used and not told burned with it.
      for (const facts of this.runner.disk.facts.values())
        for (const fact of facts) if (fact.type === 'agent_usage') this.#sim.ledger.used.delete(fact.attempt);
      this.#remove();
    });
  }

  /** What its disk still holds for the town; what burned is nobody's. */
  get waiting(): ReadonlyMap<string, readonly unknown[]> {
    return this.#isGone ? new Map() : this.runner.disk.facts;
  }

  #noticed(): void {
    this.#metBy = null;
    this.#sim.time.after(this.#chance.between(1, NOTICED_MAX_MS), 'the cut is noticed', () => {
      if (!this.hasLine) this.#ask('away', ({ runners }) => runners.away(FAR, 'suspect', 'its line was cut'));
    });
  }

  #remove(): void {
    if (this.#isRemoved) return;
    this.#ask('removes', async ({ runners }) => {
      if ((await runners.list()).some((runner) => runner.id === FAR)) await runners.remove(FAR, true);
      this.#isRemoved = true;
    });
  }

  #meet(): void {
    const instance = this.runner.instance();
    if (instance === null || this.#isCut) return;
    this.#ask('meets', async (town) => {
      const hello = { instance, capacity: CAPACITY, labels: [], versions: {} };
      if (this.#isCut || this.runner.instance() !== instance) return;
      this.#metBy = town;
      await town.runners.seen(FAR, hello);
    });
  }

  /** Asks the brain that is there; a refusal for a full disk is tried again, and the next brain begins anew. */
  #ask(what: string, work: (town: TownService) => Promise<unknown>): void {
    const town = this.#door.town;
    if (town === null) return;
    this.#sim.note(`far ${what}`);
    work(town).catch(() => {
      this.#sim.time.after(this.#chance.between(500, AGAIN_MAX_MS), `far ${what} again`, () => {
        if (this.#door.town === town) this.#ask(what, work);
      });
    });
  }
}

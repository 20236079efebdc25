import { mendFeatures } from './mend.ts';
import type { MayorConfig } from '../src/core/model/mayor.ts';
import { Brain } from './brain.ts';
import { BrainDoor } from './brain-door.ts';
import { Checkers } from './checkers.ts';
import { nobodyWatches, type Sim } from './context.ts';
import { Coverage } from './coverage.ts';
import { CrashError } from './faulty-sql.ts';
import { GitModel } from './git-model.ts';
import { Far } from './far.ts';
import { Landings } from './landings.ts';
import { Ledger, Violation } from './ledger.ts';
import { Rest } from './liveness.ts';
import { MayorLedger } from './mayor-ledger.ts';
import { People } from './people.ts';
import { hasForge } from './forge-plan.ts';
import { TARGET_KIND } from './fault-plan.ts';
import type { FaultStep, Plan } from './plan.ts';
import { mendTargets, reddenTarget } from './red-target.ts';
import { rigConfig, withForge } from './rig-config.ts';
import { SimForge } from './forge.ts';
import { hash32, Prng } from './prng.ts';
import { SimRunner } from './runner.ts';
import { Scheduler } from './scheduler.ts';
import { Weather } from './weather.ts';
import { Wire } from './wire.ts';

const RIGS = ['api', 'web'] as const;
const MINUTE = 60_000;
/** After the storm the town has this much virtual time to come to rest. */
const CALM_MAX_MS = 48 * 60 * MINUTE;
/** Nothing new for so long, and nothing on its way: it is at rest. Longer than every back-off and quota window. */
const REST_MS = 50 * MINUTE;
/** … or for so long when no actor waits for a moment within that time: each safety net has looked at everything since. */
const QUIET_MS = 6 * MINUTE;
/** The storm is made longer by so many minutes at most, until it was long enough. */
const MORE_TRIES_MAX = 30;
/** So many steps within one second of virtual time are a circle of messages; a busy second has some hundred. */
const STEPS_PER_SECOND_MAX = 3_000;
/** So many of the towns have a mayor. */
const MAYOR_CHANCE = 0.7;
const MAYOR_CONFIG: MayorConfig = {
  runtime: 'command',
  model: null,
  command: 'mayor',
  wallClockMs: 20 * MINUTE,
  ownerEmail: 'owner@example.org',
};
/** A takeover, and the time in which a person finds out that a machine is gone. */
const FAR_AFTERMATH_MS = 20 * MINUTE;
/** A run that takes more steps is a loop. */
const STEPS_MAX = 200_000;

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
  readonly step: number;
}

export interface Result {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  readonly statements: number;
  readonly checks: number;
  readonly faults: number;
  readonly beads: number;
  readonly coverage: ReadonlyMap<string, number>;
  readonly failure: Failure | null;
  readonly lines: readonly string[];
}

/** Runs one plan to its end or to the first thing that must not happen. */
export async function runPlan(plan: Plan, options: Options): Promise<Result> {
  return new World(plan, options).run();
}

export interface Options {
  /** Keeps the lines of the trace. */
  readonly trace: boolean;
  /** Checks states; without it the run only makes its trace. */
  readonly checks: boolean;
  /** The town begins with empty databases; by default their schemas are there. */
  readonly isNew?: boolean;
}

class World {
  readonly #plan: Plan;
  readonly #time = new Scheduler();
  readonly #lines: string[] = [];
  readonly #trace: boolean;
  readonly #checks: boolean;
  readonly #coverage = new Coverage();
  readonly #ledger = new Ledger();
  readonly #landings = new Landings();
  readonly #mayor = new MayorLedger();
  readonly #weather: Weather;
  readonly #brain: Brain;
  readonly #runner: SimRunner;
  readonly #far: Far | null;
  readonly #people: People;
  readonly #checkers: Checkers;
  readonly #rest: Rest;
  readonly #mend: () => void;
  readonly #redden: (step: FaultStep) => void;
  readonly #sim: Sim;
  #hash = 0;
  #steps = 0;
  #second = { atMs: 0, steps: 0 };
  #storm = true;
  #stray: Error | null = null;

  constructor(plan: Plan, options: Options) {
    this.#plan = plan;
    this.#trace = options.trace;
    const chance = (name: string): Prng => new Prng(`${String(plan.seed)} ${name}`);
    this.#weather = new Weather(this.#time, chance('weather'));
    const wire = new Wire(this.#time, this.#weather, chance('wire'));
    const sim: Sim = {
      time: this.#time,
      weather: this.#weather,
      ledger: this.#ledger,
      landings: this.#landings,
      mayor: this.#mayor,
      wire,
      repos: new Map(RIGS.map((rig) => [rig, new GitModel(rig)])),
      chance,
      ...nobodyWatches(),
      sleep: (durationMs) => {
        this.#clockJumps('clock_jump', durationMs);
      },
      storm: () => this.#storm,
      long: plan.long,
      slung: plan.slung,
      tasksMax: plan.tasksMax,
      note: (line) => {
        this.#note(line);
      },
    };
    this.#sim = sim;
    this.#redden = (step) => {
      reddenTarget(sim, RIGS[0], step);
    };
    this.#mend = () => {
      mendFeatures(sim, this.#brain);
      mendTargets(sim, this.#brain);
    };
    const door = new BrainDoor();
    this.#runner = new SimRunner(sim, door);
    this.#far = plan.far ? new Far(sim, door) : null;
    this.#brain = new Brain({
      sim,
      door,
      runner: this.#runner,
      far: this.#far,
      isNew: options.isNew ?? false,
      onRows: (address, text, args) => {
        const database = this.#brain.databases.get(address);
        if (database === undefined) return;
        this.#coverage.sawRows(database, text, args);
        if (!options.checks) return;
        this.#checkers.money.sawRows(database, text, args);
        this.#checkers.breakers.sawRows(database, text, args);
      },
    });
    wire.reach = (side) =>
      side === 'runner'
        ? this.#runner.reach
        : side === 'far'
          ? (this.#far?.reach ?? 'down')
          : door.isOpen
            ? 'up'
            : 'down';
    this.#people = new People(sim, this.#brain, RIGS);
    this.#checkers = new Checkers({ sim, brain: this.#brain, coverage: this.#coverage, states: options.checks });
    this.#checks = options.checks;
    this.#rest = new Rest(sim, this.#brain, () => [this.#runner.disk.facts, this.#far?.waiting ?? new Map()]);
  }

  #note(line: string): void {
    const full = `${String(this.#time.nowMs)} ${line}`;
    this.#hash = hash32(full, this.#hash);
    if (this.#trace) this.#lines.push(full);
  }

  async run(): Promise<Result> {
    const stray = (error: unknown): void => {
      if (!(error instanceof CrashError)) this.#stray = error instanceof Error ? error : new Error(String(error));
    };
    process.on('unhandledRejection', stray);
    let failure: Failure | null = null;
    try {
      await this.#live();
    } catch (error) {
      failure = this.#failureOf(error);
    } finally {
      process.off('unhandledRejection', stray);
      for (const database of this.#brain.databases.values()) database.release(failure === null);
    }
    for (const [kind, count] of this.#weather.struck) this.#coverage.add(`fault ${kind}`, count);
    return {
      seed: this.#plan.seed,
      hash: this.#hash.toString(16).padStart(8, '0'),
      steps: this.#steps,
      statements: this.#brain.statements,
      checks:
        this.#checkers.checks +
        this.#checkers.money.checks +
        this.#ledger.checks +
        this.#landings.checks +
        this.#mayor.checks +
        this.#rest.checks,
      faults: this.#weather.total,
      beads: this.#people.beads.length,
      coverage: this.#coverage.counts,
      failure,
      lines: this.#lines,
    };
  }

  #failureOf(error: unknown): Failure {
    const code = error instanceof Violation ? error.code : 'CRASH';
    const message =
      error instanceof Violation
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    return { code, message, atMs: this.#time.nowMs, step: this.#steps };
  }

  async #live(): Promise<void> {
    for (const rig of RIGS) {
      const plain = rigConfig(rig, new Prng(`${String(this.#plan.seed)} merging ${rig}`));
      const isPull = rig === RIGS[1] && hasForge(this.#plan.seed);
      const config = isPull ? withForge(plain, new Prng(`${String(this.#plan.seed)} pulls ${rig}`)) : plain;
      if (isPull) this.#brain.forge = new SimForge(this.#sim, rig);
      this.#brain.configs.set(rig, config);
      if (config.gates.length > 0 && !isPull) this.#ledger.gated.add(rig);
    }
    // Some towns have no mayor: everything else works there as it is.
    if (new Prng(`${String(this.#plan.seed)} mayor`).chance(MAYOR_CHANCE)) this.#brain.mayor = MAYOR_CONFIG;
    this.#brain.start();
    for (const step of this.#plan.people)
      this.#time.after(1_000 + step.atMs, `person ${step.id} ${step.kind}`, () => {
        this.#people.act(step, '');
      });
    for (const step of this.#plan.faults)
      this.#time.after(1_000 + step.atMs, `fault ${step.id} ${step.kind}`, () => {
        this.#begin(step);
      });
    this.#time.after(this.#plan.stormMs + MINUTE, 'the storm is over', () => {
      this.#endStorm(1);
    });
    await this.#steppedUntilRest();
    this.#checkers.afterStep(true);
    if (!this.#checks) return;
    // Before what rests in the archive is unpacked for the other looks.
    this.#checkers.money.atEnd();
    this.#rest.check();
  }

  async #steppedUntilRest(): Promise<void> {
    for (;;) {
      const event = this.#isAtRest() ? null : this.#time.next();
      if (event === null) return;
      this.#steps += 1;
      this.#countSecond();
      this.#note(event.label);
      this.#perform(event.run);
      // Reading the clock moves it; so it is read once per step whether states are checked or not.
      this.#brain.readClock();
      // One macrotask: everything that promises can do without another event is done after it.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stray !== null) throw this.#stray;
      const [surprise] = this.#people.surprises;
      if (surprise !== undefined) throw new Violation('API', surprise);
      this.#checkers.afterStep();
      const nextMs = this.#time.peekMs();
      if (nextMs !== null && nextMs > this.#time.nowMs) this.#checkers.atRest();
      if (this.#steps > STEPS_MAX || this.#time.nowMs > this.#plan.stormMs + CALM_MAX_MS)
        throw new Violation('V0', 'the town does not come to rest');
    }
  }

  #countSecond(): void {
    if (this.#time.nowMs >= this.#second.atMs + 1_000) this.#second = { atMs: this.#time.nowMs, steps: 0 };
    this.#second.steps += 1;
    if (this.#second.steps > STEPS_PER_SECOND_MAX)
      throw new Violation('V0', `the town goes in a circle at ${String(this.#time.nowMs)} ms`);
  }

  /** What a dead process still throws is nobody's. */
  #perform(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof CrashError)) throw error;
    }
  }

  #isAtRest(): boolean {
    if (this.#storm || this.#time.foreground !== 0) return false;
    const quietMs = (this.#time.peekMs() ?? Number.POSITIVE_INFINITY) - this.#checkers.lastNewsMs;
    if (quietMs <= QUIET_MS) return false;
    return quietMs > REST_MS || !this.#checkers.isAnythingDue(this.#brain.nowMs + REST_MS);
  }

  /** A story in which too little happened goes on for a while. */
  #endStorm(tries: number): void {
    const { beadsMin, faultsMin, stepsMin } = this.#plan;
    const fewBeads = this.#people.beads.length < beadsMin || this.#steps < stepsMin;
    const fewFaults = this.#weather.total < faultsMin;
    if ((!fewBeads && !fewFaults) || tries > MORE_TRIES_MAX) {
      this.#calm();
      return;
    }
    const id = `more${String(tries)}`;
    if (fewBeads) for (const part of ['a', 'b', 'c']) this.#people.act({ id: id + part, atMs: 0, kind: 'bead' }, '');
    if (fewFaults) this.#begin({ id, atMs: 0, kind: 'crash_long', durationMs: 5_000, strength: 1, countdown: 0 });
    this.#time.after(MINUTE, 'the storm goes on', () => {
      this.#endStorm(tries + 1);
    });
  }

  /** No more faults, no more people: what is down comes back, what was parked runs. */
  #calm(): void {
    this.#storm = false;
    this.#weather.clear();
    this.#people.endStorm();
    // Only what must change is touched: a call would wake an actor that has lost its wake-up, and hide that.
    for (const config of this.#brain.configs.values())
      if (config.parked) this.#people.apply({ ...config, parked: false });
    this.#mend();
  }

  #begin(step: FaultStep): void {
    const { kind, durationMs } = step;
    this.#ledger.trouble(this.#brain.nowMs, this.#brain.nowMs + durationMs);
    switch (kind) {
      case 'crash_long':
        this.#weather.count(kind);
        this.#brain.crash(kind, durationMs);
        return;
      case 'runner_death':
      case 'machine_death':
        this.#weather.count(kind);
        this.#weather.note(durationMs);
        this.#runner.die(durationMs, kind === 'machine_death');
        return;
      case 'far_cut':
      case 'far_death':
      case 'far_lost':
        this.#farFault(kind, durationMs);
        return;
      case TARGET_KIND:
        this.#weather.count(kind);
        this.#redden(step);
        return;
      case 'runner_hang':
        this.#weather.count(kind);
        this.#weather.note(durationMs);
        this.#runner.hang(durationMs);
        return;
      case 'clock_jump':
      case 'clock_back':
        this.#clockJumps(kind, durationMs);
        return;
      default:
        this.#beginSpell(step);
    }
  }

  #clockJumps(kind: 'clock_jump' | 'clock_back', byMs: number): void {
    this.#weather.count(kind);
    if (kind === 'clock_jump') this.#ledger.clockJumps(this.#brain.nowMs, byMs);
    this.#time.wallOffsetMs += kind === 'clock_jump' ? byMs : -byMs;
    this.#brain.clockJumped();
  }

  /** What it had may be taken over long after the fault itself. */
  #farFault(kind: 'far_cut' | 'far_death' | 'far_lost', durationMs: number): void {
    this.#weather.count(kind);
    this.#weather.note(durationMs);
    this.#ledger.trouble(this.#brain.nowMs, this.#brain.nowMs + durationMs + FAR_AFTERMATH_MS);
    if (kind === 'far_cut') this.#far?.cut(durationMs);
    else if (kind === 'far_death') this.#far?.die(durationMs);
    else this.#far?.lose();
  }

  #beginSpell(step: FaultStep): void {
    if (step.kind.startsWith('crash_') || step.kind === 'disk_error') {
      this.#brain.nextDownMs = step.durationMs;
      this.#weather.arm(step.kind, step.countdown);
    } else this.#weather.begin(step.kind, step.durationMs, step.strength);
  }
}

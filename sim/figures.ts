import { Coverage } from './coverage.ts';
import { BEADS_MIN, FAULTS_MIN, STEPS_MIN } from './plan.ts';
import type { Result } from './world.ts';

/** What a set of seeds did, and how fast. */
export class Figures {
  readonly coverage = new Coverage();
  readonly #startedMs = performance.now();
  readonly #cpu = process.cpuUsage();
  seeds = 0;
  failures = 0;
  #steps = 0;
  #statements = 0;
  #faults = 0;
  #checks = 0;
  /** Seeds in which less happened than every seed must bring. */
  readonly small: string[] = [];

  add(result: Result): void {
    this.seeds += 1;
    this.#steps += result.steps;
    this.#statements += result.statements;
    this.#faults += result.faults;
    this.#checks += result.checks;
    if (result.failure !== null) this.failures += 1;
    else if (result.steps < STEPS_MIN || result.beads < BEADS_MIN || result.faults < FAULTS_MIN)
      this.small.push(sizeOf(result));
    this.coverage.merge(result.coverage);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** Speed per core is seeds per second of processor time, all threads together. */
  line(runsPerSeed: number): string {
    const { user, system } = process.cpuUsage(this.#cpu);
    const cpuMs = (user + system) / 1_000;
    const rate = (ms: number): string => (this.seeds / (ms / 1_000)).toFixed(2);
    return [
      `${String(this.seeds)} seeds (${runsPerSeed === 1 ? 'one run' : 'two runs'} each)`,
      `${String(this.#steps)} steps`,
      `${String(this.#statements)} crash points`,
      `${String(this.#faults)} faults injected`,
      `${String(this.#checks)} invariant checks`,
      `${rate(this.elapsedMs)} seeds per second`,
      `${rate(cpuMs)} per second and core`,
      `${String(this.failures)} failed`,
    ].join(', ');
  }
}

const sizeOf = ({ seed, steps, beads, faults }: Result): string =>
  `${String(seed)} (${String(steps)} steps, ${String(beads)} beads, ${String(faults)} faults)`;

/**
 * The simulator: `npm run sim -- --seed N [--seeds K] [--trace] [--keep p1,f2] [--no-shrink]`, and `--ci` for a bounded
 * set of seeds with the regressions and the coverage table. Exit code 1 when anything failed.
 */
import { parseArgs } from 'node:util';
import { Coverage, NO_PATH_YET, zeros } from './coverage.ts';
import { REGRESSIONS } from './regressions.ts';
import { commandOf, run, runTwice, type Selection } from './run.ts';
import { shrink } from './shrink.ts';
import type { Result } from './world.ts';

/** Seeds that CI runs, each twice; enough that the coverage table has no zero. */
const CI_SEEDS = 40;
/** No new seed is begun after this long, so that a slow machine does not make CI long. */
const CI_BUDGET_MS = 50_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    keep: { type: 'string' },
    trace: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});

class Figures {
  readonly coverage = new Coverage();
  readonly #startedMs = performance.now();
  seeds = 0;
  failures = 0;
  #steps = 0;
  #statements = 0;
  #faults = 0;
  #checks = 0;
  #runs = 0;

  add(result: Result, runs: number): void {
    this.seeds += 1;
    this.#runs += runs;
    this.#steps += result.steps;
    this.#statements += result.statements;
    this.#faults += result.faults;
    this.#checks += result.checks;
    if (result.failure !== null) this.failures += 1;
    this.coverage.merge(result.coverage);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  line(): string {
    const perSecond = (this.#runs / (this.elapsedMs / 1_000)).toFixed(1);
    return [
      `${String(this.seeds)} seeds (${String(this.#runs)} runs)`,
      `${String(this.#steps)} steps`,
      `${String(this.#statements)} crash points`,
      `${String(this.#faults)} faults injected`,
      `${String(this.#checks)} invariant checks`,
      `${perSecond} runs per second`,
      `${String(this.failures)} failed`,
    ].join(', ');
  }
}

async function report(selection: Selection, result: Result): Promise<void> {
  if (result.failure === null) return;
  const { code, message, step, atMs } = result.failure;
  const text = values.trace ? message : (message.split('\n', 1)[0] ?? '');
  console.log(`FAILED seed ${String(selection.seed)} at step ${String(step)} (${String(atMs)} ms): ${text}`);
  const small = values['no-shrink'] || code === 'TWICE' ? selection : await shrink(selection, code);
  console.log(`  again: ${commandOf(small)}`);
}

function printCoverage(coverage: Coverage, all: boolean): number {
  const missing = zeros(coverage.counts).filter((what) => !NO_PATH_YET.has(what.replace('transition ', '')));
  if (all)
    for (const [what, count] of [...coverage.counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      console.log(`${String(count).padStart(8)} ${what}`);
  for (const what of missing) console.log(`NOT REACHED ${what}`);
  return missing.length;
}

async function seeds(figures: Figures): Promise<void> {
  const first = Number(values.seed ?? '1');
  const keep = values.keep === undefined ? null : values.keep.split(',').filter((id) => id !== '');
  for (let seed = first; seed < first + Number(values.seeds); seed += 1) {
    const selection = { seed, keep };
    const result = await run(selection, values.trace);
    for (const line of result.lines) console.log(line);
    figures.add(result, 1);
    await report(selection, result);
    if (values['until-failure'] && result.failure !== null) break;
  }
  if (values.coverage) printCoverage(figures.coverage, true);
}

async function ci(figures: Figures): Promise<void> {
  const set: readonly Selection[] = [
    ...REGRESSIONS,
    ...Array.from({ length: CI_SEEDS }, (_, index) => ({ seed: index + 1, keep: null })).filter(
      ({ seed }) => !REGRESSIONS.some((known) => known.seed === seed && known.keep === null),
    ),
  ];
  for (const selection of set) {
    if (figures.elapsedMs > CI_BUDGET_MS) break;
    const result = await runTwice(selection);
    figures.add(result, 2);
    await report(selection, result);
  }
  const complete = figures.seeds === set.length;
  if (!complete) console.log(`${String(set.length - figures.seeds)} seeds left out: the time was up`);
  const missing = printCoverage(figures.coverage, values.coverage);
  if (complete) figures.failures += missing;
}

const figures = new Figures();
await (values.ci ? ci(figures) : seeds(figures));
console.log(figures.line());
process.exitCode = figures.failures > 0 ? 1 : 0;

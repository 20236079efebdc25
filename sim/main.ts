/**
 * The simulator: `npm run sim -- --seed N [--seeds K] [--jobs J] [--once] [--coverage] [--until-failure]`, with
 * `[--trace] [--keep p1,f2] [--no-shrink]` for one seed, and `--ci` for a bounded set of seeds with the regressions and
 * the coverage table. Each seed runs twice, and both traces must be equal. Exit code 1 when anything failed.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { NO_PATH_YET, RARE, zeros } from './coverage.ts';
import { Figures } from './figures.ts';
import { runAll } from './pool.ts';
import { REGRESSIONS } from './regressions.ts';
import { commandOf, run, type Selection } from './run.ts';
import { shrink } from './shrink.ts';
import type { Result } from './world.ts';

/** Seeds that CI runs; enough that the coverage table has no zero but rare ones. */
const CI_SEEDS = 60;
/** Seeds after these, each for what hardly any other reaches: how often that happens is told by `--coverage`. */
const CI_MORE = [72, 78, 84, 88, 100, 150, 160, 177];
/** No new seed is begun after this long, so that a slow machine does not make CI long. */
const CI_BUDGET_MS = 60_000;
/** A line about the seeds so far, after so many. */
const PROGRESS_EVERY = 1_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    keep: { type: 'string' },
    trace: { type: 'boolean', default: false },
    ci: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});

async function report(selection: Selection, result: Result): Promise<void> {
  if (result.failure === null) return;
  const { code, message, step, atMs } = result.failure;
  const text = values.trace ? message : (message.split('\n', 1)[0] ?? '');
  console.log(`FAILED seed ${String(selection.seed)} at step ${String(step)} (${String(atMs)} ms): ${text}`);
  const small = values['no-shrink'] || code === 'TWICE' ? selection : await shrink(selection, code);
  console.log(`  again: ${commandOf(small)}`);
}

/** Says what was not reached, or the whole table; answers how much is missing. */
function printCoverage(counts: ReadonlyMap<string, number>, all: boolean): number {
  if (all)
    for (const [what, count] of [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      console.log(`${String(count).padStart(8)} ${what}`);
  const unseen = zeros(counts).filter((what) => !NO_PATH_YET.has(what.replace('transition ', '')));
  const missing = unseen.filter((what) => !RARE.has(what));
  for (const what of unseen) if (RARE.has(what)) console.log(`rare, not reached: ${what}`);
  for (const what of missing) console.log(`NOT REACHED ${what}`);
  for (const what of NO_PATH_YET.keys())
    if ((counts.get(`transition ${what}`) ?? 0) > 0) console.log(`REACHED, though listed in NO_PATH_YET: ${what}`);
  return missing.length;
}

async function traced(figures: Figures, selection: Selection): Promise<void> {
  const result = await run(selection, true);
  for (const line of result.lines) console.log(line);
  figures.add(result);
  await report(selection, result);
}

async function several(figures: Figures, selections: Iterable<Selection>, budgetMs: number): Promise<void> {
  const jobs = Math.max(1, Number(values.jobs));
  for await (const { selection, result } of runAll(selections, { jobs, twice: !values.once })) {
    figures.add(result);
    await report(selection, result);
    if (figures.seeds % PROGRESS_EVERY === 0) console.log(figures.line(values.once ? 1 : 2));
    if (values['until-failure'] && result.failure !== null) return;
    if (figures.elapsedMs > budgetMs) return;
  }
}

function* chosen(): Generator<Selection> {
  const first = Number(values.seed);
  const keep = values.keep === undefined ? null : values.keep.split(',').filter((id) => id !== '');
  for (let seed = first; seed < first + Number(values.seeds); seed += 1) yield { seed, keep };
}

function ciSet(): readonly Selection[] {
  const isKnown = (seed: number): boolean => REGRESSIONS.some((known) => known.seed === seed && known.keep === null);
  const numbers = [...Array.from({ length: CI_SEEDS }, (_, index) => index + 1), ...CI_MORE];
  const fresh = numbers.map((seed) => ({ seed, keep: null }));
  return [...REGRESSIONS, ...fresh.filter(({ seed }) => !isKnown(seed))];
}

async function ci(figures: Figures): Promise<number> {
  const set = ciSet();
  await several(figures, set, CI_BUDGET_MS);
  const leftOut = set.length - figures.seeds;
  if (leftOut > 0) console.log(`${String(leftOut)} seeds left out: the time was up`);
  const missing = printCoverage(figures.coverage.counts, values.coverage);
  return leftOut > 0 ? 0 : missing;
}

async function main(): Promise<number> {
  const figures = new Figures();
  let missing = 0;
  if (values.ci) missing = await ci(figures);
  else if (values.trace) for (const selection of chosen()) await traced(figures, selection);
  else await several(figures, chosen(), Number.POSITIVE_INFINITY);
  if (!values.ci && values.coverage) printCoverage(figures.coverage.counts, true);
  if (figures.small.length > 0 && values.keep === undefined)
    console.log(`smaller than every seed must be: ${figures.small.join(', ')}`);
  console.log(figures.line(values.once || values.trace ? 1 : 2));
  return figures.failures + missing + (values.keep === undefined ? figures.small.length : 0);
}

process.exitCode = (await main()) > 0 ? 1 : 0;

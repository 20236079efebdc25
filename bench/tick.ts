/** What a turn costs when much has been done before: idle, with 10 and with 100 changes (goals G1 and G2). */
import { human, newBead } from '../test/support/town-story.ts';
import { FullScan } from './baselines/full-scan.ts';
import { median, type Bench } from './result.ts';
import { openRig, timed } from './rig.ts';

const ROUNDS = 7;
const SIZES = [1_000, 10_000];
/** With GT_BENCH_LONG=1: minutes and some GB of memory. */
const LONG_SIZES = [...SIZES, 100_000, 1_000_000];
/** One idle turn is below the clock's grain; so many are timed together. */
const IDLE_TURNS = 200;
const IDLE_GOAL_AT_10K = 200;

interface Cost {
  readonly idle: number;
  readonly ten: number;
  readonly hundred: number;
  readonly fullIdle: number;
  readonly fullTen: number;
  readonly fullHundred: number;
}

async function measure(closed: number, rounds: number): Promise<Cost> {
  const { rig } = await openRig({ closed });
  const baseline = new FullScan(closed);
  const idle = async (): Promise<void> => {
    for (let turn = 0; turn < IDLE_TURNS; turn += 1) await rig.actor.ask(() => null, ['idle']);
  };
  const busy = (count: number) => () =>
    Promise.all(Array.from({ length: count }, () => rig.createBead(newBead('work', { sling: false }), human)));
  const series: Record<keyof Cost, number[]> = {
    idle: [],
    ten: [],
    hundred: [],
    fullIdle: [],
    fullTen: [],
    fullHundred: [],
  };
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    const now = {
      idle: (await timed(idle)) / IDLE_TURNS,
      fullIdle: await timed(() => baseline.tick(0, round * 10)),
      ten: await timed(busy(10)),
      fullTen: await timed(() => baseline.tick(10, round * 10 + 1)),
      hundred: await timed(busy(100)),
      fullHundred: await timed(() => baseline.tick(100, round * 10 + 2)),
    };
    if (round > 0) for (const [name, value] of Object.entries(now)) series[name as keyof Cost].push(value);
  }
  baseline.close();
  rig.actor.close();
  return Object.fromEntries(Object.entries(series).map(([name, values]) => [name, median(values)])) as unknown as Cost;
}

const us = (ms: number): string => `${(ms * 1_000).toFixed(0)} µs`;
const times = (ratio: number): string => `1/${ratio.toFixed(0)}`;

export const tick: Bench = async (rounds) => {
  const sizes = process.env['GT_BENCH_LONG'] === '1' ? LONG_SIZES : SIZES;
  const figures: Record<string, string> = {};
  const costs: Cost[] = [];
  let at10k = 0;
  for (const closed of sizes) {
    const cost = await measure(closed, rounds ?? ROUNDS);
    const ratio = cost.fullIdle / cost.idle;
    if (closed === 10_000) at10k = ratio;
    const name = `${String(closed)} closed`;
    figures[`${name}: idle`] = `${us(cost.idle)}, full scan ${us(cost.fullIdle)}, ${times(ratio)}`;
    figures[`${name}: 10 changes`] =
      `${us(cost.ten)}, full scan ${us(cost.fullTen)}, ${times(cost.fullTen / cost.ten)}`;
    figures[`${name}: 100 changes`] =
      `${us(cost.hundred)}, full scan ${us(cost.fullHundred)}, ${times(cost.fullHundred / cost.hundred)}; 100 : 10 is ${(cost.hundred / cost.ten).toFixed(1)}`;
    costs.push(cost);
  }
  const [first, last] = [costs[0], costs.at(-1)];
  if (first !== undefined && last !== undefined)
    figures['growth from the smallest to the largest'] =
      `idle ${(last.idle / first.idle).toFixed(2)}, 10 changes ${(last.ten / first.ten).toFixed(2)} (1 is flat)`;
  return {
    bench: 'tick',
    figures,
    goal: `idle turn at most 1/${String(IDLE_GOAL_AT_10K)} of the full scan at 10,000 closed beads`,
    holds: at10k >= IDLE_GOAL_AT_10K,
    ratio: at10k,
    ratioOf: 'full scan : idle turn at 10,000 closed beads',
  };
};

/**
 * Would the merge train be faster if it knew which files an entry changes (decision 15)? Plans that know it against the
 * town's own, on a line where some of what is red is so because two entries changed the same file.
 */
import { PATH_PLANS } from './baselines/path-plans.ts';
import { OverlapLine, type OverlapWorld } from './overlap-world.ts';
import type { Bench } from './result.ts';
import { trainOn, type Planner } from './train-world.ts';
import { planRound } from '../src/core/train/plan.ts';

const LANDINGS = 1_200;
const SEEDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const FLAKE = 0.01;
const BAD = [0.02, 0.1, 0.3];
const SHARES = [0, 0.25, 0.5, 0.8];
/** Lanes with the batch and the repository's areas: a town's own settings, three lanes, eight, and eight in a dense one. */
const TRAINS = [
  { lanes: 1, batch: 8, areas: 40 },
  { lanes: 3, batch: 16, areas: 40 },
  { lanes: 8, batch: 32, areas: 40 },
  { lanes: 8, batch: 32, areas: 10 },
];
/** What the decision is about: most of what is red is so by itself. */
const USUAL_SHARE = 0.25;
const WORTH = 1.05;
/** Halvings of the interval in which the chance lies that gives the wanted share. */
const TUNE_STEPS = 9;
const TUNE_LANDINGS = 800;

type Settings = Omit<OverlapWorld, 'seed'>;

const plain: Planner = (front, setup) =>
  planRound(
    front.map(({ mark }) => ({ mark })),
    setup,
  );
const percent = (part: number): string => `${String(Math.round(part * 100))} %`;

/** Every line of work that is measured. */
const worlds = (landings: number): readonly Settings[] =>
  TRAINS.flatMap((train) =>
    SHARES.flatMap((share) => BAD.map((bad) => ({ ...train, share, bad, flake: FLAKE, landings, breaks: 0 }))),
  );

export const paths: Bench = (rounds) => {
  const figures: Record<string, string> = {};
  const usual = new Map<string, number[]>();
  for (const world of worlds((rounds ?? 1) * LANDINGS).map(tuned)) {
    const { lanes, areas, bad, share } = world;
    const base = speed(world, () => plain);
    const ratios = Object.entries(PATH_PLANS).map(([name, plan]) => [name, speed(world, plan) / base] as const);
    const at = `${String(lanes)} lanes, ${String(areas)} areas, ${percent(bad)} bad, ${percent(share)} by overlap`;
    figures[at] = ratios.map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`).join(', ');
    if (share !== USUAL_SHARE) continue;
    for (const [name, ratio] of ratios) usual.set(name, [...(usual.get(name) ?? []), ratio]);
  }
  const means = [...usual].map(
    ([name, ratios]) => [name, ratios.reduce((sum, one) => sum + one, 0) / ratios.length] as const,
  );
  const [best, ratio] = means.reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0] as const);
  return Promise.resolve({
    bench: 'paths',
    figures,
    goal: `knowing the paths is worth it from ${WORTH.toFixed(2)} on, with ${percent(USUAL_SHARE)} of the bad ones bad by overlap`,
    holds: null,
    ratio,
    ratioOf: `landed per test time, mean with ${percent(USUAL_SHARE)} by overlap: ${best} : the town's train`,
  });
};

function speed(world: Settings, plan: (line: OverlapLine) => Planner): number {
  const scores = SEEDS.map((seed) => {
    const line = new OverlapLine({ ...world, seed });
    return trainOn(line, { ...world, seed }, plan(line));
  });
  const sum = (of: 'landed' | 'rounds'): number => scores.reduce((all, score) => all + score[of], 0);
  return sum('landed') / sum('rounds');
}

/** With the chance of a break at which the wanted part of all entries is given back for one. */
function tuned(world: Settings): Settings {
  if (world.share === 0) return world;
  let [low, high] = [0, 1];
  for (let step = 0; step < TUNE_STEPS; step += 1) {
    const breaks = (low + high) / 2;
    const tried = { ...world, breaks, landings: TUNE_LANDINGS, seed: 'tune' };
    const line = new OverlapLine(tried);
    const { landed } = trainOn(line, tried, plain);
    if (line.broken / (line.givenBack + landed) < world.bad * world.share) low = breaks;
    else high = breaks;
  }
  return { ...world, breaks: (low + high) / 2 };
}

/**
 * The merge train against others on the same line of work (goal G9), and its rounds with real git. A policy is asked what it
 * tests; a run of the gates takes one unit of time, and as many run at once as there are lanes.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerContext } from '../src/runner/context.ts';
import { runMerge } from '../src/runner/jobs/merge.ts';
import { runPush } from '../src/runner/jobs/push.ts';
import { batchOfFive, halving, serial, serialTwice, window } from './baselines/train-policies.ts';
import { commitIn, plainGit, SMALL, withFiles, type Place } from './files.ts';
import { median, ms, type Bench } from './result.ts';
import { timed } from './rig.ts';
import { ourTrain, waitsOf, type Score, type World } from './train-world.ts';

const LANDINGS = 1_500;
const SEEDS = ['a', 'b', 'c'];
const LANES = 8;
const BATCH = 32;
const BAD = [0, 0.02, 0.05, 0.1, 0.3, 0.5, 0.8];
const FLAKES = [0, 0.02];
const SHOWN = [0, 0.02, 0.1, 0.3];
const TEST_SECONDS = [1, 10, 60];
const HOUR_S = 3_600;
/** With one lane the second run of a red entry is paid for in full; how much that is grows with the bad ones. */
const ONE_LANE = [0.1, 0.3, 0.5];
const FLOOD = 36;
const FLOOD_ROUNDS = 400;
const FLOOD_BAD = 0.1;
const GIT_ROUNDS = 5;
const TOGETHER = 8;

const percent = (part: number): string => `${String(Math.round(part * 100))} %`;
const speed = (score: Score): number => score.landed / score.rounds;

type Policy = (world: World) => Score;
const sum = (policy: Policy, world: Omit<World, 'seed'>): Score =>
  SEEDS.map((seed) => policy({ ...world, seed })).reduce((all, one) => ({
    landed: all.landed + one.landed,
    wronged: all.wronged + one.wronged,
    rounds: all.rounds + one.rounds,
    runs: all.runs + one.runs,
  }));

export const train: Bench = async (rounds) => {
  const landings = (rounds ?? 1) * LANDINGS;
  const git = await withGit();
  const figures: Record<string, string> = {
    'one merged and pushed with git': ms(git.oneMs),
    [`${String(TOGETHER)} merged in one round, pushed once`]: `${ms(git.togetherMs)}: ${(git.togetherMs / TOGETHER / git.oneMs).toFixed(2)} of one each`,
  };
  for (const bad of SHOWN)
    for (const seconds of TEST_SECONDS)
      figures[`${percent(bad)} bad, tests of ${String(seconds)} s`] = perHour({ bad, landings, seconds, git });
  let worst = Number.POSITIVE_INFINITY;
  for (const flake of FLAKES)
    for (const bad of BAD) {
      const world = { bad, flake, lanes: LANES, batch: BATCH, landings };
      const best = Math.max(...[serial, halving, window].map((policy) => speed(sum(policy, world))));
      worst = Math.min(worst, speed(sum(ourTrain, world)) / best);
    }
  const world = { bad: 0.05, flake: 0, lanes: LANES, batch: BATCH, landings };
  const ours = sum(ourTrain, world);
  const toWindow = speed(ours) / speed(sum(window, world));
  const toFive = speed(ours) / speed(sum(batchOfFive, world));
  figures['5 % bad, 8 lanes: batch of 5, retried, halved'] = `ours is ${toFive.toFixed(2)} times as fast`;
  figures['5 % bad, 8 lanes: runs per landing'] = (ours.runs / ours.landed).toFixed(2);
  figures['the worst of 14 rates against the best of three'] = `${worst.toFixed(2)} times as fast`;
  for (const bad of ONE_LANE) figures[`${percent(bad)} bad, one lane: against one by one`] = oneLane(bad, landings);
  const waits = flooded();
  figures[`${String(FLOOD)} in line and a new one a round: the oldest lands`] =
    `after at most ${String(waits.oldest)} runs, one by one ${String(FLOOD)}; of all ${String(waits.all)} at most ${String(waits.longest)} after they came`;
  return {
    bench: 'train',
    figures,
    goal: '5 % bad, 8 lanes: 1.5 times a speculative window, 4 times a batch of 5; never below 0.95 of the best of serial, halving and window; of 36 in line with one lane nobody waits longer than one by one',
    holds: toWindow >= 1.5 && toFive >= 4 && worst >= 0.95 && waits.oldest <= FLOOD,
    ratio: toWindow,
    ratioOf: 'landed per test time, 5 % bad, 8 lanes: our train : a speculative window',
  };
};

function oneLane(bad: number, landings: number): string {
  const world = { bad, flake: 0, lanes: 1, batch: TOGETHER, landings };
  const ours = speed(sum(ourTrain, world));
  const [once, twice] = [serial, serialTwice].map((policy) => (ours / speed(sum(policy, world))).toFixed(2));
  return `${once ?? ''} of giving back at the first red; ${twice ?? ''} of running a red again`;
}

/** One lane, a line that is full and one new entry per run of the gates: how long whoever is in it waits, in runs. */
function flooded(): { readonly oldest: number; readonly longest: number; readonly all: number } {
  const all = SEEDS.flatMap((seed) =>
    waitsOf({ bad: FLOOD_BAD, flake: 0.02, lanes: 1, batch: TOGETHER, landings: 0, seed }, FLOOD, FLOOD_ROUNDS),
  );
  return {
    oldest: Math.max(...all.filter(({ cameAt }) => cameAt === 0).map(({ waited }) => waited)),
    longest: Math.max(...all.map(({ waited }) => waited)),
    all: all.length,
  };
}

interface Git {
  readonly oneMs: number;
  readonly togetherMs: number;
}

/** One lane and eight against one entry after the other; git's own time is as measured. */
function perHour(of: {
  readonly bad: number;
  readonly landings: number;
  readonly seconds: number;
  readonly git: Git;
}): string {
  const { bad, landings, seconds, git } = of;
  const perRoundS = (gitMs: number): number => seconds + gitMs / 1_000;
  const hour = (score: Score, gitMs: number): number => Math.round((speed(score) / perRoundS(gitMs)) * HOUR_S);
  const one = sum(serial, { bad, flake: 0, lanes: 1, batch: 1, landings });
  const lane = sum(ourTrain, { bad, flake: 0, lanes: 1, batch: TOGETHER, landings });
  const lanes = sum(ourTrain, { bad, flake: 0, lanes: LANES, batch: BATCH, landings });
  const runs = (score: Score): string => `${(score.runs / score.landed).toFixed(2)} runs each`;
  return [
    `serial ${String(hour(one, git.oneMs))}/h`,
    `one lane ${String(hour(lane, git.togetherMs))}/h, ${runs(lane)}`,
    `eight ${String(hour(lanes, git.togetherMs))}/h, ${runs(lanes)}`,
  ].join('; ');
}

/** What the jobs need of a runner; nothing else of it is touched by them. */
const contextOf = (place: Place): RunnerContext =>
  ({
    repos: place.repos,
    pushes: { push: () => Promise.resolve() },
    timings: { pushWaitMs: 0 },
  }) as unknown as RunnerContext;

const withGit = (): Promise<Git> =>
  withFiles(SMALL, async (place) => {
    const one: number[] = [];
    const together: number[] = [];
    for (let round = 0; round <= GIT_ROUNDS; round += 1) {
      const alone = [work(place, `one-${String(round)}`)];
      const oneMs = await timed(() => land(place, alone));
      const many = Array.from({ length: TOGETHER }, (_, n) => work(place, `many-${String(round)}-${String(n)}`));
      const togetherMs = await timed(() => land(place, many));
      if (round > 0) {
        one.push(oneMs);
        together.push(togetherMs);
      }
    }
    return { oneMs: median(one), togetherMs: median(together) };
  });

/** A branch at the origin with one changed file, off the target as it is. */
function work({ seed }: Place, branch: string): string {
  plainGit(['fetch', '-q', 'origin', 'main'], seed);
  plainGit(['checkout', '-q', '-B', branch, 'FETCH_HEAD'], seed);
  writeFileSync(join(seed, 'd0', `${branch}.txt`), `${branch}\n`);
  const head = commitIn(seed, branch);
  plainGit(['push', '-q', 'origin', branch], seed);
  return head;
}

async function land(place: Place, heads: readonly string[]): Promise<void> {
  const ctx = contextOf(place);
  const entries = heads.map((head) => ({
    mergeRequest: head.slice(0, 12),
    head,
    earlierCandidate: null,
    message: `Merge ${head}`,
  }));
  const [first, ...riders] = entries;
  if (first === undefined) return;
  const merged = await runMerge(ctx, {
    ...first,
    kind: 'merge',
    key: first.head,
    repo: place.wire,
    author: { name: 'Bench', email: 'bench@localhost' },
    dateMs: 1_700_000_000_000,
    ...(riders.length === 0 ? {} : { riders, lists: [heads.map((_head, index) => index)] }),
  });
  if (merged.result !== 'candidate') throw new Error(JSON.stringify(merged));
  const candidate = merged.made?.[0]?.entries.at(-1)?.candidate ?? merged.candidate;
  const { mergeRequest } = first;
  const push = {
    kind: 'push',
    key: first.head,
    repo: place.wire,
    mergeRequest,
    candidate,
    expectedOld: merged.targetSha,
  } as const;
  const pushed = await runPush(ctx, push);
  if (pushed.result !== 'pushed') throw new Error(JSON.stringify(pushed));
}

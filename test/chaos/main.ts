/**
 * Chaos: real daemon, runner, git and agents, and a monkey that kills -9 until all work is done. What came out is counted
 * from outside: the remotes, a ledger that the agents keep themselves, and the process table.
 *
 *   npm run chaos -- [--short] [--beads 40] [--kills 60] [--seed 1] [--minutes 15] [--keep]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { killNow, markedProcesses, serversOf, sleep } from '../support/processes.ts';
import { callTown, TownAway } from '../support/real-town.ts';
import { Keeper } from './keeper.ts';
import { Monkey, PHASES, wishes } from './monkey.ts';
import { makePlan, seeded } from './plan.ts';
import { attemptsOf, explainOpen, gt, killTable } from './report.ts';
import { makeStage, type Stage } from './stage.ts';
import { judge } from './verdict.ts';
import { startWatcher } from './watcher.ts';
import { Work } from './work.ts';

interface Options {
  readonly beads: number;
  readonly kills: number;
  readonly seed: number;
  /** Kills of the runner alone, at the end. */
  readonly storm: number;
  readonly limitMs: number;
  readonly keep: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean' },
      beads: { type: 'string' },
      kills: { type: 'string' },
      seed: { type: 'string' },
      minutes: { type: 'string' },
      keep: { type: 'boolean' },
    },
  });
  const short = values.short === true;
  const number = (text: string | undefined, fallback: number): number => (text === undefined ? fallback : Number(text));
  return {
    beads: number(values.beads, short ? 10 : 40),
    kills: number(values.kills, short ? 9 : 60),
    seed: number(values.seed, short ? 1 : Date.now() % 1_000_000),
    storm: short ? 0 : 8,
    limitMs: number(values.minutes, short ? 3 : 20) * 60_000,
    keep: values.keep === true,
  };
}

const CALM_LOOK_MS = 250;

/** Waits until the remotes have everything, and the town says so too. Throws what is stuck. */
async function untilAllMerged(stage: Stage, work: Work, deadlineMs: number): Promise<void> {
  for (;;) {
    const open = work.unfinished();
    if (open.length === 0 && (await openInTown(stage)) === 0) return;
    if (Date.now() > deadlineMs)
      throw new Error(
        `the deadline came with ${String(open.length)} beads unfinished: ${open.map(({ bead }) => bead.label).join(', ')}`,
      );
    await sleep(CALM_LOOK_MS);
  }
}

async function openInTown(stage: Stage): Promise<number> {
  const path = 'beads?status=open,in_progress,in_review,failed&limit=500';
  try {
    return (await callTown<{ items: unknown[] }>(stage.town, { method: 'GET', path })).items.length;
  } catch (error) {
    if (error instanceof TownAway) return 1;
    throw error;
  }
}

/** Whatever happened, nothing of this town keeps running; only processes with its marker or its folder are touched. */
function endEverything(stage: Stage): void {
  for (const { pid } of [...serversOf(stage.town.paths.root), ...markedProcesses(stage.town.identity.id)]) killNow(pid);
}

async function main(): Promise<number> {
  if (process.platform !== 'linux') {
    console.error('chaos NOT RUN: it reads /proc and needs flock, so it runs on Linux only');
    return 1;
  }
  const options = readOptions();
  const began = Date.now();
  const deadlineMs = began + options.limitMs;
  const folder = mkdtempSync(join(tmpdir(), 'gt-chaos-'));
  const random = seeded(options.seed);
  const plan = makePlan(options.beads, random);
  const stage = await makeStage(folder, plan.pairs);
  console.log(
    `chaos in ${folder}: ${String(options.beads)} beads, ${String(options.kills)} kills, seed ${String(options.seed)}`,
  );
  const onInterrupt = (): void => {
    endEverything(stage);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  const keeper = new Keeper(stage);
  const work = new Work(stage, plan, random);
  const monkey = new Monkey({ stage, keeper, random, feed: work.feed, deadlineMs });
  const watcher = startWatcher(stage.town.identity.id);
  const problems: string[] = [];
  let calmMs = 0;
  try {
    await keeper.start();
    await work.slingConvoy(plan.beads.filter((bead) => bead.convoy));
    await work.slingNext(Math.ceil(options.beads / 2));
    await monkey.run(wishes(options.kills, random));
    await monkey.storm(options.storm, () => work.unfinished().length);
    await work.slingRest();
    const calmAt = Date.now();
    await untilAllMerged(stage, work, deadlineMs);
    calmMs = Date.now() - calmAt;
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    console.log(explainOpen(stage, work.unfinished()));
  }
  watcher.stop();
  problems.push(...watcher.problems(), ...keeper.crashes);
  keeper.expectEnd();
  const down = gt(stage, 'down');
  await keeper.waitEnd();
  problems.push(...judge(stage, [...work.slung.values()], monkey.kills));
  if (problems.length > 0) console.log(`gt down said: ${down}`);
  endEverything(stage);
  console.log(killTable(monkey.kills));
  return conclude({
    options,
    problems,
    stage,
    figures: figures(stage, monkey, keeper, { looks: watcher.looks(), calmMs, tookMs: Date.now() - began }),
  });
}

function figures(
  stage: Stage,
  monkey: Monkey,
  keeper: Keeper,
  times: { looks: number; calmMs: number; tookMs: number },
): string {
  const { turns, beads, reworks, again } = attemptsOf(stage);
  const daemon = monkey.kills.filter(({ target }) => target === 'daemon').length;
  const twice = monkey.kills.filter((kill) => kill.twice).length;
  const ready = keeper.readyMs.toSorted((a, b) => a - b);
  console.log(
    `daemon back: median ${String(Math.round(ready[Math.floor(ready.length / 2)] ?? 0))} ms, worst ${String(Math.round(ready.at(-1) ?? 0))} ms; ` +
      `${String(twice)} kills hit the recovery from one; ${String(times.looks)} looks at the process table; all merged ${(times.calmMs / 1_000).toFixed(1)} s after the last kill`,
  );
  return (
    `${String(monkey.kills.length)} kills (${String(daemon)} daemon in ${String(PHASES.length)} phases, ${String(monkey.kills.length - daemon)} runner), ` +
    `${String(beads)} beads, ${String(reworks)} reworks, ${String(turns)} turns of agents, ${String(again)} given out again after a kill of the runner, ` +
    `${(times.tookMs / 1_000).toFixed(0)} s`
  );
}

function conclude(end: { options: Options; problems: readonly string[]; stage: Stage; figures: string }): number {
  if (end.problems.length === 0) {
    if (!end.options.keep) {
      rmSync(end.stage.folder, { recursive: true, force: true });
      rmSync(end.stage.town.identity.socketDir, { recursive: true, force: true });
    }
    console.log(`chaos holds: ${end.figures}`);
    return 0;
  }
  for (const problem of end.problems) console.log(`DOES NOT HOLD: ${problem}`);
  console.log(`kept for inspection: ${end.stage.folder} (seed ${String(end.options.seed)})`);
  console.log(`chaos FAILED, ${String(end.problems.length)} findings: ${end.figures}`);
  return 1;
}

process.exitCode = await main();

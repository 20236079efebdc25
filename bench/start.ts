/**
 * From the owner's `sling` to the agent's process, worktree included: one bead at a time, on a target that moves between
 * any two of them, so that each start has something to fetch and to check out. The agent's first action writes the time.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { callTown, git, type RealTown } from '../test/support/real-town.ts';
import { machineFigures } from './machine.ts';
import { median, spread, type Bench } from './result.ts';
import { startDaemon, until, withTown } from './town.ts';

const ROUNDS = 40;
/** The first ones make the clone and fill the pool. */
const WARM_UP = 3;
const FILES = 300;
const GOAL_MS = 150;
const WAIT_MS = 60_000;

const files = Object.fromEntries(
  Array.from({ length: FILES }, (_, index) => [
    `src/d${String(index % 20)}/f${String(index)}.txt`,
    `line of file ${String(index)}\n`.repeat(50),
  ]),
);

/** Both runtimes: the program itself, and a recipe, whose own start of Node is part of the agent and not of ours. */
const SERIES = ['command', 'script'] as const;
type Series = (typeof SERIES)[number];

export const start: Bench = async (rounds) => {
  const count = rounds ?? ROUNDS;
  return withTown([{ name: 'app', files, gate: null, command: ACTION }], async (made) => {
    await startDaemon(made);
    const seen: Record<Series, number[]> = { command: [], script: [] };
    const baseline: number[] = [];
    for (let round = 0; round < WARM_UP + count; round += 1) {
      for (const series of SERIES) {
        moveTarget(made, `${series} ${String(round)}`);
        const tookMs = await slingOne(made, series, round);
        if (round >= WARM_UP) seen[series].push(tookMs);
      }
      const addMs = worktreeAdd(made);
      if (round >= WARM_UP) baseline.push(addMs);
    }
    const ratio = median(seen.command) / median(baseline);
    return {
      bench: 'start',
      figures: {
        'sling to process': spread(seen.command),
        'sling to first line of a recipe': spread(seen.script),
        'git worktree add, same repository': spread(baseline),
        files: String(FILES),
        ...machineFigures(made.folder),
      },
      goal: `median of sling to process below ${String(GOAL_MS)} ms`,
      holds: median(seen.command) < GOAL_MS,
      ratio,
      ratioOf: 'sling to process : git worktree add',
    };
  });
};

/** What both kinds of agents do: write the time, and end without work, by the intent that counts at the exit. */
const ACTION = [
  'at="$GT_TOWN_ROOT/../at"',
  'date +%s%N > "$at.new" && mv "$at.new" "$at"',
  `printf '{"summary":"","noChange":"measured"}' > "$GT_STATE_DIR/done.json"`,
].join('; ');

async function slingOne(made: RealTown, series: Series, round: number): Promise<number> {
  const file = join(made.folder, 'at');
  rmSync(file, { force: true });
  const body = `\`\`\`gt-script\n${ACTION}\n\`\`\`\n`;
  const bead = { rig: 'app', title: `${series} ${String(round)}`, body, runtime: series, sling: true };
  const began = performance.timeOrigin + performance.now();
  const { id } = await callTown<{ id: string }>(made.town, { method: 'POST', path: 'beads', body: bead });
  await until(() => (existsSync(file) ? true : null), 'the agent', WAIT_MS);
  const ended = async (): Promise<true | null> => {
    const { status } = await callTown<{ status: string }>(made.town, { method: 'GET', path: `beads/${id}` });
    return status === 'closed' ? true : null;
  };
  await until(ended, 'the end of the bead', WAIT_MS);
  return Number(BigInt(readFileSync(file, 'utf8').trim()) / 1_000n) / 1_000 - began;
}

/** Somebody else's commit on the target: one file more. */
function moveTarget(made: RealTown, text: string): void {
  const seed = join(made.folder, 'app-seed');
  writeFileSync(join(seed, 'moving.txt'), `${text}\n`);
  git(['add', '-A'], seed);
  git(['-c', 'user.name=Harness', '-c', 'user.email=harness@localhost', 'commit', '-q', '-m', text], seed);
  git(['push', '-q', made.remotes.get('app') ?? '', 'main'], seed);
}

/** The baseline: what a script would do. Only the add is measured. */
function worktreeAdd(made: RealTown): number {
  const seed = join(made.folder, 'app-seed');
  const tree = join(made.folder, 'baseline-tree');
  const began = performance.now();
  git(['worktree', 'add', '-q', '--detach', tree, 'main'], seed);
  const tookMs = performance.now() - began;
  git(['worktree', 'remove', '--force', tree], seed);
  return tookMs;
}

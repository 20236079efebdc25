/** An agent's worktree from the pool, on a commit that differs a little, against `git worktree add` (goal G7). */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { WorktreePool } from '../src/runner/git/pool.ts';
import { checkoutDetached } from '../src/runner/git/worktree.ts';
import { RunnerDb } from '../src/runner/store/db.ts';
import { WorktreeStore } from '../src/runner/store/worktrees.ts';
import { silentLog } from '../src/ports/log.ts';
import { commitIn, LARGE, plainGit, sizes, withFiles } from './files.ts';
import { median, spread, type Bench } from './result.ts';
import { timed } from './rig.ts';

const ROUNDS = 9;
const GOAL = 10;

export const workspace: Bench = async (rounds) => {
  const figures: Record<string, string> = {};
  let ratio = 0;
  for (const count of sizes()) {
    const { ours, baseline } = await measure(count, rounds ?? ROUNDS);
    ratio = median(baseline) / median(ours);
    figures[`${String(count)} files: from the pool`] = spread(ours);
    figures[`${String(count)} files: git worktree add`] = spread(baseline);
    figures[`${String(count)} files: ratio`] = `1/${ratio.toFixed(1)}`;
  }
  const isLarge = sizes().includes(LARGE);
  return {
    bench: 'workspace',
    figures,
    goal: `at most 1/${String(GOAL)} of git worktree add with ${String(LARGE)} files (GT_BENCH_LONG=1)`,
    holds: isLarge ? ratio >= GOAL : null,
    ratio,
    ratioOf: 'git worktree add : worktree from the pool, at the largest size measured',
  };
};

function measure(
  count: number,
  rounds: number,
): Promise<{ readonly ours: readonly number[]; readonly baseline: readonly number[] }> {
  return withFiles(count, async ({ seed, folder, paths, repo, repos, wire }) => {
    const pool = new WorktreePool(paths, new WorktreeStore(new RunnerDb(':memory:')), silentLog);
    const ours: number[] = [];
    const baseline: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      writeFileSync(join(seed, 'd0', 'f0.txt'), `round ${String(round)}\n`);
      commitIn(seed, `round ${String(round)}`);
      plainGit(['push', '-q', 'origin', 'main'], seed);
      const commit = await repos.fetchTarget(wire);
      const owner = `at-${String(round)}`;
      const tookMs = await timed(async () => {
        const tree = await pool.acquire(repo, 'w', { owner, commit });
        await checkoutDetached(tree, commit);
      });
      await pool.release(repo, owner);
      const tree = join(folder, 'baseline');
      const addMs = await timed(() => plainGit(['worktree', 'add', '-q', '--detach', tree, commit], repo.place.gitDir));
      plainGit(['worktree', 'remove', '--force', tree], repo.place.gitDir);
      // The first one makes the worktree.
      if (round === 0) continue;
      ours.push(tookMs);
      baseline.push(addMs);
    }
    return { ours, baseline };
  });
}

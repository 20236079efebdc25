/** A merge by the runner's jobs (fetch, merge, push, proof) against scripts that do the same with git (goal G6). */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerContext } from '../src/runner/context.ts';
import { runMerge } from '../src/runner/jobs/merge.ts';
import { runPush } from '../src/runner/jobs/push.ts';
import { commitIn, LARGE, plainGit as anyGit, sizes, SMALL, withFiles, type Place } from './files.ts';
import { machineFigures } from './machine.ts';
import { median, spread, type Bench } from './result.ts';
import { timed } from './rig.ts';

const ROUNDS = 16;
const RAW_GOAL = 1.3;
/** What the runner asks of git everywhere: commits and refs survive a power cut, and nothing tidies up in between. */
const SETTINGS = ['core.fsync=committed,reference', 'gc.auto=0', 'maintenance.auto=false'].flatMap((one) => [
  '-c',
  one,
]);

/** Every script gives the same guarantee as the runner. */
const plainGit = (args: readonly string[], cwd: string): string => anyGit([...SETTINGS, ...args], cwd);

interface Series {
  readonly ours: number[];
  readonly raw: number[];
  readonly worktree: number[];
  readonly checkout: number[];
}

type Way = readonly [keyof Series, (head: string, branch: string) => Promise<unknown>];

export const merge: Bench = async (rounds) => {
  const figures: Record<string, string> = { ...machineFigures(tmpdir()) };
  let rawRatio = 0;
  let worktreeRatio = 0;
  for (const count of sizes()) {
    const series = await measure(count, rounds ?? ROUNDS);
    rawRatio = Math.max(rawRatio, median(series.ours) / median(series.raw));
    worktreeRatio = median(series.worktree) / median(series.ours);
    const name = `${String(count)} files`;
    figures[`${name}: the runner's jobs`] = spread(series.ours);
    figures[`${name}: the same git commands`] =
      `${spread(series.raw)}: ${(median(series.ours) / median(series.raw)).toFixed(2)}`;
    figures[`${name}: in a new worktree`] = `${spread(series.worktree)}: 1/${worktreeRatio.toFixed(1)}`;
    figures[`${name}: in a kept worktree`] =
      `${spread(series.checkout)}: 1/${(median(series.checkout) / median(series.ours)).toFixed(1)}`;
  }
  return {
    bench: 'merge',
    figures,
    goal: `at most ${String(RAW_GOAL)} times the bare commands; 1/2 of merging in a worktree with ${String(SMALL)} files, 1/20 with ${String(LARGE)} (GT_BENCH_LONG=1)`,
    holds: rawRatio <= RAW_GOAL && worktreeRatio >= (sizes().includes(LARGE) ? 20 : 2),
    ratio: rawRatio,
    ratioOf: 'a merge by the runner : the bare git commands for it',
  };
};

async function measure(count: number, rounds: number): Promise<Series> {
  return withFiles(count, async (place) => {
    const series: Series = { ours: [], raw: [], worktree: [], checkout: [] };
    const kept = join(place.folder, 'kept');
    plainGit(['clone', '-q', place.origin, kept], place.folder);
    for (let round = 0; round <= rounds; round += 1) {
      const ways: readonly [Way, ...Way[]] = [
        ['ours', (head, branch) => ours(place, head, branch)],
        ['raw', (_head, branch) => Promise.resolve(raw(place, branch))],
        ['worktree', (_head, branch) => Promise.resolve(inNewWorktree(place, branch))],
        ['checkout', (_head, branch) => Promise.resolve(inKeptWorktree(kept, branch))],
      ];
      // Each goes first once: who comes after a merge in a worktree meets a machine that still writes.
      for (let turn = 0; turn < ways.length; turn += 1) {
        const [name, way] = ways[(round + turn) % ways.length] ?? ways[0];
        const branch = `${name}-${String(round)}`;
        const head = work(place, branch);
        for (const clone of [place.repo.place.gitDir, kept])
          plainGit(
            ['fetch', '-q', '--no-tags', place.origin, `+refs/heads/${branch}:refs/remotes/origin/${branch}`],
            clone,
          );
        const tookMs = await timed(() => way(head, branch));
        if (!plainGit(['branch', '--contains', head, 'main'], place.origin).includes('main'))
          throw new Error(`${name} did not merge`);
        if (round > 0) series[name].push(tookMs);
      }
    }
    return series;
  });
}

/**
 * A branch at the origin with one changed file, off the target before the present one, so that it is a real merge. Its
 * agent worked beside the clones that merge it, so they have its commits.
 */
function work({ seed }: Place, branch: string): string {
  plainGit(['fetch', '-q', 'origin', 'main'], seed);
  plainGit(['checkout', '-q', '-B', branch, 'FETCH_HEAD'], seed);
  const before = plainGit(['rev-list', '--max-count=1', '--skip=1', '--first-parent', 'HEAD'], seed);
  if (before !== '') plainGit(['reset', '-q', '--hard', before], seed);
  writeFileSync(join(seed, 'd0', `${branch}.txt`), `${branch}\n`);
  const head = commitIn(seed, branch);
  plainGit(['push', '-q', 'origin', branch], seed);
  return head;
}

/** What the jobs need of a runner; nothing else of it is touched by them. */
const contextOf = (place: Place): RunnerContext =>
  ({
    repos: place.repos,
    pushes: { push: () => Promise.resolve() },
    timings: { pushWaitMs: 0 },
  }) as unknown as RunnerContext;

async function ours(place: Place, head: string, branch: string): Promise<void> {
  const ctx = contextOf(place);
  const merged = await runMerge(ctx, {
    kind: 'merge',
    key: branch,
    repo: place.wire,
    mergeRequest: branch,
    head,
    earlierCandidate: null,
    message: `Merge ${branch}`,
    author: { name: 'Bench', email: 'bench@localhost' },
    dateMs: 1_700_000_000_000,
  });
  if (merged.result !== 'candidate') throw new Error(JSON.stringify(merged));
  const pushed = await runPush(ctx, {
    kind: 'push',
    key: branch,
    repo: place.wire,
    mergeRequest: branch,
    candidate: merged.candidate,
    expectedOld: merged.targetSha,
  });
  if (pushed.result !== 'pushed') throw new Error(JSON.stringify(pushed));
}

/**
 * The fewest commands that give the same in the object database: the newest target, the merge, its commit, a ref that
 * holds it before the push, a push that a target which moved refuses, and a look at what the target is then, asked of the
 * remote. What the runner does beside it, it pays itself: it looks whether the work is merged already, and reads the added
 * lines for keys.
 */
function raw({ repo, origin }: Place, branch: string): void {
  const dir = repo.place.gitDir;
  plainGit(
    ['fetch', '-q', '--no-tags', '--no-write-fetch-head', origin, '+refs/heads/main:refs/remotes/origin/main'],
    dir,
  );
  const [target = '', head = ''] = plainGit(
    ['rev-parse', 'refs/remotes/origin/main', `refs/remotes/origin/${branch}`],
    dir,
  ).split('\n');
  const tree = plainGit(['merge-tree', '--write-tree', target, head], dir);
  const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost'];
  const candidate = plainGit(
    [...identity, 'commit-tree', tree, '-p', target, '-p', head, '-m', `Merge ${branch}`],
    dir,
  );
  plainGit(['update-ref', `refs/gt/merging/${branch}`, candidate], dir);
  plainGit(['push', '-q', `--force-with-lease=refs/heads/main:${target}`, origin, `${candidate}:refs/heads/main`], dir);
  const [actual] = plainGit(['ls-remote', origin, 'refs/heads/main'], dir).split('\t');
  if (actual !== candidate) throw new Error('somebody else pushed');
}

function inNewWorktree({ repo, origin, folder }: Place, branch: string): void {
  const dir = repo.place.gitDir;
  const tree = join(folder, 'merging');
  plainGit(['fetch', '-q', '--no-tags', origin, '+refs/heads/main:refs/remotes/origin/main'], dir);
  plainGit(['worktree', 'add', '-q', '--detach', tree, 'refs/remotes/origin/main'], dir);
  mergeIn(tree, branch);
  plainGit(['push', '-q', origin, 'HEAD:refs/heads/main'], tree);
  plainGit(['worktree', 'remove', '--force', tree], dir);
}

function inKeptWorktree(kept: string, branch: string): void {
  plainGit(['checkout', '-q', 'main'], kept);
  plainGit(['pull', '-q', '--ff-only'], kept);
  mergeIn(kept, branch);
  plainGit(['push', '-q', 'origin', 'main'], kept);
}

const mergeIn = (tree: string, branch: string): string =>
  plainGit(
    [
      '-c',
      'user.name=Bench',
      '-c',
      'user.email=bench@localhost',
      'merge',
      '-q',
      '--no-ff',
      '-m',
      `Merge ${branch}`,
      `origin/${branch}`,
    ],
    tree,
  );

/** A repository of many files, as an origin and as a clone of the runner's. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Repos, type RigRepo } from '../src/runner/git/repos.ts';
import { runnerPaths, type RunnerPaths } from '../src/runner/paths.ts';
import { git } from '../test/support/real-town.ts';

/** Files of one folder. */
const PER_FOLDER = 250;
export const SMALL = 300;
/** With GT_BENCH_LONG=1 also this many: minutes. */
export const LARGE = 50_000;
export const sizes = (): readonly number[] => (process.env['GT_BENCH_LONG'] === '1' ? [SMALL, LARGE] : [SMALL]);

export interface Place {
  readonly folder: string;
  readonly origin: string;
  /** A clone with a worktree, where commits are made. */
  readonly seed: string;
  readonly paths: RunnerPaths;
  readonly repos: Repos;
  readonly repo: RigRepo;
  readonly wire: { readonly rig: string; readonly url: string; readonly targetBranch: string };
}

export const commitIn = (folder: string, message: string): string => {
  git(['add', '-A'], folder);
  git(['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost', 'commit', '-q', '-m', message], folder);
  return git(['rev-parse', 'HEAD'], folder).trim();
};

export async function withFiles<T>(count: number, work: (place: Place) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-bench-files-'));
  try {
    const seed = join(folder, 'seed');
    const origin = join(folder, 'origin.git');
    for (let n = 0; n < count; n += 1) {
      const inside = join(seed, `d${String(Math.floor(n / PER_FOLDER))}`);
      if (n % PER_FOLDER === 0) mkdirSync(inside, { recursive: true });
      writeFileSync(join(inside, `f${String(n)}.txt`), `line of file ${String(n)}\n`.repeat(20));
    }
    git(['init', '-q', '--bare', '-b', 'main', origin]);
    git(['init', '-q', '-b', 'main', seed]);
    git(['remote', 'add', 'origin', origin], seed);
    commitIn(seed, 'start');
    git(['push', '-q', 'origin', 'main'], seed);
    const paths = runnerPaths(join(folder, 'town'), folder);
    mkdirSync(paths.repos, { recursive: true });
    mkdirSync(paths.worktrees, { recursive: true });
    const repos = new Repos({ town: 'bench', runner: 'local' }, paths);
    const wire = { rig: 'app', url: origin, targetBranch: 'main' };
    return await work({ folder, origin, seed, paths, repos, repo: await repos.ensure(wire), wire });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs git as a script would: one process, waited for. */
export const plainGit = (args: readonly string[], cwd: string): string =>
  execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 }).trim();

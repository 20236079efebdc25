import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { git, GitError, type GitPlace } from './git.ts';
import { resolve, type RigRepo } from './repos.ts';

/** One linked worktree with a detached HEAD. `place` is pinned to its own administrative folder, never to a search. */
export interface Worktree {
  readonly rig: string;
  readonly name: string;
  readonly path: string;
  readonly place: GitPlace & { readonly workTree: string };
  /** What its `.git` file names, when that is not where its git directory is: it appears there inside a sandbox only. */
  readonly link?: string;
}

export function worktreeAt(repo: RigRepo, path: string): Worktree {
  const name = basename(path);
  const gitDir = join(repo.place.gitDir, 'worktrees', name);
  return { rig: repo.rig, name, path, place: { ...repo.place, gitDir, workTree: path } };
}

/** True when directory and registration exist and point at each other; everything else needs `makeWorktree`. */
export async function isLinked(tree: Worktree): Promise<boolean> {
  try {
    const forth = (await readFile(join(tree.path, '.git'), 'utf8')).trim();
    const back = (await readFile(join(tree.place.gitDir, 'gitdir'), 'utf8')).trim();
    return (
      forth === `gitdir: ${tree.link ?? tree.place.gitDir}` &&
      back === join(tree.path, '.git') &&
      existsSync(join(tree.place.gitDir, 'HEAD'))
    );
  } catch {
    return false;
  }
}

/** Throws when the worktree is gone or no longer this one: git would otherwise work somewhere else, or see all deleted. */
async function requireLinked(tree: Worktree): Promise<void> {
  if (!(await isLinked(tree)))
    throw new GitError('worktree', null, `the worktree ${tree.path} is gone or no longer linked`);
}

/**
 * Makes the worktree, whatever a crash left at its place: a half-made one, a registration without directory (also a
 * locked one, which prune would keep), a directory without registration (moved aside, not deleted). The caller holds the
 * writer lock and knows that nobody's unsaved work is in it; the files come with `fillWorktree`, which needs no lock.
 * Errors: `GitError`.
 */
export async function makeWorktree(repo: RigRepo, tree: Worktree, commit: string): Promise<void> {
  const registered = existsSync(tree.place.gitDir);
  if (existsSync(tree.path)) {
    if (registered) await rm(tree.path, { recursive: true, force: true });
    else await rename(tree.path, `${tree.path}.found-${String(Date.now())}`);
  }
  await rm(tree.place.gitDir, { recursive: true, force: true });
  await mkdir(dirname(tree.path), { recursive: true });
  // With the clone's own folder: git writes its path into the worktree, whose agent must not find our settings there.
  const { common: _ours, ...place } = repo.place;
  await git(place, [
    'worktree',
    'add',
    '--quiet',
    '--detach',
    '--no-checkout',
    '--force',
    '--end-of-options',
    tree.path,
    commit,
  ]);
  await requireLinked(tree);
}

/** Writes the files of HEAD into a worktree that was just made. Errors: `GitError`. */
export async function fillWorktree(tree: Worktree): Promise<void> {
  await requireLinked(tree);
  await git(tree.place, ['reset', '--quiet', '--hard']);
}

/** Lock files in a worktree's own folder are stale whenever no process of its owner lives. */
export async function removeStaleLocks(tree: Worktree): Promise<void> {
  for (const name of ['index.lock', 'HEAD.lock', 'ORIG_HEAD.lock'])
    await unlink(join(tree.place.gitDir, name)).catch(() => undefined);
}

/** Puts a clean worktree on a commit; costs what differs. Errors: `GitError`. */
export async function checkoutDetached(tree: Worktree, commit: string): Promise<void> {
  await requireLinked(tree);
  await git(tree.place, ['checkout', '--quiet', '--force', '--detach', commit, '--']);
}

/** Removes every change, also ignored and untracked files. Only after the work in it is rescued. Errors: `GitError`. */
export async function cleanWorktree(tree: Worktree): Promise<void> {
  await requireLinked(tree);
  await removeStaleLocks(tree);
  for (const name of [
    'MERGE_HEAD',
    'CHERRY_PICK_HEAD',
    'REVERT_HEAD',
    'BISECT_LOG',
    'rebase-merge',
    'rebase-apply',
    'sequencer',
    'info/sparse-checkout',
  ]) {
    await rm(join(tree.place.gitDir, name), { recursive: true, force: true });
  }
  const head = await resolve(tree.place, 'HEAD');
  if (head === null) throw new GitError('clean', null, `HEAD of ${tree.path} is not a commit`);
  // A HEAD that is attached to a branch is detached first, so that reset can't move somebody's branch.
  await git(tree.place, ['update-ref', '--no-deref', 'HEAD', head]);
  await git(tree.place, ['reset', '--quiet', '--hard']);
  await git(tree.place, ['clean', '--quiet', '-ffdx']);
}

/** Changed and untracked files, at most `limit` of them named. Errors: `GitError`. */
export async function dirtyFiles(tree: Worktree, limit: number): Promise<readonly string[]> {
  await requireLinked(tree);
  const out = (await git(tree.place, ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames']))
    .stdout;
  return out
    .split('\0')
    .filter((entry) => entry !== '')
    .slice(0, limit)
    .map((entry) => entry.slice(3));
}

import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { NESTED_REPOS_MAX, RESCUE_TIPS_MAX } from '../limits.ts';
import { git, GitError, gitLine } from './git.ts';
import { resolve, type RigRepo, setRef } from './repos.ts';
import { isLinked, type Worktree } from './worktree.ts';

export interface RescueRequest {
  readonly tree: Worktree;
  readonly ref: string;
  /** Commit that the attempt started from; what it reaches needs no rescue. Null when it never got that far. */
  readonly base: string | null;
  /** `<rig>/polecats/<name>`: stash entries with this committer are the attempt's. */
  readonly agent: string;
  readonly atMs: number;
  /** The agent lives: its stash stays where it is. */
  readonly keepStashes?: boolean;
}

export interface Rescued {
  /** Null: there was nothing that is not safe elsewhere. */
  readonly ref: string | null;
  readonly head: string | null;
  readonly ahead: number | null;
  readonly dirty: boolean;
}

interface Stash {
  readonly sha: string;
  readonly selector: string;
}

/**
 * Stores committed and uncommitted work (tracked, untracked, stash, commits on other branches or reset away) in one
 * commit off every branch: its tree is the worktree's content, its first parent HEAD, the others whatever else was made.
 * The ref is set and checked before this returns; only then may anything be deleted. Works from the registration alone
 * when the directory is gone. Repeats give the same result. Errors: `GitError`: then nothing may be deleted.
 */
export async function rescue(repo: RigRepo, request: RescueRequest): Promise<Rescued> {
  const { tree, base } = request;
  const linked = await isLinked(tree);
  const head = await startOf(tree, linked ? base : null);
  if (head === null) return { ref: null, head: null, ahead: null, dirty: false };
  const content = linked ? await contentTree(tree, head) : await gitLine(repo.place, ['rev-parse', `${head}^{tree}`]);
  const dirty = content !== (await gitLine(repo.place, ['rev-parse', `${head}^{tree}`]));
  const ahead = base === null ? null : Number(await gitLine(repo.place, ['rev-list', '--count', `${base}..${head}`]));
  const stashes = await ownStashes(repo, request.agent);
  const lost = await leftBehind(repo, tree, { head, base });
  if (!dirty && stashes.length === 0 && lost.length === 0 && head === base) return { ref: null, head, ahead, dirty };
  const parents = [head, ...stashes.map((stash) => stash.sha), ...lost];
  const known = await sameRescue(repo, { ref: request.ref, content, parents });
  const commit = known ?? (await rescueCommit(repo, { request, content, parents }));
  if (known === null) await setRef(repo, request.ref, commit);
  await verify(repo, { commit, content, head });
  if (request.keepStashes !== true) await dropStashes(repo, stashes);
  return { ref: request.ref, head, ahead, dirty };
}

/** HEAD. A branch without a commit yet (`git checkout --orphan`) has files all the same: they count from the base. */
async function startOf(tree: Worktree, base: string | null): Promise<string | null> {
  return (await resolve(tree.place, 'HEAD').catch(() => null)) ?? base;
}

/** Tree of everything in the worktree that is not ignored, made with an index of its own: the agent's index stays. */
async function contentTree(tree: Worktree, head: string): Promise<string> {
  const index = join(tree.place.gitDir, 'gt-rescue-index');
  await rm(`${index}.lock`, { force: true });
  await copyFile(join(tree.place.gitDir, 'index'), index).catch(() => rm(index, { force: true }));
  const env = { GIT_INDEX_FILE: index };
  try {
    await git(tree.place, ['add', '--all', '--', '.'], { env }).catch(async () => {
      // A broken or conflicted index of the agent must not hinder: start from HEAD.
      await rm(index, { force: true });
      await rm(`${index}.lock`, { force: true });
      await git(tree.place, ['read-tree', head], { env });
      await git(tree.place, ['add', '--all', '--', '.'], { env });
    });
    await addNested(tree, head, env);
    return await gitLine(tree.place, ['write-tree'], { env });
  } finally {
    await rm(index, { force: true });
  }
}

/** A repository that the agent made inside its worktree would be stored as a bare link: store its files instead. */
async function addNested(tree: Worktree, head: string, env: Record<string, string>): Promise<void> {
  const out = (
    await git(tree.place, ['diff-index', '--cached', '--raw', '-z', '--no-renames', '--abbrev=64', head], { env })
  ).stdout;
  const fields = out.split('\0');
  const links: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    if (fields[index]?.split(' ')[1] === '160000') links.push(fields[index + 1] ?? '');
  }
  for (const path of links.slice(0, NESTED_REPOS_MAX)) {
    const nestedIndex = join(tree.place.gitDir, 'gt-nested-index');
    await rm(nestedIndex, { force: true });
    const inside = { ...tree.place, workTree: join(tree.path, path) };
    await git(inside, ['add', '--all', '--force', '--', '.'], { env: { GIT_INDEX_FILE: nestedIndex } });
    const content = await gitLine(inside, ['write-tree'], { env: { GIT_INDEX_FILE: nestedIndex } });
    await rm(nestedIndex, { force: true });
    await git(tree.place, ['update-index', '--force-remove', '--', path], { env });
    await git(tree.place, ['read-tree', `--prefix=${path}/`, content], { env });
  }
}

/** Stash entries are shared by all worktrees; the committer tells whose they are. Newest first. */
async function ownStashes(repo: RigRepo, agent: string): Promise<readonly Stash[]> {
  if ((await resolve(repo.place, 'refs/stash')) === null) return [];
  const out = (await git(repo.place, ['log', '--walk-reflogs', '--format=%H%x00%gd%x00%cn', 'refs/stash', '--']))
    .stdout;
  const entries = out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\0'));
  return entries
    .filter((entry) => entry[2] === agent)
    .slice(0, RESCUE_TIPS_MAX)
    .map((entry) => ({ sha: entry[0] ?? '', selector: entry[1] ?? '' }));
}

/** Removed once they are parents of a verified rescue, so that the next agent's `stash pop` can't get them. */
async function dropStashes(repo: RigRepo, stashes: readonly Stash[]): Promise<void> {
  await repo.writer.run(async () => {
    for (const stash of [...stashes].toReversed()) {
      const now = await resolve(repo.place, stash.selector);
      if (now === stash.sha) await git(repo.place, ['reflog', 'delete', '--updateref', '--rewrite', stash.selector]);
    }
    const rest = await git(repo.place, ['reflog', 'exists', 'refs/stash'], { ok: [0, 1] });
    const left =
      rest.code === 0 ? (await git(repo.place, ['reflog', 'show', 'refs/stash', '--'], { ok: [0, 128] })).stdout : '';
    if (stashes.length > 0 && left === '')
      await git(repo.place, ['update-ref', '-d', 'refs/stash'], { ok: [0, 1, 128] });
  });
}

/** Commits that HEAD was on during the attempt and that nothing safe reaches any more. */
async function leftBehind(
  repo: RigRepo,
  tree: Worktree,
  known: { readonly head: string; readonly base: string | null },
): Promise<readonly string[]> {
  const log = await readFile(join(tree.place.gitDir, 'logs', 'HEAD'), 'utf8').catch(() => '');
  const seen = new Set(
    log
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((sha) => /^[0-9a-f]{40,64}$/.test(sha)),
  );
  seen.delete(known.head);
  if (known.base !== null) seen.delete(known.base);
  if (seen.size === 0) return [];
  const input = [...seen, `^${known.head}`, ...(known.base === null ? [] : [`^${known.base}`])].join('\n');
  const most = `--max-count=${String(RESCUE_TIPS_MAX)}`;
  // Options after --stdin: before it, "--not" would turn the commits around that are read from there.
  const args = [
    'rev-list',
    '--ignore-missing',
    most,
    '--stdin',
    '--not',
    '--remotes=origin',
    '--glob=refs/gt/attempts/*',
  ];
  const found = (await git(repo.place, args, { input: `${input}\n` })).stdout
    .split('\n')
    .filter((sha) => seen.has(sha));
  if (found.length < 2) return found;
  return (await git(repo.place, ['merge-base', '--independent', ...found])).stdout
    .split('\n')
    .filter((sha) => sha !== '');
}

/** The commit that is stored already, when it holds exactly this. */
async function sameRescue(
  repo: RigRepo,
  what: { readonly ref: string; readonly content: string; readonly parents: readonly string[] },
): Promise<string | null> {
  const commit = await resolve(repo.place, what.ref);
  if (commit === null) return null;
  const stored = await gitLine(repo.place, ['rev-parse', `${commit}^{tree}`, `${commit}^@`]);
  return stored === [what.content, ...new Set(what.parents)].join('\n') ? commit : null;
}

async function rescueCommit(
  repo: RigRepo,
  what: { readonly request: RescueRequest; readonly content: string; readonly parents: readonly string[] },
): Promise<string> {
  const date = `${String(Math.floor(what.request.atMs / 1_000))} +0000`;
  const identity = { NAME: 'gas-town-runner', EMAIL: 'runner@localhost', DATE: date };
  const env = Object.fromEntries(
    Object.entries(identity).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  const parents = [...new Set(what.parents)].flatMap((parent) => ['-p', parent]);
  return gitLine(repo.place, ['commit-tree', what.content, ...parents, '-m', `Rescued work of ${what.request.agent}`], {
    env,
  });
}

async function verify(
  repo: RigRepo,
  what: { readonly commit: string; readonly content: string; readonly head: string },
): Promise<void> {
  const actual = await gitLine(repo.place, ['rev-parse', `${what.commit}^{tree}`]);
  if (actual !== what.content)
    throw new GitError('rescue', null, `the rescue commit ${what.commit} holds another tree`);
  // Walks every new object: a missing or unreadable one fails here, while the worktree still exists.
  await git(repo.place, ['rev-list', '--objects', '--quiet', what.commit, '--not', '--remotes=origin']);
}

/** Puts a rescue's uncommitted part back into a worktree, as uncommitted changes. False: it does not fit any more. */
export async function restoreUncommitted(tree: Worktree, ref: string): Promise<boolean> {
  const commit = await resolve(tree.place, ref);
  if (commit === null) return false;
  const patch = (
    await git(tree.place, ['diff', '--binary', '--full-index', '--no-ext-diff', '--no-textconv', `${commit}^1`, commit])
  ).stdout;
  if (patch === '') return true;
  const applied = await git(tree.place, ['apply', '--whitespace=nowarn'], { input: patch, ok: [0, 1, 128] });
  return applied.code === 0;
}

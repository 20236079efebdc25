import type { Repo } from '../../api/contract/runner.ts';
import { GIT_NETWORK_TIMEOUT_MS } from '../limits.ts';
import { git, gitLine, type GitOutput } from './git.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { checkRef } from './names.ts';
import { type Fetched, isAncestor, resolve, setRef, type Repos, type RigRepo } from './repos.ts';

/** Looks at a kept branch that somebody else moves at the same time; more means that they go on doing so. */
const KEEP_TRIES_MAX = 3;

/** A branch that the town keeps can't be put back without losing something or without a commit that is gone. */
export class BranchLost extends Error {
  override readonly name = 'BranchLost';
}

/**
 * The target's newest commit. A branch that the town keeps (`repo.restore`) is made to hold what was merged into it
 * first: gone, it is pushed again; rewritten, both lines are merged. It is never pushed over with force.
 * Errors: `BranchLost`, `GitError`, `bad_url`, `bad_branch`.
 */
export async function fetchKept(repos: Repos, repo: Repo): Promise<string> {
  return (await fetchKeptAnd(repos, repo, [])).target.sha;
}

/** The same, with the target's tree, and whether this clone has other commits. */
export async function fetchKeptAnd(repos: Repos, repo: Repo, names: readonly string[]): Promise<Fetched> {
  const known = repo.restore;
  if (known === undefined) return repos.fetchTargetAnd(repo, names);
  const rigRepo = await repos.ensure(repo);
  await keepCommit(repos, repo, { rigRepo, known });
  for (let tries = 1; tries <= KEEP_TRIES_MAX; tries += 1) {
    const actual = await remoteHead(rigRepo, repo.url, repo.targetBranch);
    if (actual === null) {
      await pushRef(rigRepo, { url: repo.url, branch: repo.targetBranch, sha: known, expectedOld: null });
      continue;
    }
    const fetched = await repos.fetchTargetAnd(repo, names);
    const target = fetched.target.sha;
    if (await isAncestor(rigRepo.place, known, target)) return fetched;
    const both = await mergeBoth(rigRepo, { branch: repo.targetBranch, known, target });
    await pushRef(rigRepo, { url: repo.url, branch: repo.targetBranch, sha: both, expectedOld: target });
  }
  throw new Error(
    `${repo.targetBranch} could not be put back: the origin refuses it, or somebody moves it again and again`,
  );
}

/** Makes a branch of the town that does not exist yet, from the newest commit of another. Answers its commit. */
export async function makeBranch(repos: Repos, repo: Repo, from: string): Promise<string> {
  const rigRepo = await repos.ensure(repo);
  if ((await remoteHead(rigRepo, repo.url, repo.targetBranch)) === null) {
    const sha = await repos.fetchTarget({ ...repo, targetBranch: checkBranch(from) });
    await pushRef(rigRepo, { url: repo.url, branch: repo.targetBranch, sha, expectedOld: null });
  }
  return repos.fetchTarget(repo);
}

/** A ref of our own holds the last known good commit: what the origin forgets is not collected here. */
async function keepCommit(
  repos: Repos,
  repo: Repo,
  { rigRepo, known }: { readonly rigRepo: RigRepo; readonly known: string },
): Promise<void> {
  if ((await resolve(rigRepo.place, known)) === null) await repos.fetchAll(repo);
  if ((await resolve(rigRepo.place, known)) === null)
    throw new BranchLost(`its last known good commit ${known} is neither in the rig's clone nor on the origin.`);
  await setRef(rigRepo, checkRef(`refs/gt/kept/${repo.targetBranch}`), known);
}

/** Somebody rewrote the branch: what they made and what was there before, in one commit. */
async function mergeBoth(
  repo: RigRepo,
  { branch, known, target }: { readonly branch: string; readonly known: string; readonly target: string },
): Promise<string> {
  const merged = await git(repo.place, ['merge-tree', '--write-tree', '--no-messages', '-z', target, known], {
    ok: [0, 1, 128],
  });
  if (merged.code !== 0)
    throw new BranchLost(
      `it was rewritten on the origin to ${target}, which conflicts with its last known good commit ${known}. Merge ${known} into ${branch} and push it; nothing has to be forced.`,
    );
  const tree = merged.stdout.split('\0')[0] ?? '';
  const date = await gitLine(repo.place, ['show', '--no-patch', '--format=%ct', '--end-of-options', target]);
  return gitLine(repo.place, ['commit-tree', tree, '-p', target, '-p', known, '-F', '-'], {
    input: `Put back what was merged into ${branch}\n`,
    env: townIdentity(`${date} +0000`),
  });
}

/** Author and committer of commits that only the town's own code makes; the date makes a repeat the same commit. */
function townIdentity(date: string): Record<string, string> {
  const fields = { NAME: 'refinery', EMAIL: 'refinery@localhost', DATE: date };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
}

/** To the address, not to "origin": that is a setting that an agent may change from its worktree. */
export async function pushRef(
  repo: RigRepo,
  what: { readonly url: string; readonly branch: string; readonly sha: string; readonly expectedOld: string | null },
): Promise<GitOutput> {
  const ref = `refs/heads/${what.branch}`;
  const lease = `--force-with-lease=${ref}:${what.expectedOld ?? ''}`;
  return git(
    repo.place,
    ['push', '--porcelain', '--atomic', '--no-verify', lease, '--end-of-options', what.url, `${what.sha}:${ref}`],
    {
      timeoutMs: GIT_NETWORK_TIMEOUT_MS,
      ok: [0, 1, 128],
    },
  );
}

/**
 * What the origin has under this name; null when it has nothing. Git shows every ref that ends like it
 * (`refs/x/refs/heads/main`), which is not meant. Errors: `GitError` when it does not answer.
 */
export async function remoteHead(repo: RigRepo, url: string, branch: string): Promise<string | null> {
  const ref = `refs/heads/${branch}`;
  const { stdout } = await git(repo.place, ['ls-remote', '--end-of-options', url, ref], {
    timeoutMs: GIT_NETWORK_TIMEOUT_MS,
  });
  const line = stdout.split('\n').find((one) => one.endsWith(`\t${ref}`));
  return line?.split('\t')[0] ?? null;
}

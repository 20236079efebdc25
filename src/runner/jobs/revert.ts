import type { Job, JobResult } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { git, gitLine } from '../git/git.ts';
import { fetchKept, pushRef, remoteHead } from '../git/keep-branch.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { checkRef } from '../git/names.ts';
import { isAncestor, resolve, type RigRepo, setRef } from '../git/repos.ts';
import { CONFLICT_PATHS_MAX } from '../limits.ts';
import { pathSegment } from '../paths.ts';
import { orRefused } from './branch.ts';
import { identityOf } from './identity.ts';
import { requireCommit } from './repo-jobs.ts';
import { broughtSince } from './brought.ts';
import { landedSince } from './trailers.ts';

type RevertJob = Extract<Job, { kind: 'revert' }>;

/**
 * Undoes what the train landed (merge commits, and by their trailers squashed and rebased work) on top of the target, newest first, one commit for each, and brings them to the origin under the
 * bead's branch. In the object database, without a checkout. A branch that is there already is the answer of an earlier
 * run. `conflict` and `refused` (`not_on_target`, `not_a_merge`) need judgement.
 */
export function runRevert(ctx: RunnerContext, job: RevertJob): Promise<JobResult> {
  pathSegment(job.bead, 'a bead');
  checkBranch(job.branch);
  return orRefused(() => revert(ctx, job));
}

async function revert(ctx: RunnerContext, job: RevertJob): Promise<JobResult> {
  const target = await fetchKept(ctx.repos, job.repo);
  const repo = await ctx.repos.ensure(job.repo);
  const earlier = await remoteHead(repo, job.repo.url, job.branch);
  if (earlier !== null) {
    await requireCommit(ctx, job.repo, earlier);
    return { result: 'reverted', head: earlier };
  }
  const found = await newestFirst(ctx, repo, { job, target });
  if ('refused' in found) return found.refused;
  let head = target;
  for (const commit of found.commits) {
    const undone = await undo(repo, { job, head, commit });
    if (typeof undone !== 'string') return { ...undone, targetSha: target };
    head = undone;
  }
  if (head === target)
    return { result: 'nothing_to_revert', message: `${job.repo.targetBranch} has nothing left of it.` };
  await setRef(repo, checkRef(`refs/gt/reverts/${job.bead}`), head);
  await pushRef(repo, { url: job.repo.url, branch: job.branch, sha: head, expectedOld: null });
  const actual = await remoteHead(repo, job.repo.url, job.branch);
  return actual === head
    ? { result: 'reverted', head }
    : { result: 'error', message: `the origin did not take ${job.branch}` };
}

interface MergeCommit {
  readonly sha: string;
  /** What the target was before it. */
  readonly before: string;
  readonly subject: string;
}

/** The commits with the newest on the target first; an answer instead when one of them is not a merge on the target. */
async function newestFirst(
  ctx: RunnerContext,
  repo: RigRepo,
  { job, target }: { readonly job: RevertJob; readonly target: string },
): Promise<{ readonly commits: readonly MergeCommit[] } | { readonly refused: JobResult }> {
  const found: { readonly commit: MergeCommit; readonly after: number }[] = [];
  for (const sha of new Set(job.commits)) {
    if ((await resolve(repo.place, sha)) === null) await ctx.repos.fetchAll(job.repo);
    if ((await resolve(repo.place, sha)) === null || !(await isAncestor(repo.place, sha, target)))
      return refused('not_on_target', `${sha} is not on ${job.repo.targetBranch} any more: its history was rewritten.`);
    const [, before, second] = (await gitLine(repo.place, ['rev-list', '--parents', '-n', '1', sha])).split(' ');
    const from = second === undefined ? await beganAt(ctx, repo, { job, sha }) : before;
    if (from === undefined || from === null)
      return refused(
        'not_a_merge',
        `${sha} was brought to ${job.repo.targetBranch} without a merge commit and not by the train, so where that work begins is not known.`,
      );
    const subject = await gitLine(repo.place, ['show', '--no-patch', '--format=%s', '--end-of-options', sha]);
    // What is on the target after it: of two commits, the newer one has less.
    const after = Number(await gitLine(repo.place, ['rev-list', '--count', `${sha}..${target}`]));
    found.push({ commit: { sha, before: from, subject }, after });
  }
  return { commits: found.toSorted((a, b) => a.after - b.after).map(({ commit }) => commit) };
}

/** Where work that has no merge commit began: the train's trailers say it, else what was merged proves it. */
async function beganAt(
  ctx: RunnerContext,
  repo: RigRepo,
  { job, sha }: { readonly job: RevertJob; readonly sha: string },
): Promise<string | null> {
  const known = job.landed?.find((one) => one.sha === sha);
  const before = await landedSince(repo, sha, known?.mergeRequest);
  if (before !== null || known === undefined) return before;
  if ((await resolve(repo.place, known.head)) === null) await ctx.repos.fetchAll(job.repo);
  return (await resolve(repo.place, known.head)) === null ? null : broughtSince(repo, sha, known.head);
}

const refused = (code: string, message: string): { readonly refused: JobResult } => ({
  refused: { result: 'refused', code, message },
});

/** The commit that undoes another one on top of `head`; `head` itself when there is nothing left of it. */
async function undo(
  repo: RigRepo,
  { job, head, commit }: { readonly job: RevertJob; readonly head: string; readonly commit: MergeCommit },
): Promise<string | Omit<Extract<JobResult, { result: 'conflict' }>, 'targetSha'>> {
  const env = identityOf(job);
  const treeOf = (sha: string): Promise<string> => gitLine(repo.place, ['rev-parse', '--verify', `${sha}^{tree}`]);
  // A commit beside it that takes everything back: merging that is the revert, and git of 2.39 can do it.
  const back = await gitLine(repo.place, ['commit-tree', await treeOf(commit.before), '-p', commit.sha, '-F', '-'], {
    input: `Undo ${commit.sha}\n`,
    env,
  });
  const merged = await git(
    repo.place,
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', head, back],
    { ok: [0, 1] },
  );
  const [tree = '', ...paths] = merged.stdout.split('\0').filter((part) => part !== '');
  if (merged.code === 1)
    return {
      result: 'conflict',
      paths: paths.slice(0, CONFLICT_PATHS_MAX),
      message: `${commit.sha} ("${commit.subject}") can't be undone: what came after it changed the same places.`,
    };
  if (tree === (await treeOf(head))) return head;
  return gitLine(repo.place, ['commit-tree', tree, '-p', head, '-F', '-'], {
    input: `Revert "${commit.subject}"\n\nThis undoes ${commit.sha}.\n\nGt-Bead: ${job.bead}\n`,
    env,
  });
}

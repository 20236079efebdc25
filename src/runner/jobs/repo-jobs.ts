import type { Job, JobResult, Repo } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { git, GitError, gitLine } from '../git/git.ts';
import { isOnlyTarget } from '../git/own-commits.ts';
import { checkRef } from '../git/names.ts';
import { fetchedRef, isAncestor, remoteName, resolve, type RigRepo } from '../git/repos.ts';
import { CONFLICT_PATHS_MAX } from '../limits.ts';
import { secretMessage, secretsIn } from '../secrets/scan.ts';

/** Ensures the clone and fetches the target. */
export async function runRepo(ctx: RunnerContext, job: Extract<Job, { kind: 'repo' }>): Promise<JobResult> {
  return { result: 'repo_ready', targetSha: await ctx.repos.fetchTarget(job.repo) };
}

/** Checks a claim against git; an agent's word is never evidence. */
export async function runVerify(ctx: RunnerContext, job: Extract<Job, { kind: 'verify' }>): Promise<JobResult> {
  const repo = await ctx.repos.ensure(job.repo);
  const actual = await workAt(ctx, repo, { origin: job.repo, ref: checkRef(job.ref) });
  if (job.elsewhere === true && actual !== job.claimedHead) return NOT_HERE_YET;
  if (actual === null) return refMissing('The claimed work is not stored in the repository.');
  if (actual !== job.claimedHead) {
    return {
      result: 'refused',
      code: 'head_moved',
      message: `The work is at ${actual}, not at the claimed ${job.claimedHead}. Call gt done again.`,
    };
  }
  if (job.base === actual)
    return { result: 'refused', code: 'no_commits', message: 'There is no commit on top of the base.' };
  await requireCommit(ctx, job.repo, job.base);
  if (!(await isAncestor(repo.place, job.base, actual))) {
    return {
      result: 'refused',
      code: 'not_descendant',
      message: `The work does not contain ${job.base}, which it has to be built on. Rebase it and call gt done again.`,
    };
  }
  const span = { rig: job.repo.rig, base: job.base, head: actual };
  if (await isOnlyTarget(repo.place, span, () => newestTarget(ctx, job.repo))) return nothingOwn(job.repo.targetBranch);
  const conflict = await stillConflicts(ctx, repo, job, actual);
  if (conflict !== null) return conflict;
  const found = await secretsIn(repo, job.repo, [actual, `^${job.base}`]);
  if (found.length > 0) {
    const { message, next } = secretMessage(found);
    return { result: 'refused', code: 'secret_found', message: `${message} ${next}` };
  }
  return {
    result: 'verified',
    head: actual,
    ahead: Number(await gitLine(repo.place, ['rev-list', '--count', `${job.base}..${actual}`])),
  };
}

const nothingOwn = (target: string): JobResult => ({
  result: 'refused',
  code: 'no_commits',
  message: `${target} has all of these commits already, and none of them was made for this bead. If nothing needs to change, say why: gt done --no-change "<reason>". Otherwise go on, commit, and call gt done again.`,
});

/** Where the target is; an origin that does not answer, or has no such branch, must not keep a claim waiting. */
async function newestTarget(ctx: RunnerContext, repo: Repo): Promise<string | null> {
  try {
    return await ctx.repos.fetchTarget(repo);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return resolve(ctx.repos.known(repo.rig).place, remoteName(repo.targetBranch));
  }
}

/** Null: it merges cleanly with what it conflicted with, or nobody asked. */
async function stillConflicts(
  ctx: RunnerContext,
  repo: RigRepo,
  job: Extract<Job, { kind: 'verify' }>,
  head: string,
): Promise<JobResult | null> {
  const against = await conflicting(ctx, repo, job);
  if (against === null) return null;
  const { targetBranch } = job.repo;
  const merged = await git(
    repo.place,
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', against, head],
    { ok: [0, 1, 128] },
  );
  if (merged.code !== 1) return null;
  const [, ...paths] = merged.stdout.split('\0').filter((part) => part !== '');
  const named = paths.slice(0, CONFLICT_PATHS_MAX).join(', ');
  return {
    result: 'refused',
    code: 'still_conflicts',
    message: `${targetBranch} (at ${against}) is not merged into your work: both still change ${named}. Run "git merge ${against}", keep both changes, commit, then call gt done again.`,
  };
}

/** What it is to merge with: what it conflicted with, or the target as it is now where people took that out meanwhile. */
async function conflicting(
  ctx: RunnerContext,
  repo: RigRepo,
  { against, repo: origin }: Extract<Job, { kind: 'verify' }>,
): Promise<string | null> {
  if (against === undefined || (await resolve(repo.place, against)) === null) return null;
  const newest = await newestTarget(ctx, origin);
  return newest === null || (await isAncestor(repo.place, against, newest)) ? against : newest;
}

/** The runner that has the work may bring it to the origin, or be asked itself. */
const NOT_HERE_YET: JobResult = { result: 'error', message: 'The claimed work is not here yet; its runner has it.' };

const refMissing = (what: string): JobResult => ({
  result: 'refused',
  code: 'ref_missing',
  message: `${what} Call gt done again.`,
});

/** Answers null when the commit of a claim is here; else what that means for who asks. Errors: `GitError`. */
export async function claimMissing(
  ctx: RunnerContext,
  job: Extract<Job, { kind: 'promote' }>,
): Promise<JobResult | null> {
  if ((await findCommit(ctx, job.repo, job.head)) !== null) return null;
  return job.elsewhere === false ? refMissing('The verified work is neither here nor on the origin.') : NOT_HERE_YET;
}

/** What a work ref holds: here, or on the origin when another runner made it, or when this town came from another machine. */
async function workAt(
  ctx: RunnerContext,
  repo: RigRepo,
  work: { readonly origin: Repo; readonly ref: string },
): Promise<string | null> {
  const here = await resolve(repo.place, work.ref);
  if (here !== null) return here;
  await ctx.repos.fetchWork(work.origin);
  return resolve(repo.place, fetchedRef(work.ref));
}

/** The rig's clone with this commit in it, fetched when it is only on the origin. Errors: `GitError`. */
export async function requireCommit(ctx: RunnerContext, repo: Repo, sha: string): Promise<RigRepo> {
  const found = await findCommit(ctx, repo, sha);
  if (found === null) throw new GitError('fetch', null, `commit ${sha} is neither here nor on the origin`);
  return found;
}

async function findCommit(ctx: RunnerContext, repo: Repo, sha: string): Promise<RigRepo | null> {
  const rigRepo = await ctx.repos.ensure(repo);
  if ((await resolve(rigRepo.place, sha)) !== null) return rigRepo;
  await ctx.repos.fetchAll(repo);
  if ((await resolve(rigRepo.place, sha)) === null) await ctx.repos.fetchWork(repo);
  return (await resolve(rigRepo.place, sha)) === null ? null : rigRepo;
}

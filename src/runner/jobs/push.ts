import type { Job, JobResult } from '../../api/contract/runner.ts';
import { PUSH_REFUSED } from '../../core/rules/refused-push.ts';
import type { RunnerContext } from '../context.ts';
import type { GitOutput } from '../git/git.ts';
import { pushRef, remoteHead } from '../git/keep-branch.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { isAncestor, remoteName, resolve, type RigRepo, writeRef } from '../git/repos.ts';
import { refusalOf } from '../git/push-refusal.ts';
import { ERROR_CHARS_MAX } from '../limits.ts';
import { scanAdded, type SecretFound, secretMessage } from '../secrets/scan.ts';
import { claimMissing, requireCommit } from './repo-jobs.ts';

type PushJob = Extract<Job, { kind: 'push' }>;

const TOO_LATE: GitOutput = { code: 1, stdout: '', stderr: 'The time to push it is over; it was not begun.' };

/**
 * Pushes the candidate with the expected old value. What push says is not the verdict: the remote is asked again what the
 * target is, and fetched when that is not the candidate itself.
 */
export async function runPush(ctx: RunnerContext, job: PushJob): Promise<JobResult> {
  const repo = await ctx.repos.ensure(job.repo);
  const found = await keysIn(ctx, repo, job);
  if (found.length > 0) return { result: 'refused', code: 'secret_found', message: secretMessage(found).message };
  // The town gives a push up some time after this; what would arrive then, nobody expects any more.
  const isLate = job.notAfterMs !== undefined && ctx.clock.now() > job.notAfterMs;
  const pushed = isLate
    ? TOO_LATE
    : await pushRef(repo, {
        url: job.repo.url,
        branch: checkBranch(job.repo.targetBranch),
        sha: job.candidate,
        expectedOld: job.expectedOld,
      });
  const actual = await remoteHead(repo, job.repo.url, job.repo.targetBranch);
  if (actual === job.candidate) {
    // A push by address moves no name here, and "gt doctor" and agents look at this one before anybody fetches.
    await writeRef(repo, remoteName(job.repo.targetBranch), actual);
    return { result: 'pushed', targetSha: actual };
  }
  // Somebody deleted the target meanwhile: that race is lost too, and the next merge sees what to do about it.
  if (actual === null) return { result: 'lost_race', targetSha: null };
  const targetSha = await ctx.repos.fetchTarget(job.repo);
  if (await isAncestor(repo.place, job.candidate, targetSha)) return { result: 'pushed', targetSha };
  if (targetSha !== job.expectedOld) return { result: 'lost_race', targetSha };
  // The target is where we expected it and still the push failed: a rule of the remote, or the network.
  const refusal = refusalOf(pushed);
  if (refusal !== null) return { result: 'refused', code: PUSH_REFUSED, message: refusal };
  return { result: 'error', message: failure(pushed) };
}

/**
 * Keys in what the push would add: also what people put on the branch by hand, and what an older program let through. A
 * candidate that another runner made is fetched once git misses it here.
 */
async function keysIn(ctx: RunnerContext, repo: RigRepo, job: PushJob): Promise<readonly SecretFound[]> {
  const allowed = job.repo.secretsAllowed;
  if (allowed === null) {
    await requireCommit(ctx, job.repo, job.candidate);
    return [];
  }
  const scan = (): Promise<readonly SecretFound[]> =>
    scanAdded(repo.place, [job.candidate, `^${job.expectedOld}`], allowed ?? []);
  try {
    return await scan();
  } catch (error) {
    if ((await resolve(repo.place, job.candidate)) !== null) throw error;
    await requireCommit(ctx, job.repo, job.candidate);
    return scan();
  }
}

/**
 * Moves the bead's public branch to a verified head; a repeat finds it there. A branch that was moved by hand counts as
 * expected when the head contains what it holds now, or when it holds nothing: then nobody's work is lost.
 */
export async function runPromote(ctx: RunnerContext, job: Extract<Job, { kind: 'promote' }>): Promise<JobResult> {
  checkBranch(job.branch);
  const missing = await claimMissing(ctx, job);
  if (missing !== null) return missing;
  const repo = await ctx.repos.ensure(job.repo);
  const to = { url: job.repo.url, branch: job.branch, sha: job.head };
  const first = await pushRef(repo, { ...to, expectedOld: job.expectedOld });
  if (first.code === 0) return { result: 'promoted', head: job.head };
  const actual = await remoteHead(repo, job.repo.url, job.branch);
  if (actual === job.head) return { result: 'promoted', head: job.head };
  const harmless = actual !== job.expectedOld && (actual === null || (await contains(ctx, repo, job, actual)));
  const pushed = harmless ? await pushRef(repo, { ...to, expectedOld: actual }) : first;
  if (pushed.code === 0) return { result: 'promoted', head: job.head };
  return actual === job.expectedOld
    ? { result: 'error', message: failure(pushed) }
    : { result: 'branch_moved', actual };
}

/** The head was built on what the branch holds; a commit that is only on the origin can't be part of it. */
async function contains(
  ctx: RunnerContext,
  repo: RigRepo,
  job: Extract<Job, { kind: 'promote' }>,
  actual: string,
): Promise<boolean> {
  if ((await resolve(repo.place, actual)) === null) await ctx.repos.fetchAll(job.repo);
  return (await resolve(repo.place, actual)) !== null && isAncestor(repo.place, actual, job.head);
}

const failure = (pushed: GitOutput): string => `${pushed.stderr}\n${pushed.stdout}`.trim().slice(0, ERROR_CHARS_MAX);

import type { Job, JobResult } from '../../api/contract/runner.ts';
import { mergingRef } from '../../core/model/agent.ts';
import { trusted } from '../../core/model/ids.ts';
import type { RunnerContext } from '../context.ts';
import { git, gitLine } from '../git/git.ts';
import { fetchKept } from '../git/keep-branch.ts';
import { isAncestor, resolve, type RigRepo, setRef } from '../git/repos.ts';
import { CONFLICT_PATHS_MAX } from '../limits.ts';
import { pathSegment } from '../paths.ts';
import { orRefused } from './branch.ts';
import { identityOf } from './identity.ts';
import { requireCommit } from './repo-jobs.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;

/** Merges in the object database, without a checkout; dates and author are fixed, so that a repeat makes the same commit. */
export function runMerge(ctx: RunnerContext, job: MergeJob): Promise<JobResult> {
  pathSegment(job.mergeRequest, 'a merge request');
  return orRefused(() => merge(ctx, job));
}

async function merge(ctx: RunnerContext, job: MergeJob): Promise<JobResult> {
  const targetSha = await fetchKept(ctx.repos, job.repo);
  const repo = await requireCommit(ctx, job.repo, job.head);
  if (await isAncestor(repo.place, job.head, targetSha))
    return { result: 'already_merged', targetSha, mergeSha: await mergeOf(repo, job, targetSha) };
  if (job.earlierCandidate !== null && (await landed(repo, job.earlierCandidate, targetSha))) {
    return { result: 'already_merged', targetSha, mergeSha: job.earlierCandidate };
  }
  const merged = await git(
    repo.place,
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', targetSha, job.head],
    { ok: [0, 1, 128] },
  );
  const [tree = '', ...paths] = merged.stdout.split('\0').filter((part) => part !== '');
  if (merged.code === 1)
    return conflicted(targetSha, paths, `${String(paths.length)} files conflict with ${job.repo.targetBranch}.`);
  if (merged.code === 128) {
    return merged.stderr.includes('unrelated histories')
      ? conflicted(targetSha, [], merged.stderr)
      : { result: 'error', message: merged.stderr };
  }
  const candidate = await gitLine(repo.place, ['commit-tree', tree, '-p', targetSha, '-p', job.head, '-F', '-'], {
    input: job.message,
    env: identityOf(job),
  });
  const ref = mergingRef(trusted.bead(job.mergeRequest));
  await setRef(repo, ref, candidate);
  await ctx.pushes.push(job.repo, ref, ctx.timings.pushWaitMs);
  return { result: 'candidate', candidate, tree, targetSha };
}

function conflicted(targetSha: string, paths: readonly string[], message: string): JobResult {
  return { result: 'conflict', targetSha, paths: paths.slice(0, CONFLICT_PATHS_MAX), message };
}

async function landed(repo: RigRepo, candidate: string, targetSha: string): Promise<boolean> {
  return (await resolve(repo.place, candidate)) !== null && isAncestor(repo.place, candidate, targetSha);
}

/** The commit that brought the head into the target: our candidate when it was ours, else the first that contains it. */
async function mergeOf(repo: RigRepo, job: MergeJob, targetSha: string): Promise<string> {
  if (job.earlierCandidate !== null && (await landed(repo, job.earlierCandidate, targetSha)))
    return job.earlierCandidate;
  const path = (
    await git(repo.place, ['rev-list', '--ancestry-path', '--first-parent', `${job.head}..${targetSha}`])
  ).stdout
    .trim()
    .split('\n');
  const first = path.at(-1) ?? '';
  return first === '' ? job.head : first;
}

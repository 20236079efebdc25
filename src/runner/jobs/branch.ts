import type { Job, JobResult } from '../../api/contract/runner.ts';
import type { RunnerContext } from '../context.ts';
import { BranchLost, fetchKept, makeBranch } from '../git/keep-branch.ts';

/** Sees to it that a branch of the town is on the origin with all that belongs to it. */
export function runBranch(ctx: RunnerContext, job: Extract<Job, { kind: 'branch' }>): Promise<JobResult> {
  return orRefused(async () => ({
    result: 'branch_ready',
    head: await (job.repo.restore === undefined
      ? makeBranch(ctx.repos, job.repo, job.from)
      : fetchKept(ctx.repos, job.repo)),
  }));
}

/** A branch that only a person can mend is an answer, not trouble that passes by itself. */
export async function orRefused(work: () => Promise<JobResult>): Promise<JobResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BranchLost)) throw error;
    return { result: 'refused', code: 'branch_lost', message: error.message };
  }
}

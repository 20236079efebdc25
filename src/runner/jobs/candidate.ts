import type { Job } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import { git, gitLine } from '../git/git.ts';
import { isAncestor, resolve, type RigRepo } from '../git/repos.ts';
import { identityOf } from './identity.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
type Entry = Pick<Rider, 'head' | 'message' | 'earlierCandidate'>;

/** The commit that adds one entry to what is below it. */
export interface Made {
  readonly candidate: string;
  readonly tree: string;
}

export type Candidate =
  | Made
  | { readonly paths: readonly string[]; readonly message: string }
  | { readonly error: string };

/** Merges one entry onto a commit in the object database. Errors: `GitError`. */
export async function candidateOn(
  repo: RigRepo,
  { job, entry, on }: { readonly job: MergeJob; readonly entry: Entry; readonly on: string },
): Promise<Candidate> {
  const merged = await git(
    repo.place,
    ['merge-tree', '--write-tree', '--name-only', '--no-messages', '-z', on, entry.head],
    { ok: [0, 1, 128] },
  );
  const [tree = '', ...paths] = merged.stdout.split('\0').filter((part) => part !== '');
  if (merged.code === 1)
    return { paths, message: `${String(paths.length)} files conflict with ${job.repo.targetBranch}.` };
  if (merged.code === 128) {
    return merged.stderr.includes('unrelated histories')
      ? { paths: [], message: merged.stderr }
      : { error: merged.stderr };
  }
  const candidate = await gitLine(repo.place, ['commit-tree', tree, '-p', on, '-p', entry.head, '-F', '-'], {
    input: entry.message,
    env: identityOf(job),
  });
  return { candidate, tree };
}

/**
 * The commit that brought the entry into the target: our candidate when it was ours, else the first that contains its head.
 * Null: the target does not have it.
 */
export async function mergedAs(repo: RigRepo, entry: Entry, targetSha: string): Promise<string | null> {
  if (entry.earlierCandidate !== null && (await landed(repo, entry.earlierCandidate, targetSha)))
    return entry.earlierCandidate;
  if (!(await isAncestor(repo.place, entry.head, targetSha))) return null;
  const path = (
    await git(repo.place, ['rev-list', '--ancestry-path', '--first-parent', `${entry.head}..${targetSha}`])
  ).stdout
    .trim()
    .split('\n');
  const first = path.at(-1) ?? '';
  return first === '' ? entry.head : first;
}

async function landed(repo: RigRepo, candidate: string, targetSha: string): Promise<boolean> {
  return (await resolve(repo.place, candidate)) !== null && isAncestor(repo.place, candidate, targetSha);
}

import type { Job } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import { git, gitLine } from '../git/git.ts';
import { isAncestor, resolve, type RigRepo } from '../git/repos.ts';
import { LANDED_LOOKED_AT_MAX } from '../limits.ts';
import { commitFor } from './styles.ts';
import { landedSince, mergeRequestOf } from './trailers.ts';

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
  return { candidate: await commitFor(repo, { job, entry, on, tree }), tree };
}

/**
 * The commit that brought the entry into the target: our candidate when it was ours, else the first that contains its head,
 * or one that landed all of it in another style. Null: the target does not have it.
 */
export async function mergedAs(repo: RigRepo, job: MergeJob, entry: Entry, targetSha: string): Promise<string | null> {
  if (entry.earlierCandidate !== null && (await landed(repo, entry.earlierCandidate, targetSha)))
    return entry.earlierCandidate;
  if (!(await isAncestor(repo.place, entry.head, targetSha)))
    return (job.style ?? 'merge') === 'merge' ? null : landedWithout(repo, entry, targetSha);
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

/**
 * Squashed and rebased, an entry's head is never on the target. A push of ours whose answer was lost twice, so that its
 * candidate is no longer known, is found by its name, and believed when it brought exactly what merging the head brings.
 */
async function landedWithout(repo: RigRepo, entry: Entry, targetSha: string): Promise<string | null> {
  const name = mergeRequestOf(entry.message);
  if (name === null) return null;
  const found = await gitLine(repo.place, [
    'log',
    '--first-parent',
    '--fixed-strings',
    `--grep=Gt-Merge-Request: ${name}`,
    `--max-count=${String(LANDED_LOOKED_AT_MAX)}`,
    '--format=%H',
    '--end-of-options',
    `${entry.head}..${targetSha}`,
    '--',
  ]);
  for (const sha of found.split('\n').filter((line) => line !== '')) {
    const before = await landedSince(repo, sha);
    if (before === null) continue;
    const merged = await git(repo.place, ['merge-tree', '--write-tree', '--no-messages', '-z', before, entry.head], {
      ok: [0, 1, 128],
    });
    const tree = await gitLine(repo.place, ['rev-parse', '--verify', `${sha}^{tree}`]);
    if (merged.code === 0 && merged.stdout.split('\0')[0] === tree) return sha;
  }
  return null;
}

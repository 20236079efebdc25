import type { Job } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import type { Brought } from '../../core/model/outside.ts';
import { git, gitLine } from '../git/git.ts';
import { isAncestor, resolve, type RigRepo } from '../git/repos.ts';
import { LANDED_LOOKED_AT_MAX } from '../limits.ts';
import { type Clean, commitFor } from './styles.ts';
import { landedSince, mergeRequestOf } from './trailers.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
type Entry = Pick<Rider, 'head' | 'message' | 'earlierCandidate'>;

/** The commit that adds one entry to what is below it. */
export interface Made {
  readonly candidate: string;
  readonly tree: string;
}

interface Unclean {
  readonly paths: readonly string[];
  readonly message: string;
}

export type Candidate = Made | Unclean | { readonly error: string };

/** A commit with its tree; both are known before anything is merged onto it. */
export interface Target {
  readonly sha: string;
  readonly tree: string;
}

/** Merges one entry onto a commit in the object database. Errors: `GitError`. */
export async function candidateOn(
  repo: RigRepo,
  { job, entry, on }: { readonly job: MergeJob; readonly entry: Entry; readonly on: string },
): Promise<Candidate> {
  const merged = await mergeOnto(repo, { job, entry, on });
  return 'tree' in merged ? madeOf(repo, { job, entry, on, tree: merged.tree }) : merged;
}

/**
 * The same onto the target itself; instead, the commit that brought the entry there when it is merged already. Whoever is
 * merged changes nothing any more, so only then git is asked about ancestry. Errors: `GitError`.
 */
export async function candidateOnTarget(
  repo: RigRepo,
  { job, entry, target }: { readonly job: MergeJob; readonly entry: Entry; readonly target: Target },
): Promise<Candidate | Brought> {
  if (entry.earlierCandidate !== null && (await landed(repo, entry.earlierCandidate, target.sha)))
    return { mergeSha: entry.earlierCandidate };
  const merged = await mergeOnto(repo, { job, entry, on: target.sha });
  const isSame = 'tree' in merged && merged.tree === target.tree;
  const brought = await mergedAs(repo, { job, entry, target, isSame });
  if (brought !== null) return brought;
  return 'tree' in merged ? madeOf(repo, { job, entry, on: target.sha, tree: merged.tree }) : merged;
}

const madeOf = async (repo: RigRepo, clean: Clean): Promise<Made> => ({
  candidate: await commitFor(repo, clean),
  tree: clean.tree,
});

async function mergeOnto(
  repo: RigRepo,
  { job, entry, on }: { readonly job: MergeJob; readonly entry: Entry; readonly on: string },
): Promise<{ readonly tree: string } | Unclean | { readonly error: string }> {
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
  return { tree };
}

/**
 * The commit that brought the entry into the target, which is not our last candidate: the first that contains its head,
 * or one that landed all of it in another style. Null: the target does not have it.
 */
async function mergedAs(
  repo: RigRepo,
  of: { readonly job: MergeJob; readonly entry: Entry; readonly target: Target; readonly isSame: boolean },
): Promise<Brought | null> {
  const { job, entry, target } = of;
  if (!of.isSame || !(await isAncestor(repo.place, entry.head, target.sha))) {
    const landedAs = (job.style ?? 'merge') === 'merge' ? null : await landedWithout(repo, entry, target.sha);
    return landedAs === null ? null : { mergeSha: landedAs };
  }
  const path = (
    await git(repo.place, [
      'rev-list',
      '--ancestry-path',
      '--first-parent',
      '--parents',
      `${entry.head}..${target.sha}`,
    ])
  ).stdout
    .trim()
    .split('\n');
  const [first = '', below = ''] = path.at(-1)?.split(' ') ?? [];
  // Nothing was merged onto the target's own line: that line goes through the head itself.
  return broughtBy(repo, of, first === '' || below === entry.head ? entry.head : first);
}

/**
 * Says who brought it: a train's commits are the refinery's and name their merge request; that line in a commit of somebody
 * else proves nothing. A head that is itself such a commit, of another merge request, brought nothing: its lineage only took in
 * what was landed. Agents commit with the address of the town's owner, so it takes the name too to tell the two apart.
 */
async function broughtBy(
  repo: RigRepo,
  { job, entry: { head, message: words } }: { readonly job: MergeJob; readonly entry: Entry },
  mergeSha: string,
): Promise<Brought> {
  const format = ['%cn <%ce>', '%cn', '%B'].join('%x00');
  const { stdout } = await git(repo.place, [
    'show',
    '-s',
    '-z',
    `--format=${format}`,
    '--end-of-options',
    mergeSha,
    head,
  ]);
  const [by = '', name = '', message = '', author = by] = stdout.split('\0');
  const made = name === job.author.name ? mergeRequestOf(message) : null;
  if (made !== null)
    return mergeSha !== head || made === mergeRequestOf(words) ? { mergeSha } : { mergeSha, madeFor: made };
  return { mergeSha, outside: mergeSha === head || by === author ? 'pushed' : 'by_hand' };
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

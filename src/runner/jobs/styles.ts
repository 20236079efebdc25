import type { Job } from '../../api/contract/runner.ts';
import type { Rider } from '../../core/facts.ts';
import { git, gitLine } from '../git/git.ts';
import type { RigRepo } from '../git/repos.ts';
import { CO_AUTHORS_MAX, REBASE_COMMITS_MAX } from '../limits.ts';
import { identityOf } from './identity.ts';
import { partOf, trailersOf, withTrailers } from './trailers.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;

/** One entry of the train whose merge onto a commit is known to be clean, with this tree. */
export interface Clean {
  readonly job: MergeJob;
  readonly entry: Pick<Rider, 'head' | 'message'>;
  readonly on: string;
  readonly tree: string;
}

/**
 * The commit that brings a clean entry, in the style of its rig. Whatever the style, its tree is that of the merge, so that
 * what was tested is what lands. `squash`: one commit. `rebase`: a commit for each of the branch; where they can't be put
 * onto each other to the same tree (a merge in between resolved a conflict), or are too many, one commit. Errors: `GitError`.
 */
export async function commitFor(repo: RigRepo, clean: Clean): Promise<string> {
  const { job, entry, on, tree } = clean;
  const style = job.style ?? 'merge';
  if (style === 'merge') {
    const env = identityOf(job);
    return gitLine(repo.place, ['commit-tree', tree, '-p', on, '-p', entry.head, '-F', '-'], {
      input: entry.message,
      env,
    });
  }
  const commits = await commitsOf(repo, clean);
  const replayed = style === 'rebase' ? await replay(repo, clean, commits) : null;
  return replayed ?? squash(repo, clean, commits);
}

interface Commit {
  readonly sha: string;
  readonly parent: string | null;
  readonly author: string;
  readonly email: string;
  /** Seconds and zone, as git writes them. */
  readonly date: string;
  readonly message: string;
}

const FIELDS = 6;

/** What the branch has and the target has not, oldest first, without merges; one more than may be replayed at most. */
async function commitsOf(repo: RigRepo, { entry, on }: Clean): Promise<readonly Commit[]> {
  const format = ['%H', '%P', '%an', '%ae', '%ad', '%B'].join('%x00');
  const { stdout } = await git(repo.place, [
    'log',
    '-z',
    '--reverse',
    '--topo-order',
    '--no-merges',
    `--max-count=${String(REBASE_COMMITS_MAX + 1)}`,
    '--date=raw',
    `--format=${format}`,
    '--end-of-options',
    `${on}..${entry.head}`,
    '--',
  ]);
  const parts = stdout.split('\0');
  return Array.from({ length: Math.floor(parts.length / FIELDS) }, (_, n) => {
    const [sha = '', parent = '', author = '', email = '', date = '', message = ''] = parts.slice(
      n * FIELDS,
      (n + 1) * FIELDS,
    );
    return { sha: sha.trim(), parent: parent === '' ? null : parent, author, email, date, message };
  });
}

async function squash(repo: RigRepo, { job, entry, on, tree }: Clean, commits: readonly Commit[]): Promise<string> {
  const [first, ...others] = commits;
  const nameOf = ({ author, email }: Commit): string => `${author} <${email}>`;
  const also = [...new Set(others.map(nameOf))]
    .filter((name) => first !== undefined && name !== nameOf(first))
    .slice(0, CO_AUTHORS_MAX)
    .map((name) => `Co-authored-by: ${name}`);
  return gitLine(repo.place, ['commit-tree', tree, '-p', on, '-F', '-'], {
    input: withTrailers(entry.message, also),
    env: { ...identityOf(job), ...(first === undefined ? {} : authorOf(first)) },
  });
}

/** Who wrote a commit stays its author; what git would refuse of that is the refinery's. */
function authorOf({ author, email, date }: Commit): Record<string, string> {
  const env: Record<string, string> = {};
  if (/[\p{L}\p{N}]/u.test(author)) env['GIT_AUTHOR_NAME'] = author;
  if (/[^\s<>]/.test(email)) env['GIT_AUTHOR_EMAIL'] = email;
  if (/^\d{1,11} [+-]\d{4}$/.test(date)) env['GIT_AUTHOR_DATE'] = `@${date}`;
  return env;
}

/** The commits of the branch one after the other on top of `on`; null: that does not end at the tree of the merge. */
async function replay(
  repo: RigRepo,
  { job, entry, on, tree }: Clean,
  commits: readonly Commit[],
): Promise<string | null> {
  if (commits.length > REBASE_COMMITS_MAX) return null;
  const steps: { readonly commit: Commit; readonly tree: string }[] = [];
  let at = await gitLine(repo.place, ['rev-parse', '--verify', `${on}^{tree}`]);
  for (const commit of commits) {
    const next = await picked(repo, { job, commit, onto: at });
    if (next === null) return null;
    // What the target has already leaves an empty commit, which says nothing.
    if (next !== at) steps.push({ commit, tree: next });
    at = next;
  }
  if (at !== tree || steps.length === 0) return null;
  let head = on;
  for (const [place, step] of steps.entries())
    head = await gitLine(repo.place, ['commit-tree', step.tree, '-p', head, '-F', '-'], {
      input: withTrailers(step.commit.message, [...trailersOf(entry.message), partOf(place + 1, steps.length)]),
      env: { ...identityOf(job), ...authorOf(step.commit) },
    });
  return head;
}

/** The tree that holds `onto` and what one commit changed; null when they conflict. */
async function picked(
  repo: RigRepo,
  { job, commit, onto }: { readonly job: MergeJob; readonly commit: Commit; readonly onto: string },
): Promise<string | null> {
  if (commit.parent === null) return null;
  // A commit beside it with the tree to change: their merge base is its parent, which git of 2.39 can't be told.
  const beside = await gitLine(repo.place, ['commit-tree', onto, '-p', commit.parent, '-F', '-'], {
    input: 'Replay\n',
    env: identityOf(job),
  });
  const merged = await git(repo.place, ['merge-tree', '--write-tree', '--no-messages', '-z', beside, commit.sha], {
    ok: [0, 1],
  });
  return merged.code === 0 ? (merged.stdout.split('\0')[0] ?? null) : null;
}

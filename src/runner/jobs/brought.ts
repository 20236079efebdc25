import { git, gitLine } from '../git/git.ts';
import type { RigRepo } from '../git/repos.ts';
import { REBASE_COMMITS_MAX } from '../limits.ts';

/**
 * The commit on the target's own line from which somebody else, as a code host does, brought a head without a merge commit,
 * squashed or rebased, so that the last commit is `sha`; null: that can't be proven. Proven is: merging the head there
 * makes exactly the tree of `sha`, and what changed between the two is all that the head changed. Errors: `GitError`.
 */
export async function broughtSince(repo: RigRepo, sha: string, head: string): Promise<string | null> {
  const { place } = repo;
  const base = await git(place, ['merge-base', sha, head], { ok: [0, 1] });
  const fork = base.stdout.trim();
  if (base.code !== 0 || fork === head) return null;
  const count = Number(await gitLine(place, ['rev-list', '--count', '--no-merges', `${fork}..${head}`]));
  const wanted = await changeOf(repo, fork, head);
  if (wanted === '') return null;
  const tree = await gitLine(place, ['rev-parse', '--verify', `${sha}^{tree}`]);
  for (let back = Math.min(count, REBASE_COMMITS_MAX); back > 0; back -= 1) {
    const found = await git(place, ['rev-parse', '--verify', '--quiet', `${sha}~${String(back)}^{commit}`], {
      ok: [0, 1, 128],
    });
    const before = found.stdout.trim();
    if (found.code !== 0 || (await changeOf(repo, before, sha)) !== wanted) continue;
    const merged = await git(place, ['merge-tree', '--write-tree', '--no-messages', '-z', before, head], {
      ok: [0, 1, 128],
    });
    if (merged.code === 0 && merged.stdout.split('\0')[0] === tree) return before;
  }
  return null;
}

/** A name for all that changed between two commits, wherever in its files that is. */
async function changeOf(repo: RigRepo, from: string, to: string): Promise<string> {
  const diff = await git(repo.place, [
    'diff-tree',
    '-r',
    '--patch',
    '--full-index',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    from,
    to,
  ]);
  return (await gitLine(repo.place, ['patch-id', '--stable'], { input: diff.stdout })).split(' ')[0] ?? '';
}

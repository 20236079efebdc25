import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { git } from './git.ts';
import { isAncestor, type RigRepo } from './repos.ts';
import type { Worktree } from './worktree.ts';

/**
 * Removes local branches that an agent made in its worktree, once their commits are safe: they live in the shared clone,
 * where the next agent would meet them. A branch is the agent's when this worktree's HEAD was on its tip. Errors: `GitError`.
 */
export async function dropOwnBranches(
  repo: RigRepo,
  tree: Worktree,
  kept: { readonly safe: readonly string[] },
): Promise<void> {
  const log = await readFile(join(tree.place.gitDir, 'logs', 'HEAD'), 'utf8').catch(() => '');
  const seen = new Set(log.split('\n').map((line) => line.split(' ')[1] ?? ''));
  const out = (
    await git(repo.place, ['for-each-ref', '--format=%(objectname)%00%(refname)%00%(worktreepath)', 'refs/heads'])
  ).stdout;
  for (const line of out.split('\n')) {
    const [tip = '', ref = '', checkedOutAt = ''] = line.split('\0');
    if (tip === '' || !seen.has(tip) || (checkedOutAt !== '' && checkedOutAt !== tree.path)) continue;
    const safe = await Promise.all(kept.safe.map((commit) => isAncestor(repo.place, tip, commit)));
    if (!safe.includes(true)) continue;
    // HEAD first: deleting the branch under an attached HEAD would leave a HEAD without commit.
    if (checkedOutAt !== '') await git(tree.place, ['update-ref', '--no-deref', 'HEAD', tip]);
    await repo.writer.run(() =>
      git(repo.place, ['update-ref', '-d', '--end-of-options', ref, tip], { ok: [0, 1, 128] }),
    );
  }
}

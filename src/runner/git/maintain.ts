import { existsSync } from 'node:fs';

import { GIT_CLONE_TIMEOUT_MS } from '../limits.ts';
import { git, gitLine } from './git.ts';
import type { RigRepo } from './repos.ts';

/** Loose objects from which on they are packed: git's own threshold for its automatic collection, which is off here. */
const LOOSE_OBJECTS_MAX = 6_700;

/**
 * Keeps a clone fast after thousands of attempts: one file for all refs (a fetch reads every ref), packs instead of loose
 * objects. Deletes no object that no pack holds, so it may run beside agents; unreachable ones stay. Errors: `GitError`.
 */
export async function maintain(repo: RigRepo): Promise<void> {
  if (!existsSync(repo.place.gitDir)) return;
  await repo.writer.run(() => git(repo.place, ['pack-refs', '--all']));
  const loose = Number((await gitLine(repo.place, ['count-objects'])).split(' ')[0]);
  if (loose > LOOSE_OBJECTS_MAX)
    await git(repo.place, ['repack', '-d', '-l', '-q'], { timeoutMs: GIT_CLONE_TIMEOUT_MS });
}

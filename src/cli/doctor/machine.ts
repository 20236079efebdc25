import { statfsSync } from 'node:fs';
import { git } from '../../hosts/node/git.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import { ok, problem, type Check } from './check.ts';

/** The first Node with all of `node:sqlite` and type stripping that we use. */
const NODE_MIN = [22, 14] as const;
/**
 * `git merge-tree --write-tree` came with 2.38. With the repairs of 2.39.4 (CVE-2024-32004, CVE-2024-32465) git can be told
 * to fetch nothing from where a repository says that an agent wrote. Lines from 2.40 to 2.44 have them in a late patch,
 * and distributions put them into earlier ones: the number does not tell, so these are not refused.
 */
const GIT_MIN = [2, 39, 4] as const;
/** Below this a clone, a worktree or the log of a database may fail any moment. */
const DISK_FREE_BYTES_MIN = 1024 * 1024 * 1024;

/** Numbers that are not given are 0. */
function atLeast(version: readonly number[], min: readonly number[]): boolean {
  const at = min.findIndex((number, index) => (version[index] ?? 0) !== number);
  return at === -1 || (version[at] ?? 0) > (min[at] ?? 0);
}

/** True for a git that is new enough for merges without a worktree, and safe to read what agents can write. */
export const isGitFit = (version: string): boolean => atLeast(version.split('.').map(Number), GIT_MIN);

export function nodeCheck(): Check {
  const version = process.versions.node.split('.').map(Number);
  if (atLeast(version, NODE_MIN)) return ok('node', process.versions.node);
  return problem('node', {
    what: process.versions.node,
    why: `${NODE_MIN.join('.')} or newer is needed`,
    fix: 'npx -p node@24 -p @gastown/gt gt doctor',
  });
}

export async function gitCheck(): Promise<Check> {
  const answer = await git(['version']);
  const text = /\d+\.\d+[.\d]*/.exec(answer.stdout)?.[0];
  if (!answer.ok || text === undefined)
    return problem('git', {
      what: 'not found',
      why: 'agents work in git worktrees',
      fix: 'Install git with the package manager of this machine.',
    });
  if (isGitFit(text)) return ok('git', text);
  return problem('git', {
    what: text,
    why: `${GIT_MIN.join('.')} or newer is needed: merges happen without a worktree, and older ones fetch from where an agent says`,
    fix: 'Install a newer git with the package manager of this machine.',
  });
}

export function diskCheck(town: Town): Check {
  const stat = statfsSync(town.paths.root);
  const freeBytes = stat.bavail * stat.bsize;
  const text = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB free`;
  if (freeBytes >= DISK_FREE_BYTES_MIN) return ok('disk', text);
  return problem('disk', {
    what: text,
    why: 'clones, worktrees and databases need room',
    fix: `du -sh ${town.paths.dataDir}/*`,
  });
}

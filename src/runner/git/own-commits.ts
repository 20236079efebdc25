import { git, type GitPlace } from './git.ts';
import { isAncestor, resolve } from './repos.ts';

/** A claim's commits: what is between the base that it began from and its head. */
export interface Span {
  /** Whose agents work on it. */
  readonly rig: string;
  readonly base: string;
  readonly head: string;
}

/**
 * True when nothing of a claim was made by an agent of this rig, and the target has all of it: then it only took in what
 * others landed, and merged it would stand for their work. Asked of the claim's own line, since a merge of the target brings in
 * commits of other beads, which the same agent may have made. `targetTip` is asked for only where no such commit is found; null:
 * not known. Errors: `GitError`.
 */
export async function isOnlyTarget(
  place: GitPlace,
  span: Span,
  targetTip: () => Promise<string | null>,
): Promise<boolean> {
  if (await hasOwnCommit(place, span)) return false;
  const tip = await targetTip();
  return tip !== null && (await resolve(place, tip)) !== null && isAncestor(place, span.head, tip);
}

async function hasOwnCommit(place: GitPlace, { rig, base, head }: Span): Promise<boolean> {
  const made = [
    'log',
    '--first-parent',
    '--no-mailmap',
    '--max-count=1',
    '--format=%H',
    `--committer=^${rig}/polecats/`,
  ];
  const { stdout } = await git(place, [...made, '--end-of-options', `${base}..${head}`, '--']);
  return stdout.trim() !== '';
}

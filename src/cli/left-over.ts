import { counted } from '../core/text.ts';
import { git } from '../hosts/node/git.ts';

/** What a rescue ref holds that the origin lacks. */
export interface LeftOver {
  /** Commits that no branch of the origin has, as this clone saw it last. */
  readonly commits: number;
  /** Files that were not committed. */
  readonly files: number;
  /** Stashed, or reset away. */
  readonly others: number;
}

/** Looks at one rescue ref; null when git can't say. */
export async function leftOver(clone: string, ref: string): Promise<LeftOver | null> {
  const lines = async (...words: readonly string[]): Promise<readonly string[] | null> => {
    const answer = await git([`--git-dir=${clone}`, ...words]);
    return answer.ok ? answer.stdout.split('\n').filter((line) => line !== '') : null;
  };
  const [count, files, parents] = await Promise.all([
    lines('rev-list', '--count', `${ref}^1`, '--not', '--remotes=origin'),
    lines('diff', '--name-only', '--no-ext-diff', `${ref}^1`, ref),
    lines('rev-list', '--no-walk', `${ref}^@`),
  ]);
  if (count === null || files === null || parents === null) return null;
  return { commits: Number(count[0]), files: files.length, others: parents.length - 1 };
}

export function leftText(left: LeftOver | null): string {
  if (left === null) return 'git can not say';
  const parts = [
    left.commits === 0 ? '' : counted(left.commits, 'commit'),
    left.files === 0 ? '' : counted(left.files, 'file'),
    left.others === 0 ? '' : `${String(left.others)} set aside`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing new' : parts.join(', ');
}

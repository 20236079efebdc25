import { git, gitLine } from '../git/git.ts';
import type { RigRepo } from '../git/repos.ts';

const MERGE_REQUEST = 'Gt-Merge-Request: ';
const PART = 'Gt-Part: ';

/** Lines at the end of a message by which a landed commit is found again. */
export const trailersOf = (message: string): readonly string[] =>
  lastParagraph(message).filter((line) => /^Gt-[A-Za-z-]+: /.test(line));

export const partOf = (number: number, of: number): string => `${PART}${String(number)}/${String(of)}`;

/** The merge request that a message of the train names; null: it is none of ours. */
export function mergeRequestOf(message: string): string | null {
  const line = trailersOf(message).findLast((one) => one.startsWith(MERGE_REQUEST));
  return line === undefined ? null : line.slice(MERGE_REQUEST.length);
}

/** Adds lines to the trailers of a message, or gives it some. */
export function withTrailers(message: string, lines: readonly string[]): string {
  const text = message.trimEnd();
  if (lines.length === 0) return `${text}\n`;
  const last = lastParagraph(text);
  const has = text.includes('\n\n') && last.every((line) => /^[A-Za-z][A-Za-z0-9-]*: /.test(line));
  // Ours are last: only those are believed.
  const ours = has ? last.filter((line) => line.startsWith('Gt-')) : [];
  const body = has ? text.split('\n').slice(0, -last.length) : text.split('\n');
  const others = has ? last.filter((line) => !line.startsWith('Gt-')) : [];
  const added = lines.some((line) => line.startsWith('Gt-'))
    ? [...others, ...ours, ...lines]
    : [...others, ...lines, ...ours];
  return `${body.join('\n').trimEnd()}\n\n${added.join('\n')}\n`;
}

const lastParagraph = (message: string): readonly string[] =>
  (message.trimEnd().split('\n\n').at(-1) ?? '').split('\n');

/**
 * The commit on the target's own line from which one that the train landed without a merge began; null: it was not landed
 * so, or not for the merge request that is asked about (a code host that rebases keeps the words of what it rebases). A
 * rebased entry is several commits, of which the last says how many.
 */
export async function landedSince(repo: RigRepo, sha: string, by?: string): Promise<string | null> {
  const message = await gitLine(repo.place, ['show', '--no-patch', '--format=%B', '--end-of-options', sha]);
  const name = mergeRequestOf(message);
  if (name === null || (by !== undefined && name !== by)) return null;
  const part = /^(\d{1,4})\/(\d{1,4})$/.exec(
    trailersOf(message)
      .findLast((line) => line.startsWith(PART))
      ?.slice(PART.length) ?? '1/1',
  );
  if (part === null || part[1] !== part[2]) return null;
  const before = await git(
    repo.place,
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${sha}~${part[2] ?? ''}`],
    {
      ok: [0, 1, 128],
    },
  );
  return before.code === 0 ? before.stdout.trim() : null;
}

/** Differences as git prints them, as data: for people who look at work before it is merged. Pure. */

/** Of one line that is shown; minified files have lines of megabytes. */
export const DIFF_LINE_CHARS_MAX = 2_000;

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed';
  /** Number in the file before; null for a line that was added. */
  readonly old: number | null;
  /** Number in the file after; null for a line that was removed. */
  readonly new: number | null;
  readonly text: string;
}

export interface DiffHunk {
  /** What git says the hunk is in, for example the line of a function; may be empty. */
  readonly header: string;
  readonly lines: readonly DiffLine[];
}

/** What is shown of one file. */
export interface DiffSection {
  readonly binary: boolean;
  /** The text ends before the file does. */
  readonly cut: boolean;
  readonly hunks: readonly DiffHunk[];
}

const FILE = /^diff --git /;
const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$/;

/**
 * What is shown of each file of a list, in its order; null: the text ends before. Names in the text are quoted, and a file
 * may be called anything, so they are told apart by their number: git shows a file that became a link, or the other way
 * round, as one that is removed and one that is new.
 */
export function sectionsOf(
  files: readonly Pick<DiffFile, 'status'>[],
  text: string,
  isCut: boolean,
): readonly (DiffSection | null)[] {
  const sections = parseDiff(text, isCut);
  let at = 0;
  return files.map(({ status }) => {
    const parts = sections.slice(at, (at += status === TYPE_CHANGED ? 2 : 1));
    const [first, second] = parts;
    if (first === undefined || status !== TYPE_CHANGED) return first ?? null;
    return {
      binary: first.binary || second?.binary === true,
      cut: second === undefined || second.cut,
      hunks: parts.flatMap(({ hunks }) => hunks),
    };
  });
}

const TYPE_CHANGED = 'T';

/** One section per change, in git's order. `isCut`: the text ends somewhere, so its last line and last file are not whole. */
export function parseDiff(text: string, isCut: boolean): readonly DiffSection[] {
  const lines = text.split('\n');
  // The last piece is empty after a whole line, and half a line otherwise.
  lines.pop();
  const starts = [...lines.keys()].filter((index) => FILE.test(lines[index] ?? ''));
  return starts.map((start, index) =>
    section(lines.slice(start + 1, starts[index + 1]), isCut && index === starts.length - 1),
  );
}

function section(lines: readonly string[], cut: boolean): DiffSection {
  const hunks: { header: string; lines: DiffLine[] }[] = [];
  let binary = false;
  let before = 0;
  let after = 0;
  for (const line of lines) {
    const found = HUNK.exec(line);
    if (found !== null) {
      before = Number(found[1]);
      after = Number(found[2]);
      hunks.push({ header: shown(found[3] ?? ''), lines: [] });
      continue;
    }
    const hunk = hunks.at(-1);
    if (hunk === undefined) {
      binary ||= line.startsWith('Binary files ') || line === 'GIT binary patch';
      continue;
    }
    const kind = kindOf(line);
    if (kind === null) continue;
    hunk.lines.push({
      kind,
      old: kind === 'added' ? null : before,
      new: kind === 'removed' ? null : after,
      text: shown(line.slice(1)),
    });
    if (kind !== 'added') before += 1;
    if (kind !== 'removed') after += 1;
  }
  return { binary, cut, hunks };
}

/** Null: no line of the file, but a remark of git, for example that there is no newline at its end. */
function kindOf(line: string): DiffLine['kind'] | null {
  if (line.startsWith('+')) return 'added';
  if (line.startsWith('-')) return 'removed';
  // Some programs drop the mark of an empty line.
  return line === '' || line.startsWith(' ') ? 'same' : null;
}

const shown = (text: string): string =>
  text.length > DIFF_LINE_CHARS_MAX ? `${text.slice(0, DIFF_LINE_CHARS_MAX)} … (line cut)` : text;

/** One file that differs, as git lists it. */
export interface DiffFile {
  readonly path: string;
  /** Its name before, when it was renamed or copied. */
  readonly oldPath: string | null;
  /** Git's letter: A added, M changed, D deleted, R renamed, C copied, T of another type. */
  readonly status: string;
  /** Lines; null for what is no text. */
  readonly added: number | null;
  readonly removed: number | null;
}

/**
 * Reads what `git diff -z` prints with `--raw` and with `--numstat`: letters and counts of the same files in one order.
 * Either may be cut anywhere: what stands there whole in both counts.
 */
export function parseDiffList(raw: string, numstat: string): readonly DiffFile[] {
  const letters = lettersOf(wholeWords(raw));
  const words = wholeWords(numstat);
  const files: DiffFile[] = [];
  let at = 0;
  for (const letter of letters) {
    const file = counted(words, at, letter);
    if (file === null) break;
    files.push(file);
    at += file.oldPath === null ? 1 : 3;
  }
  return files;
}

/** The last piece has no end: it is empty, or half a word. */
const wholeWords = (text: string): readonly string[] => text.split('\0').slice(0, -1);

function lettersOf(words: readonly string[]): readonly string[] {
  const letters: string[] = [];
  for (let at = 0; at < words.length;) {
    const letter = wordAt(wordAt(words, at).split(' '), 4).slice(0, 1);
    letters.push(letter);
    // What moved has both its names behind it.
    at += letter === 'R' || letter === 'C' ? 3 : 2;
  }
  return letters;
}

/** Null where the list was cut. */
function counted(words: readonly string[], at: number, status: string): DiffFile | null {
  const [added, removed, ...name] = wordAt(words, at).split('\t');
  const path = name.join('\t');
  // What moved has an empty name here, and both its names behind it.
  const names = path === '' ? { oldPath: wordAt(words, at + 1), path: wordAt(words, at + 2) } : { oldPath: null, path };
  if (names.path === '') return null;
  return { ...names, status, added: countOf(added), removed: countOf(removed) };
}

const wordAt = (words: readonly string[], at: number): string => words[at] ?? '';

const countOf = (text: string | undefined): number | null => (text === '-' ? null : Number(text));

/** Farther than this many edits, or than a third of its letters, a name is another word, not a typing mistake. */
const EDITS_MAX = 3;

/** A list longer than this is no longer read in an error; then the page that has them is named. */
const NAMES_TOLD_MAX = 16;

/** What to write instead of an unknown name: the one that was probably meant, else those there are. */
export function meantOrKnown(text: string, names: readonly string[]): string {
  const near = nearest(text, names);
  return near === null ? known(names) : `Did you mean "${near}"?`;
}

/** The names that may stand there. Only the settings of `gastown.toml` are too many to be listed. */
export const known = (names: readonly string[]): string =>
  names.length > NAMES_TOLD_MAX
    ? 'docs/configuration.md lists the names that are known here.'
    : `Known here: ${names.join(', ')}.`;

/** The name that was probably meant, or null when none is near. */
export function nearest(text: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Math.min(EDITS_MAX, Math.max(1, Math.floor(text.length / 3))) + 1;
  for (const name of names) {
    const edits = editDistance(text.toLowerCase(), name.toLowerCase());
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Edits from one to the other, row by row; two letters in the wrong order are one edit. */
function editDistance(left: string, right: string): number {
  const cell = (of: readonly number[], index: number): number => of[index] ?? 0;
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: right.length + 1 }, (_unused, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const other = left.charAt(i - 1) === right.charAt(j - 1) ? 0 : 1;
      const edits = Math.min(cell(row, j) + 1, cell(next, j - 1) + 1, cell(row, j - 1) + other);
      next.push(isSwap(left, right, { i, j }) ? Math.min(edits, cell(before, j - 2) + 1) : edits);
    }
    before = row;
    row = next;
  }
  return cell(row, right.length);
}

const isSwap = (left: string, right: string, { i, j }: { readonly i: number; readonly j: number }): boolean =>
  i > 1 && j > 1 && left.charAt(i - 1) === right.charAt(j - 2) && left.charAt(i - 2) === right.charAt(j - 1);

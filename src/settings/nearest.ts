/** Farther than this many edits a name is another word, not a typing mistake. */
const EDITS_MAX = 3;

/** The name that was probably meant, or null when none is near. */
export function nearest(text: string, names: readonly string[]): string | null {
  let best: string | null = null;
  let bestEdits = Math.min(EDITS_MAX, Math.max(1, Math.floor(text.length / 2))) + 1;
  for (const name of names) {
    const edits = editDistance(text.toLowerCase(), name.toLowerCase());
    if (edits < bestEdits) {
      best = name;
      bestEdits = edits;
    }
  }
  return best;
}

/** Levenshtein distance, row by row. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_unused, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left.charAt(i - 1) === right.charAt(j - 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1)));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}

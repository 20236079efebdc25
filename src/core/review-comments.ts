/** One remark of a reviewer at a line of the work. */
export interface LineComment {
  readonly path: string;
  readonly line: number;
  /** `old`: a line that the work removes, counted in the file before it. */
  readonly side: 'old' | 'new';
  readonly text: string;
}

/** A reviewer's words as one text for the agent: what holds for all of it first, then line by line, in the order of the files. */
export function reviewText(general: string, comments: readonly LineComment[]): string {
  const sorted = comments.toSorted(byPlace);
  const lines = sorted.map(
    ({ path, line, side, text }) =>
      `- ${path}:${String(line)}${side === 'old' ? ' (a line that your change removes)' : ''}: ${text.trim().replaceAll('\n', '\n  ')}`,
  );
  return [general.trim(), lines.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** What is removed before what stands there now; remarks at one line stay as they were said. */
function byPlace(a: LineComment, b: LineComment): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line || Number(a.side === 'new') - Number(b.side === 'new');
}

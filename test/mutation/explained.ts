/** Why a change of the core that no unit test notices is no gap. Kept narrow: a file, a kind of change, the line. */
interface Explanation {
  /** Path from the root, or its beginning. */
  readonly file: string;
  readonly mutator: string;
  /** What the changed line looks like. */
  readonly line: RegExp;
  readonly why: string;
}

export const EXPLANATIONS: readonly Explanation[] = [];

/** The reason why this survivor is accepted, or null. */
export function explanationOf(survivor: {
  readonly file: string;
  readonly mutator: string;
  readonly line: string;
  readonly replacement: string;
}): string | null {
  const found = EXPLANATIONS.find(
    (explanation) =>
      survivor.file.startsWith(explanation.file) &&
      survivor.mutator === explanation.mutator &&
      explanation.line.test(survivor.line),
  );
  return found === undefined ? null : found.why;
}

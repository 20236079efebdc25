/** What became of one change. `unreached`: it is only made while the module loads, where it can't be switched on. */
export type Outcome = 'noticed' | 'missed' | 'unreached';

export interface TriedChange {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line as it is. */
  readonly text: string;
  readonly mutator: string;
  readonly replacement: string;
  readonly outcome: Outcome;
}

/** Why a change that no unit test notices is no gap. Kept narrow: a file, a kind of change, the line, what it becomes. */
export interface Explanation {
  /** Path from the root. */
  readonly file: string;
  readonly mutator: string;
  /** Part of the line. */
  readonly line: string;
  /** What stands there instead; without it anything of this kind. */
  readonly to?: string;
  readonly why: string;
}

/** Share of the changes that a test must notice, in percent; explained survivors count as not noticed. */
const GOAL_PERCENT = 90;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

const explains = (explanation: Explanation, change: TriedChange): boolean =>
  explanation.file === change.file &&
  explanation.mutator === change.mutator &&
  change.text.includes(explanation.line) &&
  (explanation.to === undefined || explanation.to === oneLine(change.replacement));

const percent = (noticed: number, missed: number): number =>
  noticed + missed === 0 ? 100 : (100 * noticed) / (noticed + missed);

const row = (cells: readonly (string | number)[], file: string): string =>
  `${cells.map((cell) => String(cell).padStart(9)).join('')}  ${file}`;

/** A row for each file, worst first; each survivor that nobody explained; each explanation of nothing; the figures. */
export function summarize(
  changes: readonly TriedChange[],
  explanations: readonly Explanation[],
  { isWhole }: { readonly isWhole: boolean },
): { readonly lines: readonly string[]; readonly holds: boolean } {
  const missed = changes.filter((change) => change.outcome === 'missed');
  const open = missed.filter((change) => !explanations.some((one) => explains(one, change)));
  const idle = isWhole ? explanations.filter((one) => !missed.some((change) => explains(one, change))) : [];
  const count = (list: readonly TriedChange[], file: string): number =>
    list.filter((change) => change.file === file).length;
  const noticed = changes.filter((change) => change.outcome === 'noticed');
  const files = [...new Set([...noticed, ...missed].map((change) => change.file))]
    .map((file) => ({ file, noticed: count(noticed, file), missed: count(missed, file), open: count(open, file) }))
    .toSorted((a, b) => percent(a.noticed, a.missed) - percent(b.noticed, b.missed) || (a.file < b.file ? -1 : 1));
  const score = percent(noticed.length, missed.length);
  return {
    lines: [
      row(['score %', 'noticed', 'survived', 'open'], 'file'),
      ...files.map((one) =>
        row([percent(one.noticed, one.missed).toFixed(1), one.noticed, one.missed, one.open], one.file),
      ),
      ...open.map(
        (change) =>
          `not explained: ${change.file}:${String(change.line)} ${change.mutator} -> ${oneLine(change.replacement).slice(0, 60)} | ${change.text.trim().slice(0, 100)}`,
      ),
      ...idle.map((one) => `explains nothing any more: ${one.file} ${one.mutator} | ${one.line}`),
      `mutation score ${score.toFixed(1)} % (goal ${String(GOAL_PERCENT)} %): ${String(noticed.length)} of ${String(noticed.length + missed.length)} noticed, ` +
        `${String(missed.length)} survived, ${String(open.length)} of them not explained`,
    ],
    holds: score >= GOAL_PERCENT && open.length === 0 && idle.length === 0,
  };
}

import { explanationOf } from './explained.ts';

/** What is read of the tester's report (mutation-testing-report-schema). Lines and columns count from 1. */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Point {
  readonly line: number;
  readonly column: number;
}

export interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Point; readonly end: Point };
}

/** Share of the mutants that a test must notice, in percent; explained survivors count as not noticed. */
const GOAL_PERCENT = 90;

interface FileFigures {
  readonly file: string;
  readonly noticed: number;
  readonly missed: number;
  readonly unexplained: readonly string[];
}

function figuresOf(file: string, source: string, mutants: readonly Mutant[]): FileFigures {
  const lines = source.split('\n');
  const noticed = mutants.filter((mutant) => mutant.status === 'Killed' || mutant.status === 'Timeout').length;
  const missed = mutants.filter((mutant) => mutant.status === 'Survived' || mutant.status === 'NoCoverage');
  const unexplained = missed
    .filter((mutant) => {
      const line = lines[mutant.location.start.line - 1] ?? '';
      return explanationOf({ file, line, mutator: mutant.mutatorName, replacement: mutant.replacement ?? '' }) === null;
    })
    .map((mutant) => {
      const { line } = mutant.location.start;
      const change = (mutant.replacement ?? '').replaceAll(/\s+/g, ' ').slice(0, 60);
      return `${file}:${line} ${mutant.mutatorName} -> ${change} | ${(lines[line - 1] ?? '').trim().slice(0, 100)}`;
    });
  return { file, noticed, missed: missed.length, unexplained };
}

const percent = (noticed: number, missed: number): number =>
  noticed + missed === 0 ? 100 : (100 * noticed) / (noticed + missed);

/** One line per file, each survivor that nobody explained, and the line of figures. */
export function summarize(report: MutationReport): { readonly lines: readonly string[]; readonly holds: boolean } {
  const files = Object.entries(report.files)
    .map(([file, { source, mutants }]) => figuresOf(file, source, mutants))
    .toSorted((a, b) => percent(a.noticed, a.missed) - percent(b.noticed, b.missed));
  const noticed = files.reduce((sum, file) => sum + file.noticed, 0);
  const missed = files.reduce((sum, file) => sum + file.missed, 0);
  const unexplained = files.flatMap((file) => file.unexplained);
  const score = percent(noticed, missed);
  return {
    lines: [
      ...files.map((file) => `${percent(file.noticed, file.missed).toFixed(1).padStart(5)} %  ${file.file}`),
      ...unexplained.map((survivor) => `not explained: ${survivor}`),
      `mutation score ${score.toFixed(1)} % (goal ${GOAL_PERCENT} %): ${noticed} of ${noticed + missed} noticed, ` +
        `${missed} survived, ${unexplained.length} of them not explained`,
    ],
    holds: score >= GOAL_PERCENT && unexplained.length === 0,
  };
}

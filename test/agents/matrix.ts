import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Cell {
  readonly runtime: string;
  readonly name: string;
  readonly what: string;
  readonly state: 'passed' | 'failed' | 'not run';
  readonly detail: string;
  readonly tookMs: number;
}

const DOC = join(import.meta.dirname, '../../docs/runtimes.md');
const BEGIN = '<!-- matrix: written by `npm run test:agents -- --write` -->';
const END = '<!-- end of matrix -->';
const WORDS: Readonly<Record<Cell['state'], string>> = { passed: 'yes', failed: 'NO', 'not run': 'NOT RUN' };

const distinct = <T>(all: readonly T[]): readonly T[] => [...new Set(all)];
/** Of what a program says in a cell; the rest is in the output of the run. */
const DETAIL_CHARS_MAX = 90;
/** On one line, and without what ends a cell. */
const plain = (text: string): string => text.replaceAll(/[\s|]+/g, ' ').slice(0, DETAIL_CHARS_MAX);
/** What a program does not do, and is allowed not to, begins with "no:". */
const wordsOf = (cell: Cell): string => {
  if (cell.state !== 'passed') return WORDS[cell.state];
  return cell.detail.startsWith('no: ') ? plain(cell.detail) : `${WORDS.passed} (${plain(cell.detail)})`;
};

/** Runtimes across, cases down. */
export function matrixText(cells: readonly Cell[]): string {
  const runtimes = distinct(cells.map((cell) => cell.runtime));
  const rows = distinct(cells.map((cell) => cell.name)).map((name) => {
    const of = (runtime: string): Cell | undefined =>
      cells.find((each) => each.name === name && each.runtime === runtime);
    const row = runtimes.map((runtime) => {
      const cell = of(runtime);
      return cell === undefined ? '' : wordsOf(cell);
    });
    return [name, cells.find((each) => each.name === name)?.what ?? '', ...row];
  });
  return table(['case', 'what happens', ...runtimes], rows);
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** The order of the document: what it has of other runs stays. */
export interface Order {
  readonly cases: readonly { readonly name: string; readonly what: string }[];
  readonly programs: readonly { readonly runtime: string; readonly version: string }[];
}

/** Puts the cells between their marks in docs/runtimes.md; those that did not run now keep what the last run said. */
export function writeMatrix(cells: readonly Cell[], { cases, programs }: Order): void {
  const doc = readFileSync(DOC, 'utf8');
  const [before, rest] = doc.split(BEGIN);
  const [old, after] = rest?.split(END) ?? [];
  if (before === undefined || old === undefined || after === undefined) throw new Error(`${DOC} has no marks`);
  const former = cellsIn(old);
  const rows = cases.map(({ name, what }) => [
    name,
    what,
    ...programs.map(({ runtime }) => {
      const cell = cells.find((each) => each.name === name && each.runtime === runtime);
      return cell === undefined ? (former.get(`${runtime}/${name}`) ?? 'NOT RUN') : wordsOf(cell);
    }),
  ]);
  const head = ['case', 'what happens', ...programs.map(({ runtime }) => runtime)];
  const versions = programs.map((program) => `${program.runtime} (${program.version})`).join(', ');
  const text = `Ran: ${versions}, on ${process.platform} ${process.arch}.\n\n${table(head, rows)}`;
  writeFileSync(DOC, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}

/** `<runtime>/<case>` to what its cell says. */
function cellsIn(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const [head = [], , ...body] = rows;
  return new Map(
    body.flatMap((row) =>
      row.slice(2).map((cell, index) => [`${head[index + 2] ?? ''}/${row[0] ?? ''}`, cell] as const),
    ),
  );
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Program } from './programs.ts';

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

/** Runtimes across, cases down. */
export function matrixText(cells: readonly Cell[]): string {
  const runtimes = distinct(cells.map((cell) => cell.runtime));
  const rows = distinct(cells.map((cell) => cell.name)).map((name) => {
    const row = runtimes.map((runtime) => {
      const cell = cells.find((each) => each.name === name && each.runtime === runtime);
      return cell === undefined ? '' : `${WORDS[cell.state]}${cell.state === 'passed' ? ` (${cell.detail})` : ''}`;
    });
    const what = cells.find((each) => each.name === name)?.what ?? '';
    return `| ${name} | ${what} | ${row.join(' | ')} |`;
  });
  const head = ['case', 'what happens', ...runtimes];
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

/** Puts the matrix between its marks in docs/runtimes.md. */
export function writeMatrix(cells: readonly Cell[], ran: readonly Program[]): void {
  const doc = readFileSync(DOC, 'utf8');
  const [before, rest] = doc.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOC} has no marks for the matrix`);
  const versions = ran.map((program) => `${program.runtime} (${program.version})`).join(', ');
  const text = `${BEGIN}\n\nRan: ${versions}, on ${process.platform} ${process.arch}.\n\n${matrixText(cells)}\n\n${END}`;
  writeFileSync(DOC, before + text + after);
}

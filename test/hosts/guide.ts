/** The table of costs in the guide, held against what was counted: people plan with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figures } from './figures.ts';
import type { Counts } from './world.ts';

const GUIDE = join(import.meta.dirname, '../../docs/how-to/deploy-on-cloudflare.md');
/** A statement more or less in a turn is no other price; a table that is off by more misleads. */
const TOLERANCE = 0.1;

const ROWS: readonly (readonly [starts: string, of: keyof Figures])[] = [
  ['| a bead from sling to merge', 'perBead'],
  ['| an agent at work for an hour', 'perAgentHour'],
  ['| a day in which one bead waits', 'perWaitingDay'],
  ['| a day at rest', 'perRestDay'],
];
const COLUMNS: readonly (keyof Counts)[] = ['statements', 'rowsRead', 'rowsWritten', 'requests', 'alarms'];

/** What the guide says otherwise, in words; empty when it is right. Errors: a row of the table is missing. */
export function wrongInGuide(found: Figures): readonly string[] {
  const lines = readFileSync(GUIDE, 'utf8').split('\n');
  return ROWS.flatMap(([starts, of]) => {
    const line = lines.find((one) => one.startsWith(starts));
    if (line === undefined) throw new Error(`${GUIDE} has no row "${starts}"`);
    const said = line
      .split('|')
      .slice(2)
      .map((cell) => Number(cell.replaceAll(',', '')));
    return COLUMNS.flatMap((column, index) => {
      const [counted, written] = [found[of][column], said[index] ?? NaN];
      return Math.abs(counted - written) <= TOLERANCE * counted
        ? []
        : [`${of}.${column}: ${String(counted)}, not ${String(written)}`];
    });
  });
}

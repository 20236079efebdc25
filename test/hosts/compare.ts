/**
 * Two ends of one history, held against each other. What is left out is how the work was cut into turns: calls between
 * objects take longer than calls in one process, so a message and an answer may share a turn on one host and not on the
 * other. Nothing that a person, an agent or a rule can see depends on that.
 */
import type { SqlValue } from '../../src/ports/sql.ts';
import type { TableDump } from '../../src/store/table-dump.ts';
import type { ActorEnd } from './bench.ts';
import { inOneWord } from './died.ts';
import type { HistoryEnd } from './history.ts';

type Row = Readonly<Record<string, SqlValue>>;

/** Numbers of turns and of rows in the order of turns. */
const OF_TURNS: Readonly<Record<string, readonly string[]>> = {
  journal: ['seq', 'tick'],
  inbox: ['seq'],
  outbox: ['seq'],
  // A sentence about the very moment in which town and rig both wake: who was first is the host's own matter.
  health: ['detail'],
};
/** Work that is done is no state any more; that it was done is in the journal and in what it changed. */
const DONE: Readonly<Record<string, (row: Row) => boolean>> = {
  inbox: (row) => row['state'] === 'applied',
  outbox: (row) => row['state'] === 'done',
  // When it was tidied up depends on how long a life was, and lives are the host's own matter; what went is compared.
  meta: (row) => row['key'] === 'tick' || row['key'] === 'house_kept_at',
  // Where AUTOINCREMENT stands.
  sqlite_sequence: () => true,
};

/** Where two ends differ first, in words, or null. */
export function firstDifference(here: HistoryEnd, there: HistoryEnd): string | null {
  const [left, right] = [linesOf(here), linesOf(there)];
  const at = left.findIndex((line, index) => line !== right[index]);
  if (at >= 0) return `node has ${left[at] ?? ''}\n  workerd has ${right[at] ?? 'nothing more'}`;
  return left.length === right.length ? null : `workerd has one more: ${right[left.length] ?? ''}`;
}

/** Everything that is compared, one line per row. */
const linesOf = (end: HistoryEnd): readonly string[] => end.ends.flatMap(linesOfActor);

const linesOfActor = ({ address, tables }: ActorEnd): readonly string[] =>
  tables.flatMap((dump) => inOrder(dump).map((line) => `${address} ${dump.table} ${line}`));

function inOrder(dump: TableDump): readonly string[] {
  const left = OF_TURNS[dump.table] ?? [];
  const rows = dump.rows
    .map((values): Row => Object.fromEntries(dump.columns.map((name, index) => [name, values[index] ?? null])))
    .filter((row) => DONE[dump.table]?.(row) !== true);
  const lines = rows.map((row) => ({
    // Within one entity the journal keeps its order; between entities it is the order of turns.
    group: dump.table === 'journal' ? String(row['entity']) : '',
    line: inOneWord(JSON.stringify(Object.fromEntries(Object.entries(row).filter(([name]) => !left.includes(name))))),
  }));
  if (dump.table !== 'journal') return lines.map(({ line }) => line).toSorted();
  return lines.toSorted((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0)).map(({ line }) => line);
}

/**
 * What happened in a history, one line per event, in the order in which it happened there. Two hosts that tell the same
 * story have the same lines; the first that differs is where the stories part.
 */
import type { Sql, SqlRow } from '../../src/ports/sql.ts';
import { inOneWord } from './died.ts';

/** Lines before and after the first that differs: what led there is mostly within the same step. */
const BEFORE = 30;
const AFTER = 8;

/** How each host says that somebody died who was asked something. */
const WHY_AGAIN = /"state":"retry","error":"(?:[^"\\]|\\.)*"/;

export class Trace {
  /** False while the town starts: how its actors are made is the host's own matter. */
  isTold = false;
  readonly lines: string[] = [];
  readonly #nowMs: () => number;
  /** By actor: how far its journal and its turns were read. */
  readonly #read = new Map<string, { journal: number; turns: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  note(what: string): void {
    if (this.isTold) this.lines.push(inOneWord(`${String(this.#nowMs())} ${what}`));
  }

  /** What a turn has committed: what was asked of it, and what it decided. */
  committed(address: string, sql: Sql): void {
    const since = this.#read.get(address) ?? { journal: 0, turns: 0 };
    const turns = rowsOf(sql, 'SELECT seq, input FROM turns WHERE seq > ? ORDER BY seq', since.turns);
    this.note(`turn of ${address}${turns.length === 0 ? ' changed nothing' : ''}`);
    // Which of two calls that share a turn came first is the host's own matter.
    for (const call of turns.flatMap(callsOf).toSorted()) this.note(`  asked ${call}`);
    const text = 'SELECT seq, entity, action, rule, reason FROM journal WHERE seq > ? ORDER BY seq';
    const journal = rowsOf(sql, text, since.journal);
    const inOrder = journal.toSorted((a, b) => (String(a['entity']) < String(b['entity']) ? -1 : 1));
    for (const { entity, action, rule, reason } of inOrder)
      this.note(`  ${[entity, action, rule, reason].map(String).join(' | ')}`);
    this.#read.set(address, {
      journal: Number(journal.at(-1)?.['seq'] ?? since.journal),
      turns: Number(turns.at(-1)?.['seq'] ?? since.turns),
    });
  }
}

/** An actor has no tables before its first migration. */
function rowsOf(sql: Sql, text: string, since: number): readonly SqlRow[] {
  try {
    return sql.all(text, since);
  } catch {
    return [];
  }
}

const callsOf = (row: SqlRow): readonly string[] => {
  const { calls } = JSON.parse(String(row['input'])) as { readonly calls: readonly unknown[] };
  return calls.map((call) => JSON.stringify(call).replace(WHY_AGAIN, '"state":"retry"'));
};

/** Both traces around the place where they part, or null. */
export function partingOf(here: readonly string[], there: readonly string[]): string | null {
  const length = Math.max(here.length, there.length);
  for (let at = 0; at < length; at += 1) {
    if (here[at] === there[at]) continue;
    const after = (lines: readonly string[]): readonly string[] => lines.slice(at, at + AFTER);
    return [
      `the stories part at line ${String(at + 1)} of the traces:`,
      ...here.slice(Math.max(0, at - BEFORE), at).map((line) => `          ${line}`),
      ...after(here).map((line) => `node      ${line}`),
      ...after(there).map((line) => `workerd   ${line}`),
    ].join('\n');
  }
  return null;
}

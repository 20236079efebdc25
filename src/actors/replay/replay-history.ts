import type { Sql } from '../../ports/sql.ts';
import { KernelStore } from '../../store/kernel-store.ts';
import { digestTables, type TableDigest } from '../../store/table-dump.ts';
import { TurnStore, type RecordedTurn } from '../../store/turn-store.ts';
import { ActorReplay, type NumberedJournalRow, type ReplayDifference, type ReplayedActor } from './replay-actor.ts';

/** Turns read at once. */
const TURNS_READ = 500;

export interface RecordedStep {
  readonly turn: RecordedTurn;
  readonly journal: readonly NumberedJournalRow[];
}

export interface ReplayResult {
  readonly turns: number;
  readonly journalRows: number;
  /** Null: the same, to the last row. */
  readonly difference: ReplayDifference | null;
}

/** Reads recorded turns with the journal rows that each wrote. `afterTurn`, `afterJournal`: where to begin. */
export function* recordedSteps(sql: Sql, afterTurn: number, afterJournal: number): Generator<RecordedStep> {
  const turns = new TurnStore(sql);
  const kernel = new KernelStore(sql);
  let turnSeq = afterTurn;
  let journalSeq = afterJournal;
  for (;;) {
    const batch = turns.after(turnSeq, TURNS_READ);
    if (batch.length === 0) return;
    for (const turn of batch) {
      const journal = kernel.journalAfter(journalSeq, Math.max(0, turn.journalSeq - journalSeq));
      turnSeq = turn.seq;
      journalSeq = turn.journalSeq;
      yield { turn, journal: journal.filter((row) => row.seq <= turn.journalSeq) };
    }
  }
}

/**
 * Runs a history again on `base`, which stands where its first turn began, and compares each turn's journal and, at
 * the end, the content of every table.
 */
export function replayHistory(
  actor: ReplayedActor,
  base: { readonly sql: Sql; readonly journalSeq: number },
  steps: Iterable<RecordedStep>,
  state: () => readonly TableDigest[],
): ReplayResult {
  const replay = new ActorReplay(actor, base.sql, base.journalSeq);
  let turns = 0;
  let journalRows = 0;
  let last: RecordedTurn | null = null;
  for (const { turn, journal } of steps) {
    const difference = replay.run(turn, journal);
    turns += 1;
    if (difference !== null) return { turns, journalRows, difference };
    journalRows += journal.length;
    last = turn;
  }
  return { turns, journalRows, difference: last === null ? null : stateDifference(base.sql, last, state()) };
}

function stateDifference(base: Sql, last: RecordedTurn, wanted: readonly TableDigest[]): ReplayDifference | null {
  const found = new Map(digestTables(base).map((table) => [table.table, table]));
  for (const table of wanted) {
    const own = found.get(table.table);
    if (own?.digest === table.digest && own.rows === table.rows) continue;
    return {
      turn: last.seq,
      atMs: last.atMs,
      journalSeq: null,
      what: `state: table ${table.table}`,
      recorded: `${String(table.rows)} rows, ${table.digest}`,
      replayed: own === undefined ? 'no such table' : `${String(own.rows)} rows, ${own.digest}`,
    };
  }
  return null;
}

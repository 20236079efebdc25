import { describe, expect, it } from 'vitest';
import { SqliteSql } from '../hosts/node/sql-sqlite.ts';
import { HistoryStore } from './history-store.ts';
import { KernelStore } from './kernel-store.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES, TURN_TABLES } from './migrations/kernel.ts';
import { TurnStore } from './turn-store.ts';

const TURNS = 10;

/** Ten turns, one a second from second 1, each with a journal row about one of two entities. */
function recorded() {
  const sql = SqliteSql.open(':memory:', { readOnly: false });
  for (const statement of [...KERNEL_TABLES, ...CLAIM_COLUMNS, ...TURN_TABLES]) sql.all(statement);
  const kernel = new KernelStore(sql);
  const turns = new TurnStore(sql);
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const entity = turn <= 2 ? 'bead:old' : 'bead:busy';
    const atMs = turn * 1_000;
    kernel.writeJournal({ tick: turn, atMs, entity, action: 'a', rule: 'r', reason: '', from: null, to: null });
    turns.record(atMs, { calls: ['["tick"]'], drawn: '', room: { all: 1 } });
  }
  const left = () => ({
    turns: turns.after(0, 99).map((turn) => turn.seq),
    journal: kernel.journalAfter(0, 99).map((row) => row.seq),
  });
  return { history: new HistoryStore(sql), left };
}

const all = Array.from({ length: TURNS }, (_, index) => index + 1);

describe('history', () => {
  it('is not touched while no snapshot holds it (I26)', () => {
    const { history, left } = recorded();
    expect(history.prune(99_000, 100)).toBe(false);
    expect(left()).toEqual({ turns: all, journal: all });
  });

  it('goes by age alone on a host that takes no snapshots, but for the newest row of each entity', () => {
    const { history, left } = recorded();
    expect(history.prune(8_500, 100, true)).toBe(false);
    expect(left()).toEqual({ turns: [9, 10], journal: [2, 9, 10] });
    expect(history.prune(99_000, 100, true)).toBe(false);
    expect(left()).toEqual({ turns: [], journal: [2, 10] });
  });

  it('goes up to the oldest kept snapshot and the given age, but for the newest row of each entity', () => {
    const { history, left } = recorded();
    history.snapshotTaken(8, 6);
    expect(history.newestSnapshot()).toBe(8);
    history.prune(99_000, 100);
    expect(left()).toEqual({ turns: [7, 8, 9, 10], journal: [2, 7, 8, 9, 10] });
  });

  it('stays while it is young, whatever the snapshots hold', () => {
    const { history, left } = recorded();
    history.snapshotTaken(8, 8);
    history.prune(3_000, 100);
    expect(left()).toEqual({ turns: all.slice(2), journal: [2, ...all.slice(2)] });
  });

  it('goes in batches, and says when more is left', () => {
    const { history, left } = recorded();
    history.snapshotTaken(8, 8);
    expect(history.prune(99_000, 3)).toBe(true);
    expect(left().turns).toEqual(all.slice(3));
    while (history.prune(99_000, 3));
    expect(left()).toEqual({ turns: [9, 10], journal: [2, 9, 10] });
    expect(history.prune(99_000, 3)).toBe(false);
  });
});

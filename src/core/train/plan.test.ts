import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRepair, planRound, planUngated, type RoundPlan } from './plan.ts';

const rates = { bad: 0.05, flake: 0.01 };
const plan = (marks: readonly (string | null)[], lanes = 1, batchMax = 8): RoundPlan =>
  planRound(
    marks.map((mark) => ({ mark })),
    { lanes, batchMax, rates },
  );
const free = (count: number): readonly null[] => Array.from({ length: count }, () => null);

describe('a round', () => {
  it('of one is that one by itself', () => {
    for (const lanes of [1, 4]) expect(plan([null], lanes)).toEqual({ entries: [0], lists: [[0]] });
  });

  it('of an empty line is nothing', () => {
    expect(plan([])).toEqual({ entries: [], lists: [] });
  });

  it('tests one that was red by itself beside the untouched target, in its turn', () => {
    expect(plan(['alone:a', null, null])).toEqual({ entries: [0], lists: [[], [0]] });
    expect(plan(['alone:a', null, null], 4).lists).toEqual([[], [0], [1, 2]]);
    expect(plan([null, 'alone:a', null])).toEqual({ entries: [0, 2].map((place) => place), lists: [[0, 1]] });
  });

  it('tests the last of its group that is in line by itself, without accusing it', () => {
    expect(plan(['red:a*3', null])).toEqual({ entries: [0], lists: [[0]] });
  });

  it('pushes apart what a refused push held, as soon as that is first in line', () => {
    const marks = ['push:a', null, 'push:a', 'good', 'push:a', null];
    expect(plan(marks, 4)).toEqual({ entries: [0, 2], lists: [[0, 1]] });
    expect(plan(['push:a', null, 'good'], 4)).toEqual({ entries: [0], lists: [[0]] });
    // Behind others it waits: together with them it would be refused again.
    expect(plan([null, ...marks], 4).entries).toEqual([0, 2, 4, 6]);
  });

  it('halves those that are suspected together', () => {
    expect(plan(['red:g', 'red:g', 'red:g', 'red:g', null]).lists).toEqual([[0, 1]]);
    expect(plan(['red:g', 'red:g', 'red:h', 'red:h', 'red:h'], 2).lists).toEqual([[0], [1, 2]]);
  });

  it('tests as many groups at once as there are lanes', () => {
    expect(plan(free(16), 1).lists).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    expect(plan(free(20), 2).lists.map((list) => list.length)).toEqual([8, 8]);
  });

  it('puts those that passed together, with a fresh group behind them', () => {
    const { entries, lists } = plan(['good', 'good', null, null, 'red:g', 'red:g'], 2);
    expect(lists.map((list) => list.map((place) => entries[place]))).toEqual([[0, 1, 2, 3], [4]]);
    expect(plan([...free(8).map(() => 'good'), null, null], 1).lists).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
    // No fresh group at all, one that just fits, and one that does not and has a lane of its own.
    expect(plan(['good', 'good', 'red:g*2'], 1)).toEqual({ entries: [0, 1], lists: [[0, 1]] });
    expect(plan(['good', 'good', null, null], 2, 4).lists).toEqual([[0, 1, 2, 3]]);
    expect(plan(['good', 'good', null, null, null], 2, 4).lists).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
    expect(
      plan(
        free(6).map(() => 'good'),
        1,
        4,
      ).lists,
    ).toEqual([[0, 1, 2, 3]]);
  });

  it('gives one that stands alone one lane, not two', () => {
    expect(plan(['alone:a', 'red:b*2', 'red:b*2'], 2)).toEqual({ entries: [0, 1], lists: [[], [0], [1]] });
  });

  it('takes no list for another one whose places read alike: 1 and 2 are not 12', () => {
    const marks = [null, 'red:g*4', 'red:g*4', ...free(9), 'alone:a', 'red:g*4', 'red:g*4'];
    const { entries, lists } = plan(marks, 8);
    expect(lists.map((list) => list.map((place) => entries[place]))).toEqual([
      [],
      [0, 3, 4, 5, 6, 7, 8, 9],
      [1, 2],
      [10, 11],
      [12],
    ]);
  });

  it('has bounded lists of entries that are in it, each once, in the order of the line', () => {
    const mark = fc.option(fc.constantFrom('red:a*2', 'red:b*9', 'alone:c', 'good', 'push:d'), { nil: null });
    const size = fc.integer({ min: 1, max: 16 });
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 24 }), size, size, (marks, lanes, batchMax) => {
        const { entries, lists } = plan(marks, lanes, batchMax);
        expect(entries).toEqual([...new Set(entries)].toSorted((a, b) => a - b));
        expect(new Set(lists.flat()).size).toBe(entries.length);
        expect(new Set(lists.map((list) => list.join(' '))).size).toBe(lists.length);
        expect(lists.filter((list) => list.length > 0).length).toBeLessThanOrEqual(lanes);
        for (const list of lists) expect(list).toEqual(list.toSorted((a, b) => a - b));
        // Whoever is in line, somebody is tested.
        expect(marks.length > 0 && lists.flat().length === 0).toBe(false);
        const pushed = entries.filter((place) => marks[place] === 'push:d').length;
        expect([0, entries.length]).toContain(pushed);
      }),
    );
  });
});

describe('a round on a red target', () => {
  const line = [3, 1, 7, 2].map((queuedAtMs) => ({ queuedAtMs }));
  const train = { changedAtMs: 10, version: 0, isRetry: true };

  it('tests what is new first, the newest before all', () => {
    const fresh = { changedAtMs: 5, version: 0, isRetry: false };
    expect(planRepair(line, fresh)).toEqual({ entries: [0, 2], lists: [[1], [], [0]] });
    expect(planRepair(line.slice(0, 1), { ...fresh, changedAtMs: 2 })).toEqual({ entries: [0], lists: [[0], []] });
  });

  it('of an empty line is the target by itself', () => {
    expect(planRepair([], train)).toEqual({ entries: [], lists: [[]] });
  });

  it('takes nothing for new that was there when the target was found red', () => {
    const known = { changedAtMs: 7, version: 0, isRetry: false };
    expect(planRepair(line, known)).toEqual({ entries: [0], lists: [[], [0]] });
  });

  it('tries the target again when it is time, and with one lane too leaves nobody out', () => {
    expect(planRepair(line, { ...train, changedAtMs: 5 }).lists[0]).toEqual([]);
    const first = Array.from({ length: 8 }, (_, version) => {
      const { entries, lists } = planRepair(line, { ...train, version });
      return lists[0]?.map((place) => entries[place]);
    });
    expect(first).toEqual([[], [0], [], [1], [], [2], [], [3]]);
  });
});

describe('a round without gates', () => {
  const ungated = (marks: readonly (string | null)[], batchMax = 8): RoundPlan =>
    planUngated(
      marks.map((mark) => ({ mark })),
      batchMax,
    );

  it('is one push of what no refused push held', () => {
    expect(ungated([null, null, 'push:a', 'push:a', null])).toEqual({ entries: [0, 1, 4], lists: [[0, 1, 2]] });
    // Marks of gates that are gone say nothing.
    expect(ungated(['red:a', 'good', null], 2)).toEqual({ entries: [0, 1], lists: [[0, 1]] });
    expect(ungated([])).toEqual({ entries: [], lists: [[]] });
  });

  it('halves what was refused together, so that in the end one is refused by itself', () => {
    expect(ungated(['push:a', null, 'push:a', 'push:b', 'push:a', 'push:a'])).toEqual({
      entries: [0, 2],
      lists: [[0, 1]],
    });
    expect(ungated(['push:a', 'push:a'])).toEqual({ entries: [0], lists: [[0]] });
    expect(ungated(['push:a', null])).toEqual({ entries: [0], lists: [[0]] });
  });
});

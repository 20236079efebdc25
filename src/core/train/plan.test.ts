import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRepair, planRound, type RoundPlan } from './plan.ts';

const rates = { bad: 0.05, flake: 0.01 };
const plan = (suspects: readonly (string | null)[], lanes = 1, batchMax = 8): RoundPlan =>
  planRound(
    suspects.map((suspect) => ({ suspect })),
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

  it('tests an entry that was red by itself beside the untouched target, first when it is first', () => {
    expect(plan(['a', null, null])).toEqual({ entries: [0], lists: [[], [0]] });
    const { entries, lists } = plan(['a', null, null], 4);
    expect(lists.slice(0, 2)).toEqual([[], [0]]);
    expect(entries).toEqual([0, 1, 2]);
    expect(lists.slice(2).every((list) => !list.includes(0))).toBe(true);
  });

  it('lets those before it in line go first', () => {
    const { entries, lists } = plan([null, 'a', null]);
    expect(entries).toEqual([0, 2]);
    expect(lists).toEqual([[0, 1]]);
    expect(plan([null, 'a', null], 3).lists.slice(-2)).toEqual([[], [1]]);
  });

  it('halves those that are suspected together, with what stands before them', () => {
    expect(plan(['g', 'g', 'g', 'g', null]).lists).toEqual([[0, 1]]);
    expect(plan([null, 'g', 'g', 'g', 'g']).lists).toEqual([[0, 1, 2]]);
    expect(plan(['g', 'g']).lists).toEqual([[0]]);
  });

  it('uses spare lanes for lists without one of the suspects', () => {
    const { lists } = plan(['g', 'g', null], 4);
    expect(lists[0]).toEqual([0]);
    expect(lists).toContainEqual([1, 2]);
    expect(lists).toContainEqual([0, 2]);
  });

  it('has bounded lists of entries that are in it, each once, in the order of the line', () => {
    const suspect = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null });
    fc.assert(
      fc.property(
        fc.array(suspect, { maxLength: 24 }),
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 16 }),
        (suspects, lanes, batchMax) => {
          const { entries, lists } = plan(suspects, lanes, batchMax);
          expect(entries).toEqual([...new Set(entries)].toSorted((a, b) => a - b));
          expect(new Set(lists.flat()).size).toBe(entries.length);
          expect(new Set(lists.map((list) => list.join(' '))).size).toBe(lists.length);
          expect(lists.length).toBeLessThanOrEqual(lanes + 1);
          for (const list of lists) {
            expect(list).toEqual(list.toSorted((a, b) => a - b));
            expect(list.length).toBeLessThanOrEqual(Math.max(1, batchMax));
          }
          // Whoever is in line, somebody is tested.
          expect(suspects.length > 0 && lists.flat().length === 0).toBe(false);
        },
      ),
    );
  });
});

describe('a round on a red target', () => {
  it('tries what came last, which may mend it, and what is first', () => {
    const line = [3, 1, 7, 2].map((queuedAtMs) => ({ suspect: null, queuedAtMs }));
    expect(planRepair(line)).toEqual({ entries: [0, 2], lists: [[], [1], [0]] });
    expect(planRepair(line.slice(0, 1))).toEqual({ entries: [0], lists: [[], [0]] });
  });
});

describe('free lines', () => {
  it('are tested from the front', () => {
    for (let count = 1; count < 12; count += 1)
      for (const list of plan(free(count), 3).lists) expect(list).toEqual(list.map((_place, index) => index));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conclude, isOpen, type Judged } from './conclude.ts';

const green = (...entries: number[]): Judged => ({ entries, isGreen: true });
const red = (...entries: number[]): Judged => ({ entries, isGreen: false });

describe('a conclusion', () => {
  it('lands the longest list that passed, and nothing when none did', () => {
    expect(conclude([green(0), green(0, 1, 2), green(0, 1)]).land).toEqual(green(0, 1, 2));
    expect(conclude([red(0)]).land).toBeNull();
    expect(conclude([green()]).land).toBeNull();
  });

  it('suspects those of a red list that passed nowhere', () => {
    expect(conclude([green(0, 1), red(0, 1, 2, 3)]).groups).toEqual([[2, 3]]);
    expect(conclude([red(0, 1), red(0, 1, 2, 3)]).groups).toEqual([[0, 1]]);
    expect(conclude([red(0, 1, 2, 3), red(0, 1)]).groups).toEqual([[0, 1]]);
    expect(conclude([green(0, 1, 2), red(0, 1, 2, 3)]).groups).toEqual([[3]]);
    // One that passed in a list that does not land is no suspect beside one that passed nowhere.
    expect(conclude([green(0, 1), green(2), red(2, 3)]).groups).toEqual([[3]]);
    // One is left out: the other is good with all behind it.
    expect(conclude([red(0), green(1, 2, 3)])).toMatchObject({ land: green(1, 2, 3), groups: [[0]] });
  });

  it('suspects those that do not go together', () => {
    expect(conclude([green(0, 1), green(0, 2), red(0, 1, 2)]).groups).toEqual([[2]]);
  });

  it('knows when the target itself is red', () => {
    expect(conclude([red(), red(0)])).toMatchObject({ isTargetRed: true, groups: [[0]] });
    expect(conclude([green(), red(0)])).toMatchObject({ isTargetRed: false, groups: [[0]] });
  });

  it('waits for what can change it', () => {
    expect(isOpen([0, 1], null)).toBe(true);
    expect(isOpen([0, 1, 2], green(0, 1))).toBe(true);
    expect(isOpen([0], green(0, 1))).toBe(false);
    expect(isOpen([], green(0, 1))).toBe(true);
  });

  it('never suspects the good alone: with fixed bad entries, every group holds a bad one and what lands holds none', () => {
    const places = fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(places, { minLength: 1, maxLength: 9 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 9 })),
        (lists, bad) => {
          const judged = lists.map((list) => {
            const entries = list.toSorted((a, b) => a - b);
            return { entries, isGreen: !entries.some((place) => bad.includes(place)) };
          });
          const { land, groups, good } = conclude(judged);
          for (const group of groups) expect(group.some((place) => bad.includes(place))).toBe(true);
          expect(new Set(groups.flat()).size).toBe(groups.flat().length);
          for (const place of [...(land?.entries ?? []), ...good]) expect(bad).not.toContain(place);
          expect(groups.length > 0).toBe(judged.some((list) => !list.isGreen));
        },
      ),
    );
  });
});

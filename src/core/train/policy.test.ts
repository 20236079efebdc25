import { describe, expect, it } from 'vitest';
import { groupSize } from './policy.ts';

/** Sizes at these shares of bad entries, in thousandths. */
const sizes = (flake: number, thousandths: readonly number[]): readonly number[] =>
  thousandths.map((bad) => groupSize({ bad: bad / 1_000, flake }, 64));

describe('how many are tested together', () => {
  it('is as many as may be when nothing is bad, and one when most is', () => {
    expect(groupSize({ bad: 0, flake: 0 }, 32)).toBe(32);
    expect(groupSize({ bad: 0.6, flake: 0 }, 32)).toBe(1);
    expect(groupSize({ bad: 0, flake: 0 }, 1)).toBe(1);
  });

  it('halves as more are bad; from 38.2 % on nobody is tested with others: more is saved by no way of testing', () => {
    // (3 - √5) / 2 is the known bound of group tests: beyond it one at a time is best.
    expect(sizes(0, [381, 382])).toEqual([2, 1]);
    expect(sizes(0, [14, 15, 29, 30, 58, 59, 113, 114, 213, 214])).toEqual([64, 32, 32, 16, 16, 8, 8, 4, 4, 2]);
  });

  it('depends little on red runs that blame nobody: a few more are tested together', () => {
    expect(sizes(0.1, [21, 22, 39, 40, 70, 71, 124, 125, 213, 214, 351, 352])).toEqual([
      64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1,
    ]);
    expect(sizes(0.3, [31, 32, 53, 54, 87, 88, 136, 137, 201, 202, 267, 268])).toEqual([
      64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1,
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { isTargetKnownRed, newTrain, NO_STATS } from './train.ts';

describe('a merge train', () => {
  it('runs from the start, and has learned nothing', () => {
    expect(newTrain('main')).toEqual({
      target: 'main',
      state: 'running',
      reason: null,
      changedBy: 'system',
      changedAtMs: 0,
      redTree: null,
      retryAtMs: null,
      stats: NO_STATS,
      escalated: false,
      version: 0,
    });
    expect(NO_STATS).toEqual({ entries: 0, bad: 0, runs: 0, flakes: 0 });
  });

  it.each([
    ['running', null, false],
    ['running', 'tree', false],
    ['red', null, true],
    ['red', 'tree', true],
    ['paused', null, false],
    ['paused', 'tree', true],
  ] as const)('that is %s with red tree %j has a target known to be red: %j', (state, redTree, isRed) => {
    expect(isTargetKnownRed({ state, redTree })).toBe(isRed);
  });
});

import { describe, expect, it } from 'vitest';
import { RATE_PRIOR_BAD, RATE_PRIOR_FLAKE } from '../limits.ts';
import { NO_STATS } from '../model/train.ts';
import { learn, ratesOf } from './rates.ts';

describe('the rates of a train', () => {
  it('are what is usual until it has seen something', () => {
    expect(ratesOf(NO_STATS)).toEqual({ bad: RATE_PRIOR_BAD, flake: RATE_PRIOR_FLAKE });
  });

  it('come near what happens, and follow when that changes', () => {
    let stats = NO_STATS;
    for (let round = 0; round < 300; round += 1)
      stats = learn(stats, { landed: 7, bad: 3, runs: 4, flakes: round % 5 === 0 ? 1 : 0 });
    expect(ratesOf(stats).bad).toBeCloseTo(0.3, 1);
    expect(ratesOf(stats).flake).toBeCloseTo(0.05, 1);
    for (let round = 0; round < 200; round += 1) stats = learn(stats, { landed: 10, bad: 0, runs: 4, flakes: 0 });
    expect(ratesOf(stats).bad).toBeLessThan(0.02);
  });

  it('never leave what a chance can be', () => {
    let stats = NO_STATS;
    for (let round = 0; round < 50; round += 1) stats = learn(stats, { landed: 0, bad: 2, runs: 2, flakes: 2 });
    const { bad, flake } = ratesOf(stats);
    for (const rate of [bad, flake]) expect(rate).toBeGreaterThan(0.8);
    for (const rate of [bad, flake]) expect(rate).toBeLessThanOrEqual(1);
  });
});

import { describe, expect, it } from 'vitest';
import type { UsageOfModel } from './facts.ts';
import { LIST_PRICES, priceOf } from './prices.ts';
import { laterUsage, NO_USAGE, tokensOf, totalUsage, weightOf, type Usage } from './usage.ts';

const row = (over: Partial<UsageOfModel> = {}): UsageOfModel => ({
  model: 'm1',
  tokensIn: 10,
  tokensOut: 20,
  tokensCached: 5,
  microUsd: 1_000,
  unpricedIn: 0,
  unpricedOut: 0,
  unpricedCached: 0,
  ...over,
});
const own = { m1: { input: 3, output: 15, cached: 0.3 } };

describe('the price of a model', () => {
  it('is unknown without a name and for a name that nobody priced', () => {
    expect(priceOf(null, own)).toBeNull();
    expect(priceOf('m2', own)).toBeNull();
  });

  it('is that of the longest name that it begins with', () => {
    expect(priceOf('gpt-5-mini-2025', {})).toEqual(LIST_PRICES['gpt-5-mini']);
    expect(priceOf('gpt-5-2025', {})).toEqual(LIST_PRICES['gpt-5']);
    const prices = { gpt: { input: 1, output: 1, cached: 1 }, 'gpt-x': { input: 2, output: 2, cached: 2 } };
    expect(priceOf('gpt-x1', prices)).toEqual(prices['gpt-x']);
    expect(priceOf('gpt-x1', { 'gpt-x': prices['gpt-x'], gpt: prices.gpt })).toEqual(prices['gpt-x']);
  });

  it('is what the town says, before the list', () => {
    const prices = { gpt: { input: 9, output: 9, cached: 9 } };
    expect(priceOf('gpt-5-mini', prices)).toEqual(prices.gpt);
  });
});

describe('what an attempt used', () => {
  it('nothing is known before it said something', () => {
    expect(totalUsage([], own)).toEqual(NO_USAGE);
    expect(tokensOf(NO_USAGE)).toBeNull();
  });

  it('is the sum over its models; it is named after the one that wrote most', () => {
    const usage = totalUsage([row(), row({ model: 'm2', tokensOut: 21, microUsd: 500 })], own);
    expect(usage).toEqual({
      tokensIn: 20,
      tokensOut: 41,
      tokensCached: 10,
      microUsd: 1_500,
      gap: false,
      model: 'm2',
    });
    expect(tokensOf(usage)).toBe(71);
    expect(totalUsage([row({ tokensOut: 22 }), row({ model: 'm2', tokensOut: 21 })], own).model).toBe('m1');
  });

  it.each<[string, Partial<UsageOfModel>, number | null, boolean]>([
    ['input', { unpricedIn: 1_000, microUsd: null }, 3_000, false],
    ['output', { unpricedOut: 1_000, microUsd: null }, 15_000, false],
    ['cached input', { unpricedCached: 1_000, microUsd: null }, 300, false],
    [
      'all three, and what it said itself',
      { unpricedIn: 1, unpricedOut: 1, unpricedCached: 1, microUsd: 50 },
      69,
      false,
    ],
    ['all of a model that has no price', { model: 'm2', unpricedIn: 1, microUsd: 50 }, 50, true],
    ['as much cached as other input', { unpricedIn: 1_000, unpricedCached: 1_000, microUsd: null }, 3_300, false],
    ['as much output as input', { unpricedIn: 1_000, unpricedOut: 1_000, microUsd: null }, 18_000, false],
    ['all of a model that is not named', { model: null, unpricedIn: 1, microUsd: null }, null, true],
  ])('prices what has no cost: %s', (_case, over, microUsd, gap) => {
    expect(totalUsage([row(over)], own)).toMatchObject({ microUsd, gap });
  });

  it('has a gap when any of its models has one', () => {
    expect(totalUsage([row(), row({ model: 'm2', unpricedIn: 1 })], own)).toMatchObject({ microUsd: 2_000, gap: true });
  });

  it('never falls: of two totals each number is the larger one', () => {
    const before: Usage = { tokensIn: 10, tokensOut: 20, tokensCached: 30, microUsd: 40, gap: true, model: 'm1' };
    const now: Usage = { tokensIn: 9, tokensOut: 21, tokensCached: 29, microUsd: 41, gap: false, model: 'm2' };
    expect(laterUsage(before, now)).toEqual({
      tokensIn: 10,
      tokensOut: 21,
      tokensCached: 30,
      microUsd: 41,
      gap: false,
      model: 'm2',
    });
    expect(laterUsage(NO_USAGE, now)).toEqual(now);
    expect(laterUsage(NO_USAGE, NO_USAGE)).toEqual(NO_USAGE);
    expect(laterUsage(before, NO_USAGE)).toEqual({ ...before, gap: false });
  });

  it('counts what is not said of output and cache as nothing', () => {
    expect(tokensOf({ ...NO_USAGE, tokensIn: 7 })).toBe(7);
  });
});

describe('what an attempt weighs in a budget', () => {
  const at = (over: Partial<Parameters<typeof weightOf>[0]>): unknown =>
    weightOf({ used: 30, isComplete: true, estimate: 100, state: 'live', ...over });

  it.each<[string, Partial<Parameters<typeof weightOf>[0]>, object]>([
    ['what it used, and the rest of its estimate, while it lives', {}, { spent: 30, reserved: 70, assumed: 0 }],
    ['its estimate before it said anything', { used: null }, { spent: 0, reserved: 100, assumed: 0 }],
    ['what it used beyond its estimate', { used: 130 }, { spent: 130, reserved: 0, assumed: 0 }],
    ['what it said to have used, after its end', { state: 'ended' }, { spent: 30, reserved: 0, assumed: 0 }],
    [
      'its estimate, when it did not say all',
      { state: 'ended', isComplete: false },
      { spent: 100, reserved: 0, assumed: 70 },
    ],
    [
      'no less than it said, when that is more than its estimate',
      { state: 'ended', isComplete: false, used: 130 },
      { spent: 130, reserved: 0, assumed: 0 },
    ],
    [
      'nothing, when it never ran',
      { state: 'never_ran', isComplete: false, used: null },
      { spent: 0, reserved: 0, assumed: 0 },
    ],
  ])('is %s', (_case, over, weight) => {
    expect(at(over)).toEqual(weight);
  });
});

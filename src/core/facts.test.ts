import { describe, expect, it } from 'vitest';
import { nothingOf, sumOfModel } from './facts.ts';

describe('what was used of a model', () => {
  const used = {
    model: 'm',
    tokensIn: 1,
    tokensOut: 2,
    tokensCached: 3,
    microUsd: 4,
    unpricedIn: 5,
    unpricedOut: 6,
    unpricedCached: 7,
  };

  it('begins with nothing, and an unnamed one has no name', () => {
    const zero = {
      tokensIn: 0,
      tokensOut: 0,
      tokensCached: 0,
      microUsd: null,
      unpricedIn: 0,
      unpricedOut: 0,
      unpricedCached: 0,
    };
    expect(nothingOf('m')).toEqual({ model: 'm', ...zero });
    expect(nothingOf('')).toEqual({ model: null, ...zero });
  });

  it('is added number by number', () => {
    const more = {
      model: 'm',
      tokensIn: 10,
      tokensOut: 20,
      tokensCached: 30,
      microUsd: 40,
      unpricedIn: 50,
      unpricedOut: 60,
      unpricedCached: 70,
    };
    expect(sumOfModel(used, more)).toEqual({
      model: 'm',
      tokensIn: 11,
      tokensOut: 22,
      tokensCached: 33,
      microUsd: 44,
      unpricedIn: 55,
      unpricedOut: 66,
      unpricedCached: 77,
    });
  });

  it.each([
    [null, null, null],
    [4, null, 4],
    [null, 4, 4],
    [0, null, 0],
    [3, 4, 7],
  ])('of which the cost is known of %j and %j comes to %j', (a, b, sum) => {
    expect(sumOfModel({ ...used, microUsd: a }, { ...used, microUsd: b }).microUsd).toBe(sum);
  });
});

import { describe, expect, it } from 'vitest';
import { estimateOf } from './estimate.ts';
import { ESTIMATE_FIRST_MICRO_USD, ESTIMATE_FIRST_TOKENS } from './limits.ts';
import { dollars, tokenCount } from './money.ts';

describe('amounts for people', () => {
  it.each([
    [0, '$0.00'],
    [1_234_567, '$1.23'],
    [1_000_000, '$1.00'],
    [999_900, '$0.9999'],
    [-500_000, '$-0.5000'],
    [-2_000_000, '$-2.00'],
  ])('%i millionths are %s', (microUsd, text) => {
    expect(dollars(microUsd)).toBe(text);
  });

  it.each([
    [0, '0 tokens'],
    [999, '999 tokens'],
    [1_000, '1,000 tokens'],
    [1_234_567, '1,234,567 tokens'],
  ])('%i tokens are %s', (tokens, text) => {
    expect(tokenCount(tokens)).toBe(text);
  });
});

describe('what an attempt is expected to use', () => {
  it.each([
    ['a first guess of an AI', 'command', null, null, ESTIMATE_FIRST_TOKENS, ESTIMATE_FIRST_MICRO_USD],
    ['nothing of a recipe', 'script', null, null, 0, 0],
    ['what its like used', 'command', 7, 8, 7, 8],
    ['what recipes like it used', 'script', 7, 8, 7, 8],
  ] as const)('%s', (...[, runtime, averageTokens, averageMicroUsd, tokens, microUsd]) => {
    expect(estimateOf(runtime, { tokens: averageTokens, microUsd: averageMicroUsd })).toEqual({ tokens, microUsd });
  });
});

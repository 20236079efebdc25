import { describe, expect, it } from 'vitest';
import { costReport, type CostGroup, type CostSum } from './money.ts';

const sum = (n: number, over: Partial<CostSum> = {}): CostSum => ({
  attempts: n,
  tokensIn: 2 * n,
  tokensOut: 3 * n,
  tokensCached: 4 * n,
  microUsd: 100 * n,
  unknownCost: 5 * n,
  unknownTokens: 6 * n,
  reservedMicroUsd: 7 * n,
  reservedTokens: 8 * n,
  assumedMicroUsd: 9 * n,
  assumedTokens: 10 * n,
  ...over,
});
const group = (of: CostSum, over: Partial<CostGroup> = {}): CostGroup => ({
  rig: 'api',
  runtime: 'script',
  model: null,
  waste: null,
  key: null,
  sum: of,
  ...over,
});

describe('the report of costs', () => {
  it('adds up every part', () => {
    expect(costReport([group(sum(1)), group(sum(2))], 0).total).toEqual(sum(3));
  });

  it('of nothing knows nothing', () => {
    expect(costReport([], 0)).toEqual({
      total: sum(0, { microUsd: null }),
      merged: 0,
      perMergedMicroUsd: null,
      waste: [],
      engines: [],
      rigs: [],
      groups: [],
    });
  });

  it.each([
    ['one is known', 100, null, 100],
    ['the other is known', null, 100, 100],
    ['none is known', null, null, null],
  ])('keeps an unknown cost apart from nothing: %s', (_case, a, b, total) => {
    const groups = [group(sum(1, { microUsd: a })), group(sum(1, { microUsd: b }))];
    expect(costReport(groups, 0).total.microUsd).toBe(total);
  });

  it.each([
    [3, 1_000, 333],
    [3, 500, 167],
    [0, 1_000, null],
    [3, null, null],
  ])('divides by %i merged changes', (merged, microUsd, each) => {
    expect(costReport([group(sum(1, { microUsd }))], merged)).toMatchObject({ merged, perMergedMicroUsd: each });
  });

  it('groups by rig, by engine and by waste, dearest first, then most attempts', () => {
    const report = costReport(
      [
        group(sum(1), { rig: 'api', model: 'small', waste: 'rejected' }),
        group(sum(2), { rig: 'web', model: 'large' }),
        group(sum(3), { rig: 'web', model: 'small', waste: 'rejected' }),
        group(sum(5, { microUsd: null }), { rig: 'docs', runtime: 'command', model: 'small', waste: 'infra' }),
        group(sum(7, { microUsd: null }), { rig: 'more', runtime: 'command', model: 'large', waste: 'evicted' }),
      ],
      1,
    );
    expect(report.rigs.map((row) => [row.rig, row.sum.attempts])).toEqual([
      ['web', 5],
      ['api', 1],
      ['more', 7],
      ['docs', 5],
    ]);
    expect(report.engines.map((row) => [row.runtime, row.model, row.sum.attempts])).toEqual([
      ['script', 'small', 4],
      ['script', 'large', 2],
      ['command', 'large', 7],
      ['command', 'small', 5],
    ]);
    expect(report.waste.map((row) => [row.cause, row.sum.attempts])).toEqual([
      ['rejected', 4],
      ['evicted', 7],
      ['infra', 5],
    ]);
  });

  describe('by what was asked for', () => {
    const keyed = (...keys: readonly (string | null)[]): readonly CostGroup[] =>
      keys.map((key, index) => group(sum(index + 1), { key }));

    it('is nothing when nothing was', () => {
      expect(costReport(keyed('a', 'b'), 0).groups).toEqual([]);
    });

    it('sums up, dearest first; without a key it is one group', () => {
      const { groups } = costReport(keyed('a', null, 'b', null, 'a'), 0, 'model');
      expect(groups.map((row) => [row.key, row.sum.attempts])).toEqual([
        ['a', 6],
        [null, 6],
        ['b', 3],
      ]);
    });

    it('puts days in order', () => {
      const { groups } = costReport(keyed('2026-01-03', '2026-01-01', null, '2026-01-02'), 0, 'day');
      expect(groups.map((row) => row.key)).toEqual([null, '2026-01-01', '2026-01-02', '2026-01-03']);
    });
  });
});

import { expect, it } from 'vitest';

import { AcpUsage } from './acp-usage.ts';

const cost = (amount: number): unknown => ({ cost: { amount, currency: 'USD' } });

const former = (counted: number | null): { id: string; counted: number | null } => ({ id: 's', counted });

it('a session that goes on counts from what attempts before were charged, its first turn with it', () => {
  const known = new AcpUsage('m', former(2_000_000));
  known.prompted();
  known.turnEnded({ usage: { inputTokens: 10.4 } });
  // The first cost comes after the first turn, and has what former processes cost.
  known.updated(cost(2.5));
  expect(known.models()[0]).toMatchObject({ microUsd: 500_000, tokensIn: 10, unpricedIn: 0 });
  known.prompted();
  known.updated(cost(2.75));
  known.turnEnded({ usage: { inputTokens: 5 } });
  expect(known.models()[0]).toMatchObject({ microUsd: 750_000, tokensIn: 15, unpricedIn: 0 });
  expect(known.cost).toBe(2_750_000);

  // It was killed before it was told what its last turn cost: that is the next one's, not lost.
  const killed = new AcpUsage('m', former(0));
  killed.updated(cost(0.5));
  killed.prompted();
  killed.updated(cost(0.75));
  expect(killed.models()[0]?.microUsd).toBe(750_000);

  const anew = new AcpUsage('m', former(2_000_000));
  anew.prompted();
  anew.updated(cost(0.25));
  expect(anew.models()[0]?.microUsd).toBe(250_000);

  const fresh = new AcpUsage('m');
  fresh.prompted();
  fresh.updated(cost(1));
  expect(fresh.models()[0]?.microUsd).toBe(1_000_000);
});

it('does not count again what attempts before were charged by their tokens, and prices its first turn by the table', () => {
  const before = new AcpUsage('m', former(null));
  before.updated(cost(2));
  before.prompted();
  expect(before.models()).toEqual([]);
  before.updated(cost(2.5));
  expect(before.models()[0]?.microUsd).toBe(500_000);

  for (const isLate of [false, true]) {
    const late = new AcpUsage('m', former(null));
    late.prompted();
    if (!isLate) late.updated(cost(2));
    late.turnEnded({ usage: { inputTokens: 10, outputTokens: 3 } });
    if (isLate) late.updated(cost(2));
    expect(late.models()[0]).toMatchObject({ microUsd: null, unpricedIn: 10, unpricedOut: 3 });
    late.prompted();
    if (!isLate) late.updated(cost(2.25));
    late.turnEnded({ usage: { inputTokens: 7 } });
    if (isLate) late.updated(cost(2.25));
    expect(late.models()[0]).toMatchObject({ microUsd: 250_000, tokensIn: 17, unpricedIn: 10, unpricedOut: 3 });
  }

  // A second cost in the same turn is of most of it: its tokens are not priced once more.
  const twice = new AcpUsage('m', former(null));
  twice.prompted();
  twice.updated(cost(2));
  twice.updated(cost(2.25));
  twice.turnEnded({ usage: { inputTokens: 10 } });
  expect(twice.models()[0]).toMatchObject({ microUsd: 250_000, unpricedIn: 0 });
});

it('counts cached tokens once, whether they are part of the input or not', () => {
  const of = (usage: unknown): unknown => {
    const used = new AcpUsage('m');
    used.turnEnded({ usage });
    return used.models()[0];
  };
  const within = { inputTokens: 1_200, outputTokens: 50, cachedReadTokens: 200, totalTokens: 1_250 };
  const apart = { inputTokens: 1_000, outputTokens: 50, cachedReadTokens: 200, totalTokens: 1_250 };
  for (const usage of [within, apart, { ...apart, totalTokens: undefined }])
    expect(of(usage)).toMatchObject({ tokensIn: 1_000, tokensOut: 50, tokensCached: 200 });
  expect(of({ ...within, cachedReadTokens: 9_999 })).toMatchObject({ tokensIn: 0 });
});

it('reads what is counted with each reply, or by model at the end of the turn', () => {
  const used = new AcpUsage(null);
  expect(used.replied({ content: { text: 'hi' } })).toBe(false);
  const usage = { inputTokens: 1_200, outputTokens: 50, cachedReadTokens: 200, totalTokens: 1_250 };
  expect(used.replied({ _meta: { usage } })).toBe(true);
  used.turnEnded({ stopReason: 'end_turn', _meta: {} });
  expect(used.models()[0]).toMatchObject({ tokensIn: 1_000, tokensOut: 50, tokensCached: 200 });
  const rows = [{ model: 'g', token_count: { input_tokens: 30, output_tokens: 4 } }];
  used.turnEnded({ _meta: { quota: { model_usage: rows } } });
  expect(used.models()[0]).toMatchObject({ model: 'g', tokensIn: 1_030, tokensOut: 54 });
});

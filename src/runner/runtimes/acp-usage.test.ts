import { expect, it } from 'vitest';

import { AcpUsage } from './acp-usage.ts';

const cost = (amount: number): unknown => ({ cost: { amount, currency: 'USD' } });

it('a session that goes on does not count again what processes before cost', () => {
  const known = new AcpUsage('m', true);
  known.updated(cost(2));
  known.prompted();
  expect(known.models()).toEqual([]);
  known.updated(cost(2.5));
  expect(known.models()[0]?.microUsd).toBe(500_000);

  const late = new AcpUsage('m', true);
  late.prompted();
  late.turnEnded({ usage: { inputTokens: 10.4 } });
  late.updated(cost(2));
  expect(late.models()[0]).toMatchObject({ microUsd: null, tokensIn: 10, unpricedIn: 10 });
  late.updated(cost(2.25));
  expect(late.models()[0]).toMatchObject({ microUsd: 250_000, unpricedIn: 0 });

  const fresh = new AcpUsage('m');
  fresh.prompted();
  fresh.updated(cost(1));
  expect(fresh.models()[0]?.microUsd).toBe(1_000_000);
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

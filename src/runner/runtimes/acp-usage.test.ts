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

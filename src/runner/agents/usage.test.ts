import { expect, it } from 'vitest';

import { usageSchema } from '../../api/contract/usage.ts';
import type { UsageOfModel } from '../../core/facts.ts';
import { fitting } from './usage.ts';

const row = (part: Partial<UsageOfModel>): UsageOfModel => ({
  model: 'm',
  tokensIn: 1,
  tokensOut: 0,
  tokensCached: 0,
  microUsd: null,
  unpricedIn: 1,
  unpricedOut: 0,
  unpricedCached: 0,
  ...part,
});

it('what a program says that it used is made to fit the contract, and its sum is kept', () => {
  const many = Array.from({ length: 150 }, (_, n) => row({ model: `m${String(n)}` }));
  const kept = fitting([...many, row({ model: 'x'.repeat(500), tokensIn: 2.4, microUsd: 0.6 })]);
  for (const each of kept) expect(usageSchema.safeParse(each).success).toBe(true);
  expect(kept.length).toBeLessThanOrEqual(100);
  expect(kept.reduce((sum, each) => sum + each.tokensIn, 0)).toBe(152);
  expect(fitting([row({ model: 'x'.repeat(500) })])[0]?.model?.length).toBe(200);
});

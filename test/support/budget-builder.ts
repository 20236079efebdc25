import type { RigBudget } from '../../src/core/budget.ts';

/** A hard budget of ten dollars that the rig `api` has for itself. */
export const rigBudget = (over: Partial<RigBudget> = {}): RigBudget => ({
  id: 'rig:api:usd:hard',
  scope: 'rig:api',
  unit: 'usd',
  kind: 'hard',
  amount: 10_000_000,
  shared: false,
  since: 1,
  granted: 0,
  returned: 0,
  wanted: 0,
  least: 0,
  waiting: false,
  townSpent: 0,
  townReserved: 0,
  ...over,
});

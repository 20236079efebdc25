import type { TownView } from '../../src/core/town-view.ts';

/** The part of a town's world that rules of other things do not look at. */
export const noBudgets: Pick<TownView, 'budget' | 'budgetParts' | 'budgetTold' | 'budgetRigs' | 'budgetTerms'> = {
  budget: () => null,
  budgetParts: () => [],
  budgetTold: () => 'no',
  budgetRigs: () => [],
  budgetTerms: () => null,
};

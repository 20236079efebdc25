import { z } from 'zod';
import { BUDGET_AMOUNT_MAX, budgetId, type Budget, type BudgetKind, type BudgetUnit } from '../core/budget.ts';
import { precondition } from '../core/errors.ts';
import { MICRO_USD } from '../core/usage.ts';

const usd = z
  .number()
  .min(0)
  .max(BUDGET_AMOUNT_MAX / MICRO_USD)
  .optional();
const tokens = z.number().int().min(0).max(BUDGET_AMOUNT_MAX).optional();

interface BudgetSection {
  readonly usd?: number | undefined;
  readonly tokens?: number | undefined;
  readonly soft_usd?: number | undefined;
  readonly soft_tokens?: number | undefined;
}

/** `[budgets.town]`, `[budgets."rig:<name>"]`, also of a convoy or bead. */
export const budgetsSection: z.ZodType<Record<string, BudgetSection>> = z.record(
  z.string().regex(/^(?:town|rig:.+|convoy:.+|bead:.+)$/, 'a budget is of town, rig:<name>, convoy:<id> or bead:<id>'),
  z.strictObject({ usd, tokens, soft_usd: usd, soft_tokens: tokens }),
);

/** Errors: `bad_config` for a rig that the file does not have. */
export function configBudgets(
  sections: Readonly<Record<string, BudgetSection>> | undefined,
  polecatsMax: number | undefined,
  rigs: ReadonlySet<string>,
  path: string,
): readonly Budget[] {
  const budgets: Budget[] = [];
  const add = (scope: string, unit: BudgetUnit, kind: BudgetKind, amount: number | undefined): void => {
    if (amount !== undefined) budgets.push({ id: budgetId(scope, unit, kind), scope, unit, kind, amount });
  };
  const micro = (amount: number | undefined): number | undefined =>
    amount === undefined ? undefined : Math.round(amount * MICRO_USD);
  add('town', 'polecats', 'hard', polecatsMax);
  for (const [scope, section] of Object.entries(sections ?? {})) {
    if (scope.startsWith('rig:') && !rigs.has(scope.slice('rig:'.length)))
      throw precondition('bad_config', `${path}: [budgets."${scope}"] names a rig that is not there.`, 'Correct it.');
    add(scope, 'usd', 'hard', micro(section.usd));
    add(scope, 'tokens', 'hard', section.tokens);
    add(scope, 'usd', 'soft', micro(section.soft_usd));
    add(scope, 'tokens', 'soft', section.soft_tokens);
  }
  return budgets;
}

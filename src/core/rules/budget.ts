import type { TownAction, Verdicts } from '../actions.ts';
import { budgetText, grantsOf, isShared, raiseText, sumOf, type Budget, type BudgetPart } from '../budget.ts';
import { budgetRef } from '../refs.ts';
import type { TownView } from '../town-view.ts';

const NONE: Verdicts<TownAction> = { decisions: [], wakeAtMs: null };

/**
 * Gives out a budget that several rigs share, keeps every rig's idea of it true, and tells a person once when it is used
 * up: soft by what was spent, hard when ready work waits for it. Raising it ends that by itself.
 */
export function budgetRule(view: TownView, id: string): Verdicts<TownAction> {
  const budget = view.budget(id);
  if (budget === null) return NONE;
  const parts = view.budgetParts(id);
  const actions = [
    ...terms(view, budget, parts),
    ...(isShared(budget.scope) && budget.kind === 'hard' ? grants(budget, parts) : []),
    ...tell(budget, parts, view.budgetTold(id)),
  ];
  if (actions.length === 0) return NONE;
  const decision = { rule: 'budget', entity: budgetRef(id), reason: budgetText(budget, sumOf(parts)), actions };
  return { decisions: [decision], wakeAtMs: null };
}

/** Rigs that know nothing of it yet, or not its present amount; who waits should know how it stands. */
function terms(view: TownView, budget: Budget, parts: readonly BudgetPart[]): TownAction[] {
  const use = sumOf(parts);
  return view.budgetRigs(budget).flatMap((rig): TownAction[] => {
    const part = parts.find((one) => one.rig === rig);
    const told = view.budgetTerms(budget.id, rig);
    const waits = part?.waiting === true && (told?.spent !== use.spent || told.reserved !== use.reserved);
    if (told !== null && told.amount === budget.amount && !waits) return [];
    return [{ type: 'grant_budget', budget: budget.id, rig, granted: part?.granted ?? 0 }];
  });
}

const grants = (budget: Budget, parts: readonly BudgetPart[]): TownAction[] =>
  grantsOf(budget.amount, parts).map((grant) => ({ type: 'grant_budget', budget: budget.id, ...grant }));

function tell(budget: Budget, parts: readonly BudgetPart[], told: boolean): TownAction[] {
  if (budget.unit === 'polecats') return [];
  const use = sumOf(parts);
  const granted = grantsOf(budget.amount, parts).length > 0;
  const isOver = budget.kind === 'soft' ? use.spent >= budget.amount : !granted && parts.some((part) => part.waiting);
  if (isOver === told) return [];
  const mark: TownAction = { type: 'mark_budget_told', budget: budget.id, told: isOver };
  const causeKey = `budget:${budget.id}`;
  if (!isOver) return [mark, { type: 'close_escalation', causeKey }];
  const what =
    budget.kind === 'soft'
      ? 'It is soft: work goes on.'
      : 'Nothing new is started there; what runs may finish, and ready work waits.';
  return [
    mark,
    {
      type: 'open_escalation',
      rig: null,
      causeKey,
      severity: budget.kind === 'soft' ? 'low' : 'medium',
      category: 'budget',
      subject: budgetRef(budget.id),
      message: `Used up: ${budgetText(budget, use)}. ${what} To go on, ${raiseText(budget)}.`,
    },
  ];
}

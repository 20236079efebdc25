import type { TownAction, Verdicts } from '../actions.ts';
import {
  budgetText,
  grantsOf,
  isShared,
  raiseText,
  sumOf,
  type Budget,
  type BudgetPart,
  type BudgetTold,
} from '../budget.ts';
import { BUDGET_NEAR_SHARE } from '../limits.ts';
import { budgetRef } from '../refs.ts';
import type { TownView } from '../town-view.ts';

const NONE: Verdicts<TownAction> = { decisions: [], wakeAtMs: null };

/**
 * Gives out a budget that several rigs share, keeps every rig's idea of it true, and tells a person when four fifths of it
 * are spent and when it is used up, once each. Raising it ends that by itself.
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

/**
 * One escalation, whose severity and words follow the state: what was said of a budget that had little left is over when it
 * is used up.
 */
function tell(budget: Budget, parts: readonly BudgetPart[], told: BudgetTold): TownAction[] {
  if (budget.unit === 'polecats') return [];
  const now = stateOf(budget, parts);
  if (now === told) return [];
  const causeKey = `budget:${budget.id}`;
  const mark: TownAction = { type: 'mark_budget_told', budget: budget.id, told: now };
  const close: readonly TownAction[] = told === 'no' ? [] : [{ type: 'close_escalation', causeKey }];
  if (now === 'no') return [mark, ...close];
  const text = budgetText(budget, sumOf(parts));
  return [
    mark,
    ...close,
    {
      type: 'open_escalation',
      rig: null,
      causeKey,
      severity: now === 'near' ? 'low' : 'medium',
      category: 'budget',
      subject: budgetRef(budget.id),
      message:
        now === 'near'
          ? `Nearly used up: ${text}. ${AHEAD[budget.kind]}`
          : `Used up: ${text}. ${NOW[budget.kind]} To go on, ${raiseText(budget)}.`,
    },
  ];
}

const AHEAD: Readonly<Record<Budget['kind'], string>> = {
  hard: 'When it is used up, nothing new is started there.',
  soft: 'It is soft: work goes on.',
};
const NOW: Readonly<Record<Budget['kind'], string>> = {
  hard: 'Nothing new is started there; what runs may finish, and ready work waits.',
  soft: 'It is soft: work goes on.',
};

/**
 * A hard budget is used up, too, when what is left of it is too little for work that waits. Who waits while a grant is on
 * its way will be served: a person is told of nothing that is over in a moment.
 */
function stateOf(budget: Budget, parts: readonly BudgetPart[]): BudgetTold {
  const { spent } = sumOf(parts);
  const isStopped =
    parts.some((part) => part.waiting && part.heard >= part.granted) && grantsOf(budget.amount, parts).length === 0;
  if ((budget.kind === 'hard' && isStopped) || (spent > 0 && spent >= budget.amount)) return 'over';
  return spent > 0 && spent >= budget.amount * BUDGET_NEAR_SHARE ? 'near' : 'no';
}

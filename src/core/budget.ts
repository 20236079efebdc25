import { dollars, tokenCount } from './money.ts';

/** `usd` counts in millionths of a dollar; `polecats` is the town's cap on agents at once, shared in the same way. */
export const BUDGET_UNITS = ['usd', 'tokens', 'polecats'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];
/** `hard`: nothing new is dispatched there when it is used up; what runs may finish. `soft`: a person is told. */
export const BUDGET_KINDS = ['hard', 'soft'] as const;
export type BudgetKind = (typeof BUDGET_KINDS)[number];

/** Ten million dollars, or ten trillion tokens: more is a mistake of a unit, and sums of it are still exact. */
export const BUDGET_AMOUNT_MAX = 1e13;

/** Its scope is `town`, `rig:<name>`, `convoy:<id>` or `bead:<id>`; a bead is counted with all rework of its branch. */
export interface Budget {
  readonly id: string;
  readonly scope: string;
  readonly unit: BudgetUnit;
  readonly kind: BudgetKind;
  readonly amount: number;
}

export const budgetId = (scope: string, unit: BudgetUnit, kind: BudgetKind): string => `${scope}:${unit}:${kind}`;

/** More than one rig may draw on it, so the town gives it out. */
export const isShared = (scope: string): boolean => scope === 'town' || scope.startsWith('convoy:');

/** The same budget as one rig knows it. Grants and returns are totals that only grow, so that a repeat changes nothing. */
export interface RigBudget extends Budget {
  readonly shared: boolean;
  readonly since: number;
  /** All that the town ever gave this rig of it. */
  readonly granted: number;
  /** All of that which the rig ever gave back. */
  readonly returned: number;
  /** What the rig asks for: all its use of it, as it would be; 0: nothing. */
  readonly wanted: number;
  /** With less than this it could dispatch nothing of what it asks for. */
  readonly least: number;
  /** A ready bead of this rig waits for it. */
  readonly waiting: boolean;
  /** What the town last said of all rigs. */
  readonly townSpent: number;
  readonly townReserved: number;
}

/** What this rig may use of it. */
export const allowance = (budget: RigBudget): number =>
  budget.shared ? budget.granted - budget.returned : budget.amount;

export interface Use {
  readonly spent: number;
  readonly reserved: number;
}

/** What one rig told the town of one budget. */
export interface BudgetAccount extends Use {
  /** The newest total of grants that it has heard of. */
  readonly granted: number;
  readonly returned: number;
  readonly wanted: number;
  readonly least: number;
  readonly waiting: boolean;
  /** Which life of the budget this is about: one that was removed and set again begins anew. */
  readonly since: number;
}

/** What the town knows of one rig's part. */
export interface BudgetPart extends Omit<BudgetAccount, 'since'> {
  readonly rig: string;
  /** What the rig said it has heard of; less than `granted` while a grant is on its way. */
  readonly heard: number;
  /** The rig has told its account; until all have, nobody is given anything. */
  readonly reported: boolean;
}

/** What a rig holds of a shared budget: what it was given and has not returned, or what it used beyond that. */
export const holds = (part: BudgetPart): number => Math.max(part.granted - part.returned, part.spent + part.reserved);

/** What people were told of a budget: nothing, that little is left, that it is used up. */
export const BUDGET_TOLD = ['no', 'near', 'over'] as const;
export type BudgetTold = (typeof BUDGET_TOLD)[number];

/**
 * Who gets what of a shared hard budget now, in the order of asking. Nothing is given that another rig holds, so no two
 * rigs can spend the same part, whatever is on its way between them. A rig that has not heard of its last grant gets no
 * further one: it would be reckoned with an account that is old, come out too small, be returned, and so on without end.
 */
export function grantsOf(
  amount: number,
  parts: readonly BudgetPart[],
): readonly { readonly rig: string; readonly granted: number }[] {
  if (parts.some((part) => !part.reported)) return [];
  let free = amount - parts.reduce((sum, part) => sum + holds(part), 0);
  const grants: { rig: string; granted: number }[] = [];
  for (const part of parts) {
    if (part.heard < part.granted) continue;
    const own = part.granted - part.returned;
    const reach = Math.min(part.wanted, holds(part) + free);
    if (reach < part.least || reach <= own) continue;
    free -= Math.max(0, reach - holds(part));
    grants.push({ rig: part.rig, granted: part.returned + reach });
  }
  return grants;
}

export const sumOf = (parts: readonly Use[]): Use => ({
  spent: parts.reduce((sum, part) => sum + part.spent, 0),
  reserved: parts.reduce((sum, part) => sum + part.reserved, 0),
});

export function amountText(amount: number, unit: BudgetUnit): string {
  if (unit === 'usd') return dollars(amount);
  return unit === 'tokens' ? tokenCount(amount) : `${String(amount)} polecats`;
}

/** How a person raises it. */
export function raiseText(budget: Budget): string {
  if (budget.unit === 'polecats') return 'raise polecats_max in [town] of gastown.toml';
  const scope = budget.scope.replace(':', ' ');
  const option = budget.unit === 'usd' ? '--usd <more>' : '--tokens <more>';
  return `raise it with "gt budget set ${scope} ${option}${budget.kind === 'soft' ? ' --soft' : ''}"`;
}

/** `the budget of town ($10.00): spent $9.00, $1.00 reserved`. */
export function budgetText(budget: Budget, use: Use): string {
  const scope = budget.scope.replace(':', ' ');
  const text = (amount: number): string => amountText(amount, budget.unit);
  if (budget.unit === 'polecats') return `the ${text(budget.amount)} of the town; all are taken`;
  return `the budget of ${scope}: spent ${text(use.spent)} of ${text(budget.amount)}, ${text(use.reserved)} reserved`;
}

import type { TownAction } from '../../core/actions.ts';
import type { RigToTown } from '../../core/messages.ts';
import { budgetId, sumOf, type Budget, type BudgetTold } from '../../core/budget.ts';
import type { Caller } from '../../core/commands.ts';
import { conflict, notFound } from '../../core/errors.ts';
import { budgetTag, refuseStale } from '../../core/etag.ts';
import { budgetRef } from '../../core/refs.ts';
import { BudgetWriter } from '../../store/budget-store.ts';
import { trusted } from '../../core/model/ids.ts';
import type { Turn } from '../kernel/turn.ts';
import { rigOf, type TownContext } from './town-context.ts';

const budgetWriter = (town: TownContext, turn: Turn): BudgetWriter =>
  new BudgetWriter(town.sql, turn.nowMs, turn.dirty);

/** Sets a budget or changes its amount. Errors: `set_in_config`, `not_found`. */
export function setBudget(town: TownContext, turn: Turn, budget: Omit<Budget, 'id'>, caller: Caller): string {
  const id = budgetId(budget.scope, budget.unit, budget.kind);
  refuseStaleBudget(town, id, caller);
  refuseConfigured(town, id);
  checkScope(town, { ...budget, id });
  budgetWriter(town, turn).put(
    { ...budget, id },
    { source: 'command', actor: caller.actor, since: turn.kernel.nextCounter('budget') },
  );
  turn.journal({
    entity: budgetRef(id),
    action: 'set_budget',
    rule: 'command',
    reason: `by ${caller.actor}`,
    to: String(budget.amount),
  });
  return id;
}

function refuseStaleBudget(town: TownContext, id: string, caller: Caller): void {
  const budget = town.view.budgetStore.get(id);
  refuseStale(caller, `The budget ${id}`, budget === null ? null : budgetTag(budget));
}

function refuseConfigured(town: TownContext, id: string): void {
  if (town.view.budgetStore.get(id)?.source === 'config')
    throw conflict(
      'set_in_config',
      `The budget ${id} is set in gastown.toml.`,
      'Change it there, then "gt daemon reload".',
    );
}

function checkScope(town: TownContext, budget: Budget): void {
  const colon = budget.scope.indexOf(':');
  const kind = budget.scope.slice(0, Math.max(0, colon));
  const name = budget.scope.slice(colon + 1);
  if (kind === 'convoy' && town.view.convoy(trusted.convoy(name)) === null) throw notFound('convoy', name);
  if (town.view.budgetStore.rigsOf(budget).length === 0 && budget.scope !== 'town') throw notFound(kind, name);
}

/** Errors: `not_found`, `set_in_config`. */
export function removeBudget(town: TownContext, turn: Turn, id: string, caller: Caller): string {
  const budget = town.view.budgetStore.get(id);
  if (budget === null) throw notFound('budget', id);
  refuseStaleBudget(town, id, caller);
  refuseConfigured(town, id);
  dropBudget(town, turn, budget, `by ${caller.actor}`);
  return id;
}

function dropBudget(town: TownContext, turn: Turn, budget: Budget, reason: string): void {
  const store = town.view.budgetStore;
  for (const part of store.parts(budget.id)) town.tell(turn, part.rig, { type: 'budget_ended', budget: budget.id });
  if (store.told(budget.id) !== 'no') town.resolve(turn, `budget:${budget.id}`);
  budgetWriter(town, turn).remove(budget.id);
  turn.journal({ entity: budgetRef(budget.id), action: 'remove_budget', rule: 'command', reason });
}

/** Budgets as the town's file says them; those that it said before and does not any more end. */
export function configureBudgets(town: TownContext, turn: Turn, budgets: readonly Budget[]): void {
  const store = town.view.budgetStore;
  const writer = budgetWriter(town, turn);
  for (const budget of budgets) {
    const known = store.get(budget.id);
    if (known?.amount === budget.amount && known.source === 'config') continue;
    writer.put(budget, { source: 'config', actor: 'config', since: turn.kernel.nextCounter('budget') });
    turn.journal({
      entity: budgetRef(budget.id),
      action: 'set_budget',
      rule: 'command',
      reason: 'from gastown.toml',
      to: String(budget.amount),
    });
  }
  const wanted = new Set(budgets.map((budget) => budget.id));
  for (const budget of store.all())
    if (budget.source === 'config' && !wanted.has(budget.id))
      dropBudget(town, turn, budget, 'no longer in gastown.toml');
}

/** What rigs say about money and quota. */
export function applyMoneyNews(
  town: TownContext,
  turn: Turn,
  message: Extract<RigToTown, { readonly type: 'budget_account' | 'quota_closed' }> & { readonly from: string },
): void {
  const from = rigOf(message.from);
  if (message.type === 'budget_account') {
    // It was not there when the budget ended: a rig that was removed meanwhile, and is asked when it is added again.
    if (town.view.budget(message.budget) === null)
      town.tell(turn, from, { type: 'budget_ended', budget: message.budget });
    budgetWriter(town, turn).account(message.budget, from, message.account);
    return;
  }
  for (const { name } of town.view.rigs())
    if (name !== from) town.tell(turn, name, { type: 'quota_closed', window: message.window });
}

const TOLD_TEXT: Readonly<Record<BudgetTold, string>> = { no: 'has room', near: 'nearly used up', over: 'used up' };

/** Carries out what the rule of budgets decided. */
export function applyBudgetAction(
  town: TownContext,
  turn: Turn,
  action: Extract<TownAction, { readonly type: 'grant_budget' | 'mark_budget_told' }>,
): { readonly to: string } {
  const writer = budgetWriter(town, turn);
  if (action.type === 'mark_budget_told') {
    writer.setTold(action.budget, action.told);
    return { to: TOLD_TEXT[action.told] };
  }
  const store = town.view.budgetStore;
  const stored = store.get(action.budget);
  if (stored === null) return { to: 'gone' };
  const { id, scope, unit, kind, amount, since } = stored;
  const use = sumOf(store.parts(id));
  writer.grant(id, action.rig, { granted: action.granted, terms: { amount, ...use } });
  town.tell(turn, action.rig, {
    type: 'budget_terms',
    budget: { id, scope, unit, kind, amount },
    since,
    granted: action.granted,
    townSpent: use.spent,
    townReserved: use.reserved,
  });
  return { to: `${action.rig}: ${String(action.granted)}` };
}

export function touchBudgets(town: TownContext, turn: Turn, rig: string): void {
  const writer = budgetWriter(town, turn);
  writer.forgetUnreported(rig);
  writer.touchAll();
}

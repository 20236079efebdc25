import { sumOf, type Budget } from '../core/budget.ts';
import type { Caller } from '../core/commands.ts';
import { notFound } from '../core/errors.ts';
import { costReport, type CostFilter, type CostReport } from '../core/money.ts';
import { engineOf } from '../core/quota.ts';
import { must } from '../core/assert.ts';
import type { BudgetSummary, MoneyGateway, QuotaSummary } from '../ports/money-gateway.ts';
import type { StoredBudget } from '../store/budget-store.ts';
import { costGroups, mergedCount } from '../store/cost-queries.ts';
import type { TownActors } from './town-actors.ts';

/** Money and quota of a town, over all its actors. */
export class TownMoney implements MoneyGateway {
  readonly #actors: TownActors;
  readonly #now: () => number;
  readonly #writable: () => void;

  constructor(options: { readonly actors: TownActors; readonly now: () => number; readonly writable: () => void }) {
    this.#actors = options.actors;
    this.#now = options.now;
    this.#writable = options.writable;
  }

  costs(filter: CostFilter): Promise<CostReport> {
    const rigs = this.#actors.rigs().filter((rig) => filter.rig === undefined || rig.view.config().name === filter.rig);
    if (filter.rig !== undefined && rigs.length === 0) return Promise.reject(notFound('rig', filter.rig));
    const groups = rigs.flatMap((rig) => costGroups(rig.sql, rig.view.config().name, filter));
    const merged = rigs.reduce((sum, rig) => sum + mergedCount(rig.sql, filter), 0);
    return Promise.resolve(costReport(groups, merged, filter.by));
  }

  listBudgets(): Promise<readonly BudgetSummary[]> {
    return Promise.resolve(this.#actors.town.view.budgetStore.all().map((budget) => this.#summary(budget)));
  }

  #summary(budget: StoredBudget): BudgetSummary {
    const { id, scope, unit, kind, amount, source } = budget;
    const told = this.#actors.town.view.budgetStore.parts(id);
    // What a rig has not told yet is read where it is.
    const parts = told.map((part) => {
      const rig = this.#actors.rig(part.rig);
      return rig === null ? part : { ...part, ...rig.view.money.useOf(budget) };
    });
    const isWaitedFor = parts.some((part) => part.waiting);
    return { id, scope, unit, kind, amount, source, ...sumOf(parts), isWaitedFor, parts };
  }

  async setBudget(budget: Omit<Budget, 'id'>, caller: Caller): Promise<BudgetSummary> {
    this.#writable();
    const id = await this.#actors.town.setBudget(budget, caller);
    return this.#summary(must(this.#actors.town.view.budgetStore.get(id), 'a budget that was set exists'));
  }

  async removeBudget(id: string, caller: Caller): Promise<void> {
    this.#writable();
    await this.#actors.town.removeBudget(id, caller);
  }

  listQuota(): Promise<readonly QuotaSummary[]> {
    const nowMs = this.#now();
    const byScope = new Map<string, QuotaSummary>();
    for (const rig of this.#actors.rigs())
      for (const window of rig.view.money.quotaWindows(nowMs)) {
        if (window.resetsAtMs <= nowMs) continue;
        const before = byScope.get(window.scope);
        const parked = rig.view.money.parkedIn(window.scope);
        // Every rig knows of it; named are those whose work it stops.
        const own = engineOf({ runtime: null, model: null }, rig.view.config());
        const draws = parked > 0 || own.account === window.account;
        const later = before === undefined || before.resetsAtMs < window.resetsAtMs ? window : before;
        byScope.set(window.scope, {
          ...later,
          rigs: [...(before?.rigs ?? []), ...(draws ? [rig.view.config().name] : [])],
          parked: (before?.parked ?? 0) + parked,
        });
      }
    return Promise.resolve([...byScope.values()]);
  }
}

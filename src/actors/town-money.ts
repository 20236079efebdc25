import { sumOf, type Budget } from '../core/budget.ts';
import type { Caller } from '../core/commands.ts';
import { notFound } from '../core/errors.ts';
import { costReport, type CostFilter, type CostGroup, type CostReport } from '../core/money.ts';
import { engineOf } from '../core/quota.ts';
import type { BudgetSummary, MoneyGateway, QuotaSummary } from '../ports/money-gateway.ts';
import type { StoredBudget } from '../store/budget-store.ts';
import { askAll } from './asked.ts';
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

  async costs(filter: CostFilter): Promise<CostReport> {
    const rigs = this.#actors.rigs().filter((rig) => filter.rig === undefined || rig.name === filter.rig);
    if (filter.rig !== undefined && rigs.length === 0) throw notFound('rig', filter.rig);
    const costs = await askAll(rigs, (rig) => rig.costs(filter));
    const ofMayor = await this.#mayorCosts(filter);
    const groups = [...costs.flatMap((cost) => cost.groups), ...ofMayor];
    const merged = costs.reduce((sum, cost) => sum + cost.merged, 0);
    return costReport(groups, merged, filter.by);
  }

  /** It works for the whole town: it is left out where a rig, a convoy or a bead is asked about. */
  async #mayorCosts(filter: CostFilter): Promise<readonly CostGroup[]> {
    const isPart = filter.rig !== undefined || filter.convoy !== undefined || filter.bead !== undefined;
    return isPart ? [] : ((await this.#actors.mayor?.costs(filter)) ?? []);
  }

  listBudgets(): Promise<readonly BudgetSummary[]> {
    return Promise.all(this.#actors.town.view.budgetStore.all().map((budget) => this.#summary(budget)));
  }

  async #summary(budget: StoredBudget): Promise<BudgetSummary> {
    const { id, scope, unit, kind, amount, source } = budget;
    const told = this.#actors.town.view.budgetStore.parts(id);
    // What a rig has not told yet is read where it is.
    const parts = await Promise.all(
      told.map(async (part) => {
        const rig = this.#actors.rig(part.rig);
        return rig === null ? part : { ...part, ...(await rig.view.money.useOf(budget)) };
      }),
    );
    const isWaitedFor = parts.some((part) => part.waiting);
    return { id, scope, unit, kind, amount, source, ...sumOf(parts), isWaitedFor, parts };
  }

  async setBudget(budget: Omit<Budget, 'id'>, caller: Caller): Promise<BudgetSummary> {
    this.#writable();
    const id = await this.#actors.town.setBudget(budget, caller);
    const set = this.#actors.town.view.budgetStore.get(id);
    // A repeat of the command: somebody removed since what it had set.
    if (set === null) throw notFound('budget', id);
    return this.#summary(set);
  }

  async removeBudget(id: string, caller: Caller): Promise<void> {
    this.#writable();
    await this.#actors.town.removeBudget(id, caller);
  }

  async listQuota(): Promise<readonly QuotaSummary[]> {
    const nowMs = this.#now();
    const byScope = new Map<string, QuotaSummary>();
    for (const rig of this.#actors.rigs())
      for (const window of await rig.view.money.quotaWindows(nowMs)) {
        if (window.resetsAtMs <= nowMs) continue;
        const before = byScope.get(window.scope);
        const parked = await rig.view.money.parkedIn(window.scope);
        // Every rig knows of it; named are those whose work it stops.
        const own = engineOf({ runtime: null, model: null }, await rig.view.config());
        const draws = parked > 0 || own.account === window.account;
        const later = before === undefined || before.resetsAtMs < window.resetsAtMs ? window : before;
        byScope.set(window.scope, {
          ...later,
          rigs: [...(before?.rigs ?? []), ...(draws ? [rig.name] : [])],
          parked: (before?.parked ?? 0) + parked,
        });
      }
    return [...byScope.values()];
  }
}

import type { Budget, BudgetPart } from '../core/budget.ts';
import type { Caller } from '../core/commands.ts';
import type { CostFilter, CostReport } from '../core/money.ts';
import type { QuotaWindow } from '../core/view.ts';

export interface BudgetSummary extends Budget {
  /** A person's command, or the town's file, which wins. */
  readonly source: 'command' | 'config';
  readonly spent: number;
  readonly reserved: number;
  /** A ready bead waits for it. */
  readonly isWaitedFor: boolean;
  readonly parts: readonly BudgetPart[];
}

export interface QuotaSummary extends QuotaWindow {
  /** Rigs that draw on its account, or have work parked for it. */
  readonly rigs: readonly string[];
  /** Beads that wait for it. */
  readonly parked: number;
}

/** What people ask about money and quota, and what they set. */
export interface MoneyGateway {
  costs(filter: CostFilter): Promise<CostReport>;
  listBudgets(): Promise<readonly BudgetSummary[]>;
  /** Sets one, or changes its amount; dispatch that waits for it goes on at once. Errors: `set_in_config`, those of an unknown scope. */
  setBudget(budget: Omit<Budget, 'id'>, caller: Caller): Promise<BudgetSummary>;
  /** Errors: `budget_not_found`, `set_in_config`. */
  removeBudget(id: string, caller: Caller): Promise<void>;
  /** Quota windows that are closed now. */
  listQuota(): Promise<readonly QuotaSummary[]>;
}

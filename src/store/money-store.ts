import { BUDGET_UNITS, isShared, type Budget, type BudgetAccount, type RigBudget, type Use } from '../core/budget.ts';
import { quotaRef, SCHEDULE, type Ref } from '../core/refs.ts';
import type { QuotaWindow } from '../core/view.ts';
import type { Sql } from '../ports/sql.ts';
import { QUOTA_COLUMNS, quotaFromRow, RIG_BUDGET_COLUMNS, rigBudgetFromRow, TOLD } from './budget-rows.ts';
import { int, intOrNull, readable } from './rows.ts';
import { SpendingStore, WHOLE_RIG } from './spending.ts';

/** A rig's budgets and quota windows. */
export class MoneyStore {
  readonly #sql: Sql;
  readonly spending: SpendingStore;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.spending = new SpendingStore(sql);
  }

  budgets(): readonly RigBudget[] {
    return readable(this.#sql.all(`SELECT ${RIG_BUDGET_COLUMNS} FROM budgets ORDER BY id`), rigBudgetFromRow);
  }

  useOf(budget: Budget): Use {
    if (budget.unit === BUDGET_UNITS[2])
      return {
        spent: 0,
        reserved: int(this.#sql.all('SELECT COUNT(*) AS n FROM attempts WHERE process_gone = 0')[0]?.['n']),
      };
    const { scope } = budget;
    const sums = this.spending.of(scope === 'town' || scope.startsWith('rig:') ? WHOLE_RIG : scope);
    return budget.unit === 'usd'
      ? { spent: sums.microUsd, reserved: sums.reservedMicroUsd }
      : { spent: sums.tokens, reserved: sums.reservedTokens };
  }

  account(budget: RigBudget): BudgetAccount {
    const { granted, returned, wanted, least, waiting, since } = budget;
    return { ...this.useOf(budget), granted, returned, wanted, least, waiting, since };
  }

  quotaWindow(scope: string): QuotaWindow | null {
    const row = this.#sql.all(`SELECT ${QUOTA_COLUMNS} FROM quota_windows WHERE id = ?`, scope)[0];
    return row === undefined ? null : quotaFromRow(row);
  }

  /** Those that are closed now or were told to people. */
  quotaWindows(nowMs: number): readonly QuotaWindow[] {
    return readable(
      this.#sql.all(
        `SELECT ${QUOTA_COLUMNS} FROM quota_windows WHERE resets_at > ? OR escalated = 1 ORDER BY id`,
        nowMs,
      ),
      quotaFromRow,
    );
  }

  lastDispatch(scope: string): number | null {
    return intOrNull(
      this.#sql.all(
        'SELECT MAX(started_at) AS at FROM attempts WHERE quota_scope = ? AND process_gone = 0',
        scope,
      )[0]?.['at'],
    );
  }

  slotsOf(by: { readonly runtime: string } | { readonly account: string }): number {
    const row =
      'runtime' in by
        ? this.#sql.all('SELECT COUNT(*) AS n FROM attempts WHERE process_gone = 0 AND runtime = ?', by.runtime)[0]
        : this.#sql.all(
            `SELECT COUNT(*) AS n FROM attempts WHERE process_gone = 0 AND substr(quota_scope, 1, length(?) + 1) = ? || '/'`,
            by.account,
            by.account,
          )[0];
    return int(row?.['n']);
  }

  /** Beads that wait for this scope to open. */
  parkedIn(scope: string): number {
    return int(
      this.#sql.all(
        `SELECT COUNT(*) AS n FROM beads b WHERE status = 'open' AND hold = 'parked'
          AND (SELECT quota_scope FROM attempts WHERE bead_id = b.id ORDER BY epoch DESC LIMIT 1) = ?`,
        scope,
      )[0]?.['n'],
    );
  }

  reviewsWaiting(): number {
    return int(
      this.#sql.all(
        `SELECT COUNT(*) AS n FROM beads WHERE status IN ('open', 'in_progress', 'in_review') AND type = 'merge_request' AND (hold = 'needs_human'
          OR id IN (SELECT bead_id FROM proposals JOIN reviews USING (bead_id) WHERE step = 'proposed' AND waits_for = 'people'))`,
      )[0]?.['n'],
    );
  }
}

/** Changes of them. */
export class MoneyWriter {
  readonly #sql: Sql;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#dirty = dirty;
  }

  /** What the town says of a budget. What was given is a total: an older word changes nothing. */
  putTerms(terms: {
    readonly budget: Budget;
    readonly since: number;
    readonly granted: number;
    readonly townSpent: number;
    readonly townReserved: number;
  }): void {
    const { budget } = terms;
    this.#sql.all(
      `INSERT INTO budgets (id, scope, unit, kind, amount, shared, since, granted, town_spent, town_reserved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, granted = max(granted, excluded.granted), town_spent = excluded.town_spent,
          town_reserved = excluded.town_reserved`,
      budget.id,
      budget.scope,
      budget.unit,
      budget.kind,
      budget.amount,
      isShared(budget.scope) ? 1 : 0,
      terms.since,
      terms.granted,
      terms.townSpent,
      terms.townReserved,
    );
    this.#dirty(SCHEDULE);
  }

  endBudget(id: string): void {
    this.#sql.all('DELETE FROM budgets WHERE id = ?', id);
    this.#dirty(SCHEDULE);
  }

  ask(id: string, wish: { readonly wanted: number; readonly least: number; readonly waiting: boolean }): void {
    this.#sql.all(
      'UPDATE budgets SET wanted = ?, least = ?, waiting = ? WHERE id = ?',
      wish.wanted,
      wish.least,
      wish.waiting ? 1 : 0,
      id,
    );
    this.#dirty(SCHEDULE);
  }

  giveBack(id: string, returned: number): void {
    this.#sql.all('UPDATE budgets SET returned = max(returned, ?) WHERE id = ?', returned, id);
    this.#dirty(SCHEDULE);
  }

  /** The account that the town was told last. */
  told(id: string): string | null {
    const row = this.#sql.all('SELECT told FROM budgets WHERE id = ?', id)[0];
    return typeof row?.['told'] === 'string' ? row['told'] : null;
  }

  /** Every account is told again. */
  forgetTold(): void {
    this.#sql.all('UPDATE budgets SET told = NULL');
    this.#dirty(SCHEDULE);
  }

  setTold(id: string, told: string): void {
    this.#sql.all('UPDATE budgets SET told = ? WHERE id = ?', told, id);
  }

  closeQuota(window: QuotaWindow): void {
    this.#sql.all(
      `INSERT INTO quota_windows (id, account, model, opened_at, reported_at, resets_at, is_known, is_burst, strikes, reason, escalated)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET opened_at = excluded.opened_at, reported_at = excluded.reported_at, resets_at = excluded.resets_at,
          is_known = excluded.is_known, is_burst = excluded.is_burst, strikes = excluded.strikes, reason = excluded.reason, escalated = excluded.escalated`,
      window.scope,
      window.account,
      window.model,
      window.openedAtMs,
      window.reportedAtMs,
      window.resetsAtMs,
      window.isKnown ? 1 : 0,
      window.isBurst ? 1 : 0,
      window.strikes,
      window.reason,
      TOLD.indexOf(window.told),
    );
    this.#dirty(quotaRef(window.scope));
    this.#dirty(SCHEDULE);
  }

  setQuotaTold(scope: string, told: boolean): void {
    this.#sql.all('UPDATE quota_windows SET escalated = ? WHERE id = ?', told ? 1 : 0, scope);
    this.#dirty(quotaRef(scope));
  }

  /** A person says "now": the window of this scope is open. */
  openQuota(scope: string, nowMs: number): void {
    this.#sql.all('UPDATE quota_windows SET resets_at = ? WHERE id = ? AND resets_at > ?', nowMs, scope, nowMs);
    this.#dirty(quotaRef(scope));
    this.#dirty(SCHEDULE);
  }
}

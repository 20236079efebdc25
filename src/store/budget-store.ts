import {
  BUDGET_TOLD,
  isShared,
  type Budget,
  type BudgetAccount,
  type BudgetPart,
  type BudgetTold,
} from '../core/budget.ts';
import { budgetRef, type Ref } from '../core/refs.ts';
import type { Sql } from '../ports/sql.ts';
import { BUDGET_COLUMNS, budgetFromRow, budgetPartFromRow, PART_COLUMNS } from './budget-rows.ts';
import { int, json, text } from './rows.ts';

/** Who set a budget: a person by command, or the town's file, which wins. */
export type BudgetSource = 'command' | 'config';

export interface StoredBudget extends Budget {
  readonly source: BudgetSource;
  readonly since: number;
  readonly createdBy: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a rig was told of a budget last. */
export interface ToldTerms {
  readonly amount: number;
  readonly spent: number;
  readonly reserved: number;
}

/** Budgets of the town and what each rig holds of them. */
export class BudgetStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(id: string): StoredBudget | null {
    return this.#read('WHERE id = ?', id)[0] ?? null;
  }

  all(): readonly StoredBudget[] {
    return this.#read('');
  }

  #read(where: '' | 'WHERE id = ?', ...args: readonly string[]): readonly StoredBudget[] {
    return this.#sql
      .all(
        `SELECT ${BUDGET_COLUMNS}, source, since, created_by, created_at, updated_at FROM budgets ${where} ORDER BY id`,
        ...args,
      )
      .map((row) => ({
        ...budgetFromRow(row),
        source: row['source'] === 'config' ? 'config' : 'command',
        since: int(row['since']),
        createdBy: text(row['created_by']),
        createdAtMs: int(row['created_at']),
        updatedAtMs: int(row['updated_at']),
      }));
  }

  /** In the order of asking. A rig that was removed before it told its account never will: nobody waits for it. */
  parts(id: string): readonly BudgetPart[] {
    return this.#sql
      .all(
        `SELECT ${PART_COLUMNS} FROM budget_parts WHERE budget_id = ? AND (reported = 1 OR rig NOT IN
          (SELECT name FROM rigs WHERE json_extract(config, '$.removed') IS NOT NULL)) ORDER BY asked_at, rig`,
        id,
      )
      .map(budgetPartFromRow);
  }

  told(id: string): BudgetTold {
    const row = this.#sql.all('SELECT told FROM budgets WHERE id = ?', id)[0];
    return BUDGET_TOLD[int(row?.['told'] ?? 0)] ?? 'no';
  }

  terms(id: string, rig: string): ToldTerms | null {
    const row = this.#sql.all('SELECT terms FROM budget_parts WHERE budget_id = ? AND rig = ?', id, rig)[0];
    return row === undefined || row['terms'] === null ? null : json<ToldTerms>(row['terms']);
  }

  /** Rigs of the town whose work it counts. */
  rigsOf(budget: Budget): readonly string[] {
    const rigs = this.#sql.all(
      `SELECT name, prefix FROM rigs WHERE json_extract(config, '$.removed') IS NULL ORDER BY name`,
    );
    const { scope } = budget;
    return rigs
      .filter(
        (row) =>
          isShared(scope) || scope === `rig:${text(row['name'])}` || scope.startsWith(`bead:${text(row['prefix'])}-`),
      )
      .map((row) => text(row['name']));
  }
}

/** Changes of them; each marks the budget, so that its rule looks again. */
export class BudgetWriter {
  readonly #sql: Sql;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  put(budget: Budget, by: { readonly source: BudgetSource; readonly actor: string; readonly since: number }): void {
    this.#sql.all(
      `INSERT INTO budgets (id, scope, unit, kind, amount, source, since, created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, source = excluded.source, updated_at = excluded.updated_at`,
      budget.id,
      budget.scope,
      budget.unit,
      budget.kind,
      budget.amount,
      by.source,
      by.since,
      by.actor,
      this.#nowMs,
      this.#nowMs,
    );
    this.#dirty(budgetRef(budget.id));
  }

  remove(id: string): void {
    this.#sql.all('DELETE FROM budget_parts WHERE budget_id = ?', id);
    this.#sql.all('DELETE FROM budgets WHERE id = ?', id);
  }

  /** What a rig says of its part; one that the town does not know any more says nothing. */
  account(id: string, rig: string, account: BudgetAccount): void {
    this.#sql.all(
      `UPDATE budget_parts SET heard = max(heard, ?), returned = max(returned, ?), spent = ?, reserved = ?, least = ?, waiting = ?, reported = 1,
          asked_at = CASE WHEN ? = 0 THEN 0 WHEN wanted = 0 THEN ? ELSE asked_at END, wanted = ? WHERE budget_id = ? AND rig = ? AND budget_id IN (SELECT id FROM budgets WHERE since = ?)`,
      account.granted,
      account.returned,
      account.spent,
      account.reserved,
      account.least,
      account.waiting ? 1 : 0,
      account.wanted,
      this.#nowMs,
      account.wanted,
      id,
      rig,
      account.since,
    );
    this.#dirty(budgetRef(id));
  }

  grant(id: string, rig: string, grant: { readonly granted: number; readonly terms: ToldTerms }): void {
    this.#sql.all(
      `INSERT INTO budget_parts (budget_id, rig, granted, terms) VALUES (?, ?, ?, ?)
        ON CONFLICT (budget_id, rig) DO UPDATE SET granted = max(granted, excluded.granted), terms = excluded.terms`,
      id,
      rig,
      grant.granted,
      JSON.stringify(grant.terms),
    );
    this.#dirty(budgetRef(id));
  }

  setTold(id: string, told: BudgetTold): void {
    this.#sql.all('UPDATE budgets SET told = ? WHERE id = ?', BUDGET_TOLD.indexOf(told), id);
    this.#dirty(budgetRef(id));
  }

  /** A rig comes back: what it never told of is told to it anew. */
  forgetUnreported(rig: string): void {
    this.#sql.all('DELETE FROM budget_parts WHERE rig = ? AND reported = 0', rig);
  }

  /** The rigs are others now: every budget may count their work. */
  touchAll(): void {
    for (const row of this.#sql.all('SELECT id FROM budgets')) this.#dirty(budgetRef(text(row['id'])));
  }
}

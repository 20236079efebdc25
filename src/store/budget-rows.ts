import { BUDGET_KINDS, BUDGET_UNITS, type Budget, type BudgetPart, type RigBudget } from '../core/budget.ts';
import type { QuotaWindow } from '../core/view.ts';
import type { SqlRow } from '../ports/sql.ts';
import { int, text, word } from './rows.ts';

export const BUDGET_COLUMNS = 'id, scope, unit, kind, amount';
export const RIG_BUDGET_COLUMNS: string = `${BUDGET_COLUMNS}, since, shared, granted, returned, wanted, least, waiting, town_spent, town_reserved`;
export const PART_COLUMNS = 'rig, granted, heard, returned, spent, reserved, wanted, least, waiting, reported';
export const QUOTA_COLUMNS =
  'id, account, model, opened_at, reported_at, resets_at, is_known, is_burst, strikes, reason, escalated';

export const budgetFromRow = (row: SqlRow): Budget => ({
  id: text(row['id']),
  scope: text(row['scope']),
  unit: word(BUDGET_UNITS, row['unit'], 'budgets.unit'),
  kind: word(BUDGET_KINDS, row['kind'], 'budgets.kind'),
  amount: int(row['amount']),
});

export const rigBudgetFromRow = (row: SqlRow): RigBudget => ({
  ...budgetFromRow(row),
  since: int(row['since']),
  shared: int(row['shared']) === 1,
  granted: int(row['granted']),
  returned: int(row['returned']),
  wanted: int(row['wanted']),
  least: int(row['least']),
  waiting: int(row['waiting']) === 1,
  townSpent: int(row['town_spent']),
  townReserved: int(row['town_reserved']),
});

export const budgetPartFromRow = (row: SqlRow): BudgetPart => ({
  rig: text(row['rig']),
  granted: int(row['granted']),
  heard: int(row['heard']),
  returned: int(row['returned']),
  spent: int(row['spent']),
  reserved: int(row['reserved']),
  wanted: int(row['wanted']),
  least: int(row['least']),
  waiting: int(row['waiting']) === 1,
  reported: int(row['reported']) === 1,
});

/** Stored as a number: how far telling people of it has come. */
export const TOLD = ['no', 'yes', 'other'] as const;

export const quotaFromRow = (row: SqlRow): QuotaWindow => ({
  scope: text(row['id']),
  account: text(row['account']),
  model: text(row['model']),
  openedAtMs: int(row['opened_at']),
  reportedAtMs: int(row['reported_at']),
  resetsAtMs: int(row['resets_at']),
  isKnown: int(row['is_known']) === 1,
  isBurst: int(row['is_burst']) === 1,
  strikes: int(row['strikes']),
  reason: text(row['reason']),
  told: word(TOLD, TOLD[int(row['escalated'])] ?? null, 'quota_windows.escalated'),
});

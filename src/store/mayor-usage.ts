import type { CostFilter, CostGroup } from '../core/money.ts';
import type { AttemptId } from '../core/model/ids.ts';
import { MAYOR } from '../core/model/mayor.ts';
import { NO_USAGE, type Usage } from '../core/usage.ts';
import type { Sql } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull, usageFromRow } from './rows.ts';

export function mayorUsage(sql: Sql, attempt: AttemptId): Usage {
  const [row] = sql.all(
    'SELECT tokens_in, tokens_out, tokens_cached, cost_micro_usd, usage_gap, used_model FROM usage WHERE attempt_id = ?',
    attempt,
  );
  return row === undefined ? NO_USAGE : usageFromRow(row);
}

export function setMayorUsage(sql: Sql, attempt: AttemptId, usage: Usage): void {
  sql.all(
    `INSERT INTO usage (attempt_id, tokens_in, tokens_out, tokens_cached, cost_micro_usd, usage_gap, used_model)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (attempt_id) DO UPDATE SET tokens_in = excluded.tokens_in, tokens_out = excluded.tokens_out,
        tokens_cached = excluded.tokens_cached, cost_micro_usd = excluded.cost_micro_usd, usage_gap = excluded.usage_gap,
        used_model = excluded.used_model`,
    attempt,
    usage.tokensIn,
    usage.tokensOut,
    usage.tokensCached,
    usage.microUsd,
    usage.gap ? 1 : 0,
    usage.model,
  );
}

/** Columns of what was used, by what may be asked; the mayor works for no convoy and on no bead. */
const KEYS: Readonly<Record<NonNullable<CostFilter['by']>, string>> = {
  rig: 'NULL',
  convoy: 'NULL',
  bead: 'NULL',
  agent: `'${MAYOR}'`,
  model: 'u.used_model',
  day: `date(a.started_at / 1000, 'unixepoch')`,
};

/** Outcomes of sessions that answered, or were asked to end. */
const NOT_WASTED = ['done', 'evicted'];

/** What the mayor's sessions used, like `costGroups` of a rig. Its work lands nowhere, so it is told as overhead. */
export function mayorCosts(
  sql: Sql,
  filter: CostFilter,
  engine: { readonly runtime: string; readonly model: string | null },
): readonly CostGroup[] {
  const rows = sql.all(
    `SELECT u.used_model AS used, a.outcome AS outcome, ${filter.by === undefined ? 'NULL' : KEYS[filter.by]} AS told_by,
        COUNT(*) AS attempts, coalesce(SUM(u.tokens_in), 0) AS tokens_in, coalesce(SUM(u.tokens_out), 0) AS tokens_out,
        coalesce(SUM(u.tokens_cached), 0) AS tokens_cached, SUM(u.cost_micro_usd) AS cost,
        SUM(a.running_at IS NOT NULL AND (u.cost_micro_usd IS NULL OR u.usage_gap = 1)) AS unknown_cost,
        SUM(a.running_at IS NOT NULL AND u.tokens_in IS NULL) AS unknown_tokens
      FROM attempts a LEFT JOIN usage u ON u.attempt_id = a.id WHERE a.started_at >= ? GROUP BY used, outcome, told_by`,
    filter.sinceMs ?? 0,
  );
  return rows.map((row) => {
    const outcome = textOrNull(row['outcome']);
    return {
      rig: MAYOR,
      runtime: engine.runtime,
      model: textOrNull(row['used']) ?? engine.model,
      waste: outcome === null || NOT_WASTED.includes(outcome) ? null : `mayor: ${outcome}`,
      key: filter.by === 'rig' ? MAYOR : row['told_by'] === null ? null : text(row['told_by']),
      sum: {
        attempts: int(row['attempts']),
        tokensIn: int(row['tokens_in']),
        tokensOut: int(row['tokens_out']),
        tokensCached: int(row['tokens_cached']),
        microUsd: intOrNull(row['cost']),
        unknownCost: int(row['unknown_cost']),
        unknownTokens: int(row['unknown_tokens']),
        reservedMicroUsd: 0,
        reservedTokens: 0,
        assumedMicroUsd: 0,
        assumedTokens: 0,
      },
    };
  });
}

import type { CostFilter, CostGroup } from '../core/money.ts';
import type { Sql } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull } from './rows.ts';

/** Outcomes of attempts whose work was taken. */
const TAKEN = ['done', 'no_change'];

/** What the attempts of one rig used, grouped by what they were and what became of them. Reads as far back as is asked. */
export function costGroups(sql: Sql, rig: string, filter: CostFilter): readonly CostGroup[] {
  const rows = sql.all(
    `SELECT a.runtime AS runtime, coalesce(used_model, a.model) AS used, a.outcome AS outcome,
        (s.status = 'failed' OR s.close_reason = 'cancelled') AS lost, COUNT(*) AS attempts,
        coalesce(SUM(tokens_in), 0) AS tokens_in, coalesce(SUM(tokens_out), 0) AS tokens_out, coalesce(SUM(tokens_cached), 0) AS tokens_cached,
        SUM(cost_micro_usd) AS cost, SUM(running_at IS NOT NULL AND (cost_micro_usd IS NULL OR usage_gap = 1)) AS unknown_cost,
        SUM(running_at IS NOT NULL AND tokens_in IS NULL) AS unknown_tokens,
        coalesce(SUM(reserved_micro_usd), 0) AS reserved_usd, coalesce(SUM(reserved_tokens), 0) AS reserved_tokens,
        SUM(assumed_micro_usd) AS assumed_usd, SUM(assumed_tokens) AS assumed_tokens
      FROM attempts a JOIN beads s ON s.id = a.source_bead_id
      WHERE started_at >= ? AND (? IS NULL OR a.convoy_id = ?) AND (? IS NULL OR a.source_bead_id = ? OR a.bead_id = ?)
      GROUP BY a.runtime, used, a.outcome, lost`,
    filter.sinceMs ?? 0,
    filter.convoy ?? null,
    filter.convoy ?? null,
    filter.bead ?? null,
    filter.bead ?? null,
    filter.bead ?? null,
  );
  return rows.map((row) => ({
    rig,
    runtime: text(row['runtime']),
    model: textOrNull(row['used']),
    waste: wasteOf(textOrNull(row['outcome']), row['lost'] === 1),
    sum: {
      attempts: int(row['attempts']),
      tokensIn: int(row['tokens_in']),
      tokensOut: int(row['tokens_out']),
      tokensCached: int(row['tokens_cached']),
      microUsd: intOrNull(row['cost']),
      unknownCost: int(row['unknown_cost']),
      unknownTokens: int(row['unknown_tokens']),
      reservedMicroUsd: int(row['reserved_usd']),
      reservedTokens: int(row['reserved_tokens']),
      assumedMicroUsd: int(row['assumed_usd']),
      assumedTokens: int(row['assumed_tokens']),
    },
  }));
}

function wasteOf(outcome: string | null, isLost: boolean): string | null {
  if (outcome === null) return null;
  if (!TAKEN.includes(outcome)) return outcome;
  return isLost ? 'not_merged' : null;
}

/** Changes that reached their target, of the same selection. */
export function mergedCount(sql: Sql, filter: CostFilter): number {
  const row = sql.all(
    `SELECT COUNT(*) AS n FROM beads m JOIN beads s ON s.id = m.parent_id
      WHERE m.type = 'merge_request' AND m.close_reason = 'merged' AND m.closed_at >= ? AND (? IS NULL OR s.convoy_id = ?) AND (? IS NULL OR s.id = ?)`,
    filter.sinceMs ?? 0,
    filter.convoy ?? null,
    filter.convoy ?? null,
    filter.bead ?? null,
    filter.bead ?? null,
  )[0];
  return int(row?.['n']);
}

import { FREE_RUNTIMES } from '../core/estimate.ts';
import type { CostFilter, CostGroup, CostKey, CostSum } from '../core/money.ts';
import type { Sql } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull } from './rows.ts';

/** Outcomes of attempts whose work was taken. */
const TAKEN = ['done', 'no_change'];

/** Columns of what was used, by what may be asked. */
const KEYS: Readonly<Record<CostKey | 'none', string>> = {
  none: 'NULL',
  // The caller knows it; one database is one rig.
  rig: 'NULL',
  convoy: 'convoy',
  bead: 'source',
  agent: 'agent',
  model: 'model',
  day: `date(started_at / 1000, 'unixepoch')`,
};

/** What the attempts of one rig used, grouped by what they were and what became of them. Reads as far back as is asked. */
export function costGroups(sql: Sql, rig: string, filter: CostFilter): readonly CostGroup[] {
  const { sinceMs = 0, convoy = null, bead = null } = filter;
  const chosen = [sinceMs, convoy, convoy, bead, bead, bead];
  const rows = sql.all(
    `WITH used AS (
        SELECT a.runtime AS runtime, coalesce(a.used_model, a.model) AS model, a.outcome AS outcome,
          (s.status = 'failed' OR s.close_reason = 'cancelled') AS lost, a.tokens_in AS tokens_in, a.tokens_out AS tokens_out,
          a.tokens_cached AS tokens_cached, a.cost_micro_usd AS cost, a.usage_gap AS gap, a.running_at AS running_at,
          a.reserved_micro_usd AS reserved_usd, a.reserved_tokens AS reserved_tokens, a.assumed_micro_usd AS assumed_usd, a.assumed_tokens AS assumed_tokens,
          a.convoy_id AS convoy, a.source_bead_id AS source, a.agent_id AS agent, a.started_at AS started_at
        FROM attempts a JOIN beads s ON s.id = a.source_bead_id
        WHERE a.started_at >= ? AND (? IS NULL OR a.convoy_id = ?) AND (? IS NULL OR a.source_bead_id = ? OR a.bead_id = ?)
        UNION ALL
        SELECT c ->> 'runtime', coalesce(c ->> 'used_model', c ->> 'model'), c ->> 'outcome', lost, c ->> 'tokens_in', c ->> 'tokens_out',
          c ->> 'tokens_cached', c ->> 'cost_micro_usd', coalesce(c ->> 'usage_gap', 0), c ->> 'running_at', 0, 0,
          c ->> 'assumed_micro_usd', c ->> 'assumed_tokens', c ->> 'convoy_id', c ->> 'source_bead_id', c ->> 'agent_id', c ->> 'started_at'
        FROM (SELECT r.content AS c, a.lost AS lost FROM archive a JOIN archive_rows r ON r.source_bead_id = a.source_bead_id AND r.part = 'attempts'
          WHERE a.ended_at >= ?)
        WHERE c ->> 'started_at' >= ? AND (? IS NULL OR c ->> 'convoy_id' = ?) AND (? IS NULL OR c ->> 'source_bead_id' = ? OR c ->> 'bead_id' = ?)
      )
      SELECT runtime, model AS used, outcome, lost, ${KEYS[filter.by ?? 'none']} AS told_by, COUNT(*) AS attempts,
        coalesce(SUM(tokens_in), 0) AS tokens_in, coalesce(SUM(tokens_out), 0) AS tokens_out, coalesce(SUM(tokens_cached), 0) AS tokens_cached,
        SUM(cost) AS cost, SUM(running_at IS NOT NULL AND (cost IS NULL OR gap = 1)) AS unknown_cost,
        SUM(running_at IS NOT NULL AND tokens_in IS NULL) AS unknown_tokens, SUM(gap = 1) AS gaps,
        coalesce(SUM(reserved_usd), 0) AS reserved_usd, coalesce(SUM(reserved_tokens), 0) AS reserved_tokens,
        SUM(assumed_usd) AS assumed_usd, SUM(assumed_tokens) AS assumed_tokens
      FROM used GROUP BY runtime, used, outcome, lost, told_by`,
    ...chosen,
    sinceMs,
    ...chosen,
  );
  return rows.map((row) => ({
    rig,
    runtime: text(row['runtime']),
    model: textOrNull(row['used']),
    waste: wasteOf(textOrNull(row['outcome']), row['lost'] === 1),
    key: filter.by === 'rig' ? rig : textOrNull(row['told_by']),
    sum: {
      attempts: int(row['attempts']),
      tokensIn: int(row['tokens_in']),
      tokensOut: int(row['tokens_out']),
      tokensCached: int(row['tokens_cached']),
      ...knownOf(text(row['runtime']), {
        microUsd: intOrNull(row['cost']),
        unknownCost: int(row['unknown_cost']),
        unknownTokens: int(row['unknown_tokens']),
        gaps: int(row['gaps']),
      }),
      reservedMicroUsd: int(row['reserved_usd']),
      reservedTokens: int(row['reserved_tokens']),
      assumedMicroUsd: int(row['assumed_usd']),
      assumedTokens: int(row['assumed_tokens']),
    },
  }));
}

/** A recipe that says nothing used nothing: that is known. One that names a model without a price is not. */
const knownOf = (
  runtime: string,
  { gaps, ...said }: Pick<CostSum, 'microUsd' | 'unknownCost' | 'unknownTokens'> & { readonly gaps: number },
): Pick<CostSum, 'microUsd' | 'unknownCost' | 'unknownTokens'> =>
  FREE_RUNTIMES.has(runtime)
    ? { microUsd: said.microUsd ?? (gaps > 0 ? null : 0), unknownCost: gaps, unknownTokens: 0 }
    : said;

function wasteOf(outcome: string | null, isLost: boolean): string | null {
  if (outcome === null) return null;
  if (!TAKEN.includes(outcome)) return outcome;
  return isLost ? 'not_merged' : null;
}

/** Changes that reached their target, of the same selection. */
export function mergedCount(sql: Sql, filter: CostFilter): number {
  const { sinceMs = 0, convoy = null, bead = null } = filter;
  const chosen = [sinceMs, convoy, convoy, bead, bead];
  const row = sql.all(
    `SELECT (SELECT COUNT(*) FROM beads m JOIN beads s ON s.id = m.parent_id
        WHERE m.type = 'merge_request' AND m.close_reason = 'merged' AND m.closed_at >= ? AND (? IS NULL OR s.convoy_id = ?) AND (? IS NULL OR s.id = ?))
      + (SELECT COUNT(*) FROM archived_beads m JOIN archive s ON s.source_bead_id = m.source_bead_id
        WHERE m.merged_at >= ? AND (? IS NULL OR s.convoy_id = ?) AND (? IS NULL OR s.source_bead_id = ?)) AS n`,
    ...chosen,
    ...chosen,
  )[0];
  return int(row?.['n']);
}

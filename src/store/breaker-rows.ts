import { breakerScope, type BreakerScope } from '../core/model/breaker.ts';
import type { BreakerFacts } from '../core/view.ts';
import type { SqlRow } from '../ports/sql.ts';
import { int, intOrNull, text, textOrNull } from './rows.ts';

export const BREAKERS =
  'SELECT scope, failures, retry_at, opened_at, reason, escalated FROM breakers WHERE failures > 0 ORDER BY scope';
export const BREAKER_BY_SCOPE =
  'SELECT scope, failures, retry_at, opened_at, reason, escalated FROM breakers WHERE scope = ?';

export const breakerFromRow = (row: SqlRow): BreakerFacts => ({
  scope: breakerScope(text(row['scope'])),
  failures: int(row['failures']),
  retryAtMs: int(row['retry_at']),
  openedAtMs: intOrNull(row['opened_at']),
  reason: textOrNull(row['reason']),
  escalated: int(row['escalated']) === 1,
});

/** Of a scope in which nothing failed there is no row. */
export const closedBreaker = (scope: BreakerScope): BreakerFacts => ({
  scope,
  failures: 0,
  retryAtMs: 0,
  openedAtMs: null,
  reason: null,
  escalated: false,
});

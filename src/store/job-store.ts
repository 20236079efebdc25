import type { JobTrouble } from '../core/model/job-trouble.ts';
import type { Sql } from '../ports/sql.ts';
import { int, text } from './rows.ts';

/** Why an order to a runner is not done yet; null: it is done, or nothing failed so far. */
export function jobTrouble(sql: Sql, jobKey: string): JobTrouble | null {
  const row = sql.all(
    `SELECT tries, error, next_at FROM outbox WHERE key = ? AND state = 'pending' AND error IS NOT NULL`,
    `job:${jobKey}`,
  )[0];
  if (row === undefined) return null;
  return { tries: int(row['tries']), error: text(row['error']), nextAtMs: int(row['next_at']) };
}

/** What failed is due now: a person says so. What is in flight again is not begun beside itself. */
export const hurryJob = (sql: Sql, jobKey: string, nowMs: number): void => {
  sql.all(
    `UPDATE outbox SET next_at = ? WHERE key = ? AND state = 'pending' AND claimed = 0 AND error IS NOT NULL AND next_at > ?`,
    nowMs,
    `job:${jobKey}`,
    nowMs,
  );
};

/** Every order that failed is due now: what was in its way may be gone. */
export const hurryJobs = (sql: Sql, nowMs: number): void => {
  sql.all(
    `UPDATE outbox SET next_at = ? WHERE kind = 'job' AND state = 'pending' AND claimed = 0 AND error IS NOT NULL AND next_at > ?`,
    nowMs,
    nowMs,
  );
};

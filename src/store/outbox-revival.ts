import type { Sql } from '../ports/sql.ts';
import { int, text } from './rows.ts';

/** A pending effect that was tried and waits for its time: its back-off, or the poll of a job. */
export interface WaitingEffect {
  readonly key: string;
  readonly kind: string;
}

/**
 * After a restart of this side nothing is in flight any more, so what was is due at once. What was put back with a time
 * keeps it: a life may last seconds only, and "not before an hour" was not said to one life. Answers how many.
 */
export function reviveLost(sql: Sql, nowMs: number): number {
  return sql.all(
    `UPDATE outbox SET next_at = min(next_at, ?), claimed = 0 WHERE state = 'pending' AND claimed = 1 RETURNING seq`,
    nowMs,
  ).length;
}

/** Makes due at once what `isWanted` picks of the effects that wait for their time; one that is in flight is none. */
export function reviveWaiting(sql: Sql, nowMs: number, isWanted: (effect: WaitingEffect) => boolean): void {
  const waiting = sql.all(
    `SELECT seq, key, kind FROM outbox WHERE state = 'pending' AND claimed = 0 AND tries > 0 AND next_at > ? ORDER BY seq`,
    nowMs,
  );
  for (const row of waiting)
    if (isWanted({ key: text(row['key']), kind: text(row['kind']) }))
      sql.all('UPDATE outbox SET next_at = ? WHERE seq = ?', nowMs, int(row['seq']));
}

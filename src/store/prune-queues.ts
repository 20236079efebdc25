import type { Sql } from '../ports/sql.ts';

/** Deletes settled rows of an actor's queues that are older than `beforeMs`, a bounded number of each. */
export function pruneQueues(sql: Sql, beforeMs: number, batch: number): void {
  sql.all(
    `DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE state = 'applied' AND settled_at < ? LIMIT 0 + ?)`,
    beforeMs,
    batch,
  );
  sql.all(
    `DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE state <> 'pending' AND settled_at < ? LIMIT 0 + ?)`,
    beforeMs,
    batch,
  );
  sql.all(
    'DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE created_at < ? LIMIT 0 + ?)',
    beforeMs,
    batch,
  );
}

import type { Sql } from '../ports/sql.ts';

/** Deletes settled rows that are older than `beforeMs`, at most `batch` of each kind. True when more may be left. */
export function pruneQueues(sql: Sql, beforeMs: number, batch: number): boolean {
  const gone = [
    `DELETE FROM inbox WHERE seq IN (SELECT seq FROM inbox WHERE state = 'applied' AND settled_at < ? LIMIT 0 + ?) RETURNING seq`,
    `DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE state <> 'pending' AND settled_at < ? LIMIT 0 + ?) RETURNING seq`,
    'DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE created_at < ? LIMIT 0 + ?) RETURNING key',
  ].map((text) => sql.all(text, beforeMs, batch).length);
  return gone.includes(batch);
}

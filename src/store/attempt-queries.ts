import type { AttemptFilter, AttemptPlace } from '../core/model/attempt-filter.ts';
import { trusted, type RigName } from '../core/model/ids.ts';
import type { Sql } from '../ports/sql.ts';
import { int, text } from './rows.ts';

/**
 * Attempts of one rig, newest first, at most `limit`: those of beads that are not archived, a few thousand rows.
 */
export function newestAttempts(sql: Sql, rig: RigName, filter: AttemptFilter, limit: number): readonly AttemptPlace[] {
  const { bead = null, agent = null, sinceMs = 0, before } = filter;
  const at = before?.startedAtMs ?? Number.MAX_SAFE_INTEGER;
  const rows = sql.all(
    `SELECT id, bead_id, agent_id, started_at FROM attempts
      WHERE (started_at < ? OR (started_at = ? AND id < ?)) AND started_at >= ?
        AND (? IS NULL OR bead_id = ?) AND (? IS NULL OR agent_id = ?)
      ORDER BY started_at DESC, id DESC LIMIT 0 + ?`,
    at,
    at,
    before?.id ?? '',
    sinceMs,
    bead,
    bead,
    agent,
    agent,
    limit,
  );
  return rows.map((row) => ({
    id: trusted.attempt(text(row['id'])),
    bead: trusted.bead(text(row['bead_id'])),
    agent: trusted.agent(text(row['agent_id'])),
    rig,
    startedAtMs: int(row['started_at']),
  }));
}

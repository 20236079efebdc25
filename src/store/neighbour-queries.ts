import type { BeadId, ConvoyId } from '../core/model/ids.ts';
import type { EarlierSession, Neighbour } from '../core/work-context.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { int, text, textOrNull } from './rows.ts';

const neighbour = (row: SqlRow): Neighbour => ({
  id: text(row['id']),
  title: text(row['title']),
  state: textOrNull(row['close_reason']) ?? text(row['status']),
});

/** Attempts that are looked at for sessions that ran; those that never started tell nothing. */
const ATTEMPTS_READ = 20;

/** The last sessions at a bead that ran and ended, oldest first. */
export function earlierSessions(sql: Sql, bead: BeadId, limit: number): readonly EarlierSession[] {
  const rows = sql.all(
    `SELECT agent_id, outcome, reason, claim_summary FROM
        (SELECT agent_id, outcome, reason, claim_summary, epoch, running_at FROM attempts
          WHERE bead_id = ? AND ended_at IS NOT NULL ORDER BY epoch DESC LIMIT 0 + ?)
      WHERE running_at IS NOT NULL ORDER BY epoch DESC LIMIT 0 + ?`,
    bead,
    ATTEMPTS_READ,
    limit,
  );
  return rows.toReversed().map((row) => ({
    agent: text(row['agent_id']),
    outcome: textOrNull(row['outcome']) ?? 'ended',
    reason: textOrNull(row['reason']),
    claim: textOrNull(row['claim_summary']),
  }));
}

/** Beads of this rig that a bead waited for, and that no longer hold it back. */
export function clearedBlockers(sql: Sql, bead: BeadId, limit: number): readonly Neighbour[] {
  return sql
    .all(
      `SELECT b.id, b.title, b.status, b.close_reason FROM blockers k JOIN beads b ON b.id = k.blocker_ref
        WHERE k.bead_id = ? AND k.state = 'cleared' ORDER BY b.id LIMIT 0 + ?`,
      bead,
      limit,
    )
    .map(neighbour);
}

/** Other beads of a convoy in this rig, in the order of its plan, and how many are not among them. */
export function convoyNeighbours(
  sql: Sql,
  convoy: ConvoyId,
  bead: BeadId,
  limit: number,
): { readonly others: readonly Neighbour[]; readonly more: number } {
  const rows = sql.all(
    `SELECT id, title, status, close_reason FROM beads WHERE convoy_id = ? AND id <> ?
      ORDER BY convoy_position LIMIT 0 + ?`,
    convoy,
    bead,
    limit,
  );
  const counted = sql.all('SELECT COUNT(*) AS n FROM beads WHERE convoy_id = ? AND id <> ?', convoy, bead)[0];
  return { others: rows.map(neighbour), more: int(counted?.['n']) - rows.length };
}

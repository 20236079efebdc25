import type { InvariantFacts } from '../core/invariants.ts';
import { MAILBOX, RESYNC } from '../core/refs.ts';
import type { Sql } from '../ports/sql.ts';
import { AGENT_COLUMNS, ATTEMPT_COLUMNS, BEAD_COLUMNS, REVIEW_COLUMNS } from './columns.ts';
import { KernelStore } from './kernel-store.ts';
import { SqlRigView } from './rig-view.ts';
import { agentFromRow, attemptFromRow, beadFromRow, int, readable, reviewFromRow, text } from './rows.ts';

/** Reads what the invariant checker looks at: live rows only, so its cost does not grow with history. What can't be read is quarantined already. */
export function readInvariantFacts(sql: Sql): InvariantFacts {
  const view = new SqlRigView(sql);
  const counts = sql.all(
    `SELECT bead_id, SUM(state = 'open') AS open, SUM(state = 'failed') AS failed FROM blockers
      WHERE bead_id IN (SELECT id FROM beads WHERE status IN ('open', 'in_progress', 'in_review')) GROUP BY bead_id`,
  );
  const live = sql.all(`SELECT ${BEAD_COLUMNS} FROM beads WHERE status IN ('open', 'in_progress', 'in_review')`);
  const beads = readable(live, beadFromRow);
  return {
    beads,
    unreadableBeads: live.length - beads.length,
    attempts: readable(
      sql.all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE ended_at IS NULL OR process_gone = 0`),
      attemptFromRow,
    ),
    agents: readable(sql.all(`SELECT ${AGENT_COLUMNS} FROM agents`), agentFromRow),
    reviews: readable(sql.all(`SELECT ${REVIEW_COLUMNS} FROM reviews WHERE step <> 'ended'`), reviewFromRow),
    blockerCounts: new Map(
      counts.map((row) => [text(row['bead_id']), { open: int(row['open']), failed: int(row['failed']) }]),
    ),
    mergedWithoutCommit: sql
      .all(
        `SELECT id FROM beads WHERE type = 'merge_request' AND close_reason = 'merged' AND (evidence IS NULL OR json_extract(evidence, '$.mergeSha') IS NULL) LIMIT 20`,
      )
      .map((row) => text(row['id'])),
    polecatsMax: view.hasConfig() ? view.config().polecatsMax : 0,
    breaker: view.breaker(),
    resyncDueAtMs: new KernelStore(sql).timer(RESYNC, 'rule'),
    lostEffects: sql
      .all(`SELECT key FROM outbox WHERE state = 'pending' AND next_at IS NULL`)
      .map((row) => text(row['key'])),
    mailExpiresAtMs: view.nextMailExpiry(),
    mailDueAtMs: new KernelStore(sql).timer(MAILBOX, 'rule'),
    pendingEvents: int(sql.all(`SELECT COUNT(*) AS n FROM inbox WHERE state = 'pending'`)[0]?.['n']),
    pendingEffects: int(sql.all(`SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending'`)[0]?.['n']),
    duplicateEpochs: sql
      .all('SELECT epoch FROM attempts WHERE ended_at IS NULL OR process_gone = 0 GROUP BY epoch HAVING COUNT(*) > 1')
      .map((row) => int(row['epoch'])),
  };
}

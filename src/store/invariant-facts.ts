import type { InvariantFacts } from '../core/invariants.ts';
import { MAILBOX, RESYNC } from '../core/refs.ts';
import type { Sql } from '../ports/sql.ts';
import { archivedInUse } from './archive-store.ts';
import { AGENT_COLUMNS, ATTEMPT_COLUMNS, BEAD_COLUMNS, REVIEW_COLUMNS } from './columns.ts';
import { KernelStore } from './kernel-store.ts';
import { checkMoney } from './money-facts.ts';
import { SqlRigView } from './rig-view.ts';
import { pullRecords } from './proposal-store.ts';
import { probedLeaders } from './train-store.ts';
import { agentFromRow, attemptFromRow, beadFromRow, int, readable, reviewFromRow, text } from './rows.ts';

/** An earlier reading, and the tables that were written since then. */
export interface EarlierFacts {
  readonly facts: InvariantFacts;
  readonly touched: ReadonlySet<string>;
}

/**
 * Reads what the invariant checker looks at: live rows only, so its cost does not grow with history. What can't be read
 * is quarantined already. Given an earlier reading, only the parts are read anew whose tables were written since.
 */
export function readInvariantFacts(sql: Sql, earlier: EarlierFacts | null = null): InvariantFacts {
  const part = <Read>(tables: readonly string[], read: (sql: Sql) => Read): Read | InvariantFacts =>
    earlier === null || tables.some((table) => earlier.touched.has(table)) ? read(sql) : earlier.facts;
  const { beads, unreadableBeads, blockerCounts, mergedWithoutCommit, beadCounts } = part(
    ['beads', 'blockers'],
    beadPart,
  );
  const { attempts, duplicateEpochs } = part(['attempts'], attemptPart);
  const { money } = part(['attempts', 'spending', 'budgets'], moneyPart);
  const { agents } = part(['agents'], agentPart);
  const { reviews } = part(['reviews'], reviewPart);
  const { probedLeaders: leaders } = part(['probes'], probePart);
  const { archivedInUse: inUse } = part(['archived_beads', 'beads', 'blockers', 'reviews'], archivePart);
  const { pulls } = part(['reviews', 'proposals', 'timers'], pullPart);
  const { polecatsMax, breakers } = part(['meta', 'breakers'], settingsPart);
  const { mailExpiresAtMs } = part(['mail'], mailPart);
  return {
    ...part(['timers', 'inbox', 'outbox'], queuePart),
    beads,
    unreadableBeads,
    blockerCounts,
    mergedWithoutCommit,
    beadCounts,
    archivedInUse: inUse,
    attempts,
    duplicateEpochs,
    money,
    agents,
    reviews,
    probedLeaders: leaders,
    pulls,
    polecatsMax,
    breakers,
    mailExpiresAtMs,
  };
}

type Part<Name extends keyof InvariantFacts> = Pick<InvariantFacts, Name>;

function beadPart(
  sql: Sql,
): Part<'beads' | 'unreadableBeads' | 'blockerCounts' | 'mergedWithoutCommit' | 'beadCounts'> {
  const counts = sql.all(
    `SELECT bead_id, SUM(state = 'open') AS open, SUM(state = 'failed') AS failed FROM blockers
      WHERE bead_id IN (SELECT id FROM beads WHERE status IN ('open', 'in_progress', 'in_review')) GROUP BY bead_id`,
  );
  const live = sql.all(`SELECT ${BEAD_COLUMNS} FROM beads WHERE status IN ('open', 'in_progress', 'in_review')`);
  const beads = readable(live, beadFromRow);
  return {
    beads,
    unreadableBeads: live.length - beads.length,
    blockerCounts: new Map(
      counts.map((row) => [text(row['bead_id']), { open: int(row['open']), failed: int(row['failed']) }]),
    ),
    mergedWithoutCommit: sql
      .all(
        `SELECT id FROM beads WHERE type = 'merge_request' AND close_reason = 'merged' AND (evidence IS NULL OR json_extract(evidence, '$.mergeSha') IS NULL) LIMIT 20`,
      )
      .map((row) => text(row['id'])),
    beadCounts: sql
      .all(
        `SELECT c.type AS type, c.status AS status, c.n AS counted,
            (SELECT COUNT(*) FROM beads b WHERE b.status = c.status AND b.type = c.type) AS found
          FROM bead_counts c WHERE c.status IN ('open', 'in_progress', 'in_review')`,
      )
      .map((row) => ({
        what: `${text(row['type'])} ${text(row['status'])}`,
        counted: int(row['counted']),
        found: int(row['found']),
      })),
  };
}

const moneyPart = (sql: Sql): Part<'money'> => ({ money: checkMoney(sql) });

/** Not one OR: that would read every attempt that there ever was. */
const LIVE_ATTEMPTS =
  'SELECT id FROM attempts WHERE ended_at IS NULL UNION SELECT id FROM attempts WHERE process_gone = 0';

function attemptPart(sql: Sql): Part<'attempts' | 'duplicateEpochs'> {
  return {
    attempts: readable(
      sql.all(`SELECT ${ATTEMPT_COLUMNS} FROM attempts WHERE id IN (${LIVE_ATTEMPTS})`),
      attemptFromRow,
    ),
    duplicateEpochs: sql
      .all(`SELECT epoch FROM attempts WHERE id IN (${LIVE_ATTEMPTS}) GROUP BY epoch HAVING COUNT(*) > 1`)
      .map((row) => int(row['epoch'])),
  };
}

const agentPart = (sql: Sql): Part<'agents'> => ({
  agents: readable(sql.all(`SELECT ${AGENT_COLUMNS} FROM agents WHERE status <> 'dead'`), agentFromRow),
});

const reviewPart = (sql: Sql): Part<'reviews'> => ({
  reviews: readable(sql.all(`SELECT ${REVIEW_COLUMNS} FROM reviews WHERE step <> 'ended'`), reviewFromRow),
});

const pullPart = (sql: Sql): Part<'pulls'> => ({ pulls: pullRecords(sql) });

const probePart = (sql: Sql): Part<'probedLeaders'> => ({ probedLeaders: probedLeaders(sql) });

function settingsPart(sql: Sql): Part<'polecatsMax' | 'breakers'> {
  const view = new SqlRigView(sql);
  return { polecatsMax: view.hasConfig() ? view.config().polecatsMax : 0, breakers: view.breakers() };
}

const archivePart = (sql: Sql): Part<'archivedInUse'> => ({ archivedInUse: archivedInUse(sql) });

const mailPart = (sql: Sql): Part<'mailExpiresAtMs'> => ({ mailExpiresAtMs: new SqlRigView(sql).nextMailExpiry() });

function queuePart(
  sql: Sql,
): Part<'resyncDueAtMs' | 'mailDueAtMs' | 'lostEffects' | 'pendingEvents' | 'pendingEffects'> {
  const kernel = new KernelStore(sql);
  return {
    resyncDueAtMs: kernel.timer(RESYNC, 'rule'),
    mailDueAtMs: kernel.timer(MAILBOX, 'rule'),
    lostEffects: sql
      .all(`SELECT key FROM outbox WHERE state = 'pending' AND next_at IS NULL`)
      .map((row) => text(row['key'])),
    pendingEvents: int(sql.all(`SELECT COUNT(*) AS n FROM inbox WHERE state = 'pending'`)[0]?.['n']),
    pendingEffects: int(sql.all(`SELECT COUNT(*) AS n FROM outbox WHERE state = 'pending'`)[0]?.['n']),
  };
}

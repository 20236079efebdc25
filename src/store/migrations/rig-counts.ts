import type { Migration } from '../migrate.ts';

const ADD = `INSERT INTO bead_counts (type, status, n) VALUES (NEW.type, NEW.status, 1) ON CONFLICT (type, status) DO UPDATE SET n = n + 1;`;
const TAKE = `UPDATE bead_counts SET n = n - 1 WHERE type = OLD.type AND status = OLD.status;`;

/** What is read all the time costs what is alive: counts that SQL keeps itself, and indexes over what lives. */
export const RIG_COUNTS: Migration = {
  id: 8,
  name: 'counts',
  statements: [
    `CREATE TABLE bead_counts (
      type TEXT NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL CHECK (n >= 0), PRIMARY KEY (type, status)
    ) STRICT, WITHOUT ROWID`,
    'INSERT INTO bead_counts (type, status, n) SELECT type, status, COUNT(*) FROM beads GROUP BY type, status',
    `CREATE TRIGGER beads_count_new AFTER INSERT ON beads BEGIN ${ADD} END`,
    `CREATE TRIGGER beads_count_moved AFTER UPDATE OF status ON beads WHEN NEW.status IS NOT OLD.status BEGIN ${TAKE} ${ADD} END`,
    `CREATE TRIGGER beads_count_gone AFTER DELETE ON beads BEGIN ${TAKE} END`,
    'CREATE INDEX beads_by_status ON beads (status, created_at, id)',
    'CREATE INDEX attempts_holding ON attempts (id) WHERE process_gone = 0',
    `CREATE INDEX inbox_aside ON inbox (seq) WHERE state = 'quarantined'`,
    'CREATE INDEX attempts_of_agent ON attempts (agent_id, epoch)',
    `CREATE INDEX agents_alive ON agents (created_at, id) WHERE status <> 'dead'`,
    `CREATE INDEX beads_merged_bare ON beads (id)
      WHERE type = 'merge_request' AND close_reason = 'merged' AND (evidence IS NULL OR json_extract(evidence, '$.mergeSha') IS NULL)`,
  ],
};

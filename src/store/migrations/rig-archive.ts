import type { Migration } from '../migrate.ts';

/** Where beads rest that ended long ago: by branch, a row of JSON for each row they had. Nothing live refers to them. */
export const RIG_ARCHIVE: Migration = {
  id: 9,
  name: 'archive',
  statements: [
    `CREATE TABLE archive (
      source_bead_id TEXT PRIMARY KEY, convoy_id TEXT, ended_at INTEGER NOT NULL, archived_at INTEGER NOT NULL, lost INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX archive_of_convoy ON archive (convoy_id) WHERE convoy_id IS NOT NULL',
    'CREATE INDEX archive_ended ON archive (ended_at)',
    `CREATE TABLE archive_rows (
      source_bead_id TEXT NOT NULL REFERENCES archive (source_bead_id), part TEXT NOT NULL, n INTEGER NOT NULL, content TEXT NOT NULL,
      PRIMARY KEY (source_bead_id, part, n)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE archived_beads (
      bead_id TEXT PRIMARY KEY, source_bead_id TEXT NOT NULL REFERENCES archive (source_bead_id), merged_at INTEGER
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX archived_beads_of ON archived_beads (source_bead_id)',
    'CREATE INDEX archived_merged ON archived_beads (merged_at) WHERE merged_at IS NOT NULL',
    'CREATE TABLE archived_counts (status TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0)) STRICT, WITHOUT ROWID',
    `CREATE TRIGGER beads_in_one_place BEFORE INSERT ON beads WHEN EXISTS (SELECT 1 FROM archived_beads WHERE bead_id = NEW.id)
      BEGIN SELECT RAISE(ABORT, 'archived bead: its id is in one place only'); END`,
    `CREATE INDEX beads_ended ON beads (closed_at, id) WHERE type = 'issue' AND branch_of IS NULL AND status IN ('closed', 'failed')`,
    `CREATE INDEX beads_pinned ON beads (pinned_agent) WHERE pinned_agent IS NOT NULL AND status IN ('open', 'in_progress', 'in_review')`,
    `CREATE INDEX blockers_failed_of ON blockers (blocker_ref, bead_id) WHERE state = 'failed'`,
  ],
};

import type { Migration } from '../migrate.ts';

/** Feature branches of convoys, landings, reverts, and beads that take the place of ended ones. */
export const RIG_CONVOY: Migration = {
  id: 6,
  name: 'convoy-landing',
  statements: [
    'ALTER TABLE beads ADD COLUMN aborted INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE beads ADD COLUMN reopens TEXT',
    'ALTER TABLE beads ADD COLUMN reopened_as TEXT',
    `CREATE UNIQUE INDEX beads_one_landing ON beads (convoy_id)
      WHERE kind = 'landing' AND (status IN ('open', 'in_progress', 'in_review') OR close_reason = 'merged')`,
    `CREATE TABLE features (
      branch TEXT PRIMARY KEY, convoy_id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, head_sha TEXT, step_key TEXT, reason TEXT,
      retry_at INTEGER, escalated INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX beads_of_target ON beads (target_branch) WHERE status IN ('open', 'in_progress', 'in_review')`,
    `CREATE TABLE reverts (
      bead_id TEXT PRIMARY KEY REFERENCES beads (id), convoy_id TEXT NOT NULL, commits TEXT NOT NULL, state TEXT NOT NULL, step_key TEXT,
      head_sha TEXT, reason TEXT, version INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID`,
  ],
};

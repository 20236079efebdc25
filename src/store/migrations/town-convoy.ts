import type { Migration } from '../migrate.ts';

/** Landings of convoys that land at once, and their reverts: one row per rig. */
export const TOWN_CONVOY: Migration = {
  id: 5,
  name: 'convoy-landing',
  statements: [
    'ALTER TABLE convoy_beads ADD COLUMN merge_target TEXT',
    `CREATE TABLE convoy_landings (
      convoy_id TEXT NOT NULL REFERENCES convoys (id), rig_id TEXT NOT NULL, position INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('waiting', 'ordered', 'failed', 'landed', 'nothing')), attempt INTEGER NOT NULL DEFAULT 0,
      bead_id TEXT, merge_sha TEXT, target TEXT, not_before INTEGER NOT NULL DEFAULT 0, reason TEXT, PRIMARY KEY (convoy_id, rig_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX convoy_landings_bead ON convoy_landings (bead_id) WHERE bead_id IS NOT NULL',
    `CREATE TABLE convoy_reverts (
      convoy_id TEXT NOT NULL REFERENCES convoys (id), rig_id TEXT NOT NULL, attempt INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ordered', 'reverted', 'nothing', 'failed')), bead_id TEXT, merge_sha TEXT, reason TEXT,
      created_by TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (convoy_id, rig_id)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX convoy_reverts_bead ON convoy_reverts (bead_id) WHERE bead_id IS NOT NULL',
  ],
};

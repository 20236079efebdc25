import type { Migration } from '../migrate.ts';

/** One revert per branch that a convoy landed on; the table before this one was never used. */
export const TOWN_REVERT: Migration = {
  id: 9,
  name: 'convoy-revert',
  statements: [
    'DROP TABLE convoy_reverts',
    `CREATE TABLE convoy_reverts (
      convoy_id TEXT NOT NULL REFERENCES convoys (id), rig_id TEXT NOT NULL, target TEXT NOT NULL, attempt INTEGER NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('ordered', 'reverted', 'nothing', 'failed')), bead_id TEXT, merge_sha TEXT, reason TEXT,
      created_by TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (convoy_id, rig_id, target)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX convoy_reverts_bead ON convoy_reverts (bead_id) WHERE bead_id IS NOT NULL',
  ],
};

import type { Migration } from '../migrate.ts';

/** Formulas attached to beads; progress belongs to the bead, so that the next attempt goes on at the same step. */
export const RIG_MOLECULES: Migration = {
  id: 11,
  name: 'molecules',
  statements: [
    'CREATE TABLE molecules (bead_id TEXT PRIMARY KEY REFERENCES beads (id), formula TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID',
    `CREATE TABLE molecule_steps (
      bead_id TEXT NOT NULL REFERENCES molecules (bead_id), number INTEGER NOT NULL, title TEXT NOT NULL, instructions TEXT NOT NULL,
      needs TEXT NOT NULL, required INTEGER NOT NULL,
      status TEXT NOT NULL DEFAULT 'open', summary TEXT, attempt_id TEXT, settled_at INTEGER, PRIMARY KEY (bead_id, number),
      CHECK ((status = 'open') = (settled_at IS NULL))
    ) STRICT, WITHOUT ROWID`,
    `CREATE TRIGGER molecule_steps_settled BEFORE UPDATE ON molecule_steps
      WHEN OLD.status <> 'open' AND (NEW.status IS NOT OLD.status OR NEW.summary IS NOT OLD.summary)
      BEGIN SELECT RAISE(ABORT, 'settled step: what came of it is final'); END`,
  ],
};

import type { Migration } from '../migrate.ts';

/** Rounds of the merge train: several entries at once, the runs of gates on their lists, and trees that passed. */
export const RIG_TRAIN: Migration = {
  id: 13,
  name: 'train',
  statements: [
    'ALTER TABLE reviews ADD COLUMN suspect TEXT',
    'ALTER TABLE reviews ADD COLUMN flakes INTEGER NOT NULL DEFAULT 0',
    // Gates that run now were ordered in another way; their entry is merged and tested once more.
    `UPDATE beads SET status = 'open', version = version + 1 WHERE id IN (SELECT bead_id FROM reviews WHERE step = 'gating')`,
    `UPDATE reviews SET step = 'queued', step_key = NULL, result = NULL, version = version + 1 WHERE step = 'gating'`,
    `UPDATE reviews SET position = 0 WHERE step IN ('preparing', 'pushing')`,
    'DROP INDEX reviews_one_step_per_target',
    `CREATE UNIQUE INDEX reviews_one_round_per_target ON reviews (target_branch, coalesce(position, 0)) WHERE step IN ('preparing', 'gating', 'pushing')`,
    `CREATE TABLE probes (
      key TEXT PRIMARY KEY, leader TEXT NOT NULL REFERENCES reviews (bead_id), number INTEGER NOT NULL, entries TEXT NOT NULL, target_sha TEXT NOT NULL,
      commit_sha TEXT NOT NULL, tree TEXT NOT NULL, gates TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('running', 'green', 'red', 'killed')),
      run TEXT, cached INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX probes_of ON probes (leader, number)',
    `CREATE TABLE tested_trees (
      tree TEXT NOT NULL, gates TEXT NOT NULL, tested_at INTEGER NOT NULL, PRIMARY KEY (tree, gates)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX tested_trees_age ON tested_trees (tested_at)',
    `CREATE TABLE trains (
      target TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'red')), reason TEXT,
      changed_by TEXT NOT NULL DEFAULT 'system', changed_at INTEGER NOT NULL DEFAULT 0, red_tree TEXT, retry_at INTEGER,
      entries INTEGER NOT NULL DEFAULT 0, bad INTEGER NOT NULL DEFAULT 0, runs INTEGER NOT NULL DEFAULT 0, flakes INTEGER NOT NULL DEFAULT 0,
      escalated INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
      CHECK (state <> 'paused' OR reason IS NOT NULL), CHECK ((state = 'red') = (retry_at IS NOT NULL))
    ) STRICT, WITHOUT ROWID`,
  ],
};

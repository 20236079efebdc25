import type { Migration } from '../migrate.ts';

/** Pull requests of merge requests with the strategy `pr`. */
export const RIG_PULLS: Migration = {
  id: 15,
  name: 'pulls',
  statements: [
    `CREATE TABLE proposals (
      bead_id TEXT PRIMARY KEY REFERENCES reviews (bead_id), number INTEGER, url TEXT, over INTEGER, seen TEXT, changed_at INTEGER NOT NULL, seen_head TEXT,
      said TEXT, look_error TEXT, silent_since INTEGER, waits_for TEXT, wait_reason TEXT, wait_since INTEGER, ready_at INTEGER,
      given TEXT NOT NULL DEFAULT '[]', tested_head TEXT, tested_at INTEGER, is_adopted INTEGER NOT NULL DEFAULT 0, asks INTEGER NOT NULL DEFAULT 0,
      retry_at INTEGER NOT NULL DEFAULT 0, CHECK ((number IS NULL) = (url IS NULL))
    ) STRICT, WITHOUT ROWID`,
    `CREATE INDEX proposals_silent ON proposals (silent_since) WHERE silent_since IS NOT NULL`,
    `CREATE INDEX proposals_people ON proposals (bead_id) WHERE waits_for = 'people'`,
    `CREATE UNIQUE INDEX reviews_one_proposal_per_branch ON reviews (branch) WHERE strategy = 'pr' AND step <> 'ended'`,
    `CREATE INDEX reviews_waiting ON reviews (target_branch) WHERE step IN ('queued', 'proposed')`,
  ],
};

/** When a pull request was looked at: that a foreign commit stayed is known by a look, not by the clock. */
export const RIG_PULL_LOOKS: Migration = {
  id: 16,
  name: 'pull_looks',
  statements: ['ALTER TABLE proposals ADD COLUMN looked_at INTEGER'],
};

/**
 * Where a number is, and which branch it comes from: the number alone is somebody else's at another place. What was seen
 * before is taken as ours and looked at anew.
 */
export const RIG_PULL_SITES: Migration = {
  id: 17,
  name: 'pull_sites',
  statements: [
    'ALTER TABLE proposals ADD COLUMN site TEXT',
    `UPDATE proposals SET seen = json_set(seen, '$.tag', '', '$.branch', (SELECT branch FROM reviews WHERE reviews.bead_id = proposals.bead_id))
      WHERE seen IS NOT NULL`,
  ],
};

/** When a forge was asked to merge, which only a later look settles; and the words of a cancel that waits for one. */
export const RIG_PULL_ASKS: Migration = {
  id: 18,
  name: 'pull_asks',
  statements: ['ALTER TABLE proposals ADD COLUMN asked_at INTEGER', 'ALTER TABLE proposals ADD COLUMN cancel TEXT'],
};

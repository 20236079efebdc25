import type { Migration } from '../migrate.ts';

/** The registry of runners. A serial is no secret: only with the town's key it makes a token. */
export const TOWN_RUNNERS: Migration = {
  id: 8,
  name: 'runners',
  statements: [
    `CREATE TABLE runners (
      id TEXT PRIMARY KEY, instance_id TEXT, url TEXT, state TEXT NOT NULL, last_seen_at INTEGER, capacity INTEGER, labels TEXT NOT NULL,
      versions TEXT NOT NULL, draining INTEGER NOT NULL DEFAULT 0, serial TEXT, next_serial TEXT, created_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
  ],
};

/** When a drain stops the agents that still run, as a person set it; a runner that is away hears of it when it is met. */
export const TOWN_DRAINS: Migration = {
  id: 12,
  name: 'drains',
  statements: ['ALTER TABLE runners ADD COLUMN drain_until INTEGER'],
};

/** What a rig knows of the town's runners, and at which of them an attempt is. */
export const RIG_RUNNERS: Migration = {
  id: 10,
  name: 'runners',
  statements: [
    `CREATE TABLE runners (id TEXT PRIMARY KEY, instance TEXT, state TEXT NOT NULL, capacity INTEGER, labels TEXT NOT NULL) STRICT, WITHOUT ROWID`,
    `ALTER TABLE attempts ADD COLUMN runner TEXT NOT NULL DEFAULT 'local'`,
  ],
};

/** The same for the mayor, whose sessions run at a runner of the town where there is none beside it. */
export const MAYOR_RUNNERS: Migration = {
  id: 3,
  name: 'runners',
  statements: RIG_RUNNERS.statements,
};

import type { Migration } from '../migrate.ts';

/** Budgets, and what each rig holds of them. */
export const TOWN_MONEY: Migration = {
  id: 6,
  name: 'money',
  statements: [
    `CREATE TABLE budgets (
      id TEXT PRIMARY KEY, scope TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, source TEXT NOT NULL, since INTEGER NOT NULL,
      told INTEGER NOT NULL DEFAULT 0, created_by TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE budget_parts (
      budget_id TEXT NOT NULL REFERENCES budgets (id) ON DELETE CASCADE, rig TEXT NOT NULL, granted INTEGER NOT NULL DEFAULT 0,
      returned INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL DEFAULT 0, reserved INTEGER NOT NULL DEFAULT 0,
      wanted INTEGER NOT NULL DEFAULT 0, least INTEGER NOT NULL DEFAULT 0, waiting INTEGER NOT NULL DEFAULT 0,
      asked_at INTEGER NOT NULL DEFAULT 0, reported INTEGER NOT NULL DEFAULT 0, terms TEXT, PRIMARY KEY (budget_id, rig)
    ) STRICT, WITHOUT ROWID`,
  ],
};

/** Which grant a rig has heard of. Those of before count as heard: a rig that has not says so with its next account. */
export const TOWN_GRANTS_HEARD: Migration = {
  id: 10,
  name: 'grants-heard',
  statements: [
    'ALTER TABLE budget_parts ADD COLUMN heard INTEGER NOT NULL DEFAULT 0',
    'UPDATE budget_parts SET heard = granted',
  ],
};

import type { Migration } from '../migrate.ts';

/** Which model an attempt says it used, whose quota it draws on, and what budgets and quota windows remember. */
export const RIG_USAGE: Migration = {
  id: 7,
  name: 'usage',
  statements: [
    'ALTER TABLE attempts ADD COLUMN used_model TEXT',
    'ALTER TABLE attempts ADD COLUMN quota_scope TEXT',
    'CREATE INDEX attempts_of_quota ON attempts (quota_scope) WHERE process_gone = 0',
    'ALTER TABLE quota_windows ADD COLUMN reported_at INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE budgets ADD COLUMN least INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE budgets ADD COLUMN since INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE budgets ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0',
  ],
};

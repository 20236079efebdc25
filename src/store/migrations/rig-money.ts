import type { Migration } from '../migrate.ts';

/**
 * What attempts used and may use, closed quota windows, and what counts towards asking a person: starts that failed,
 * gates that fail alike or are killed. Sums are kept beside the attempts so that no dispatch reads history.
 */
export const RIG_MONEY: Migration = {
  id: 4,
  name: 'money',
  statements: [
    'ALTER TABLE beads ADD COLUMN start_failures INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE reviews ADD COLUMN gate_signature TEXT',
    'ALTER TABLE reviews ADD COLUMN gate_kills INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN tokens_cached INTEGER',
    'ALTER TABLE attempts ADD COLUMN usage_gap INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN reserved_tokens INTEGER',
    'ALTER TABLE attempts ADD COLUMN estimate_tokens INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN estimate_micro_usd INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN assumed_tokens INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN assumed_micro_usd INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE attempts ADD COLUMN convoy_id TEXT',
    'ALTER TABLE attempts ADD COLUMN quota TEXT',
    'CREATE INDEX attempts_started ON attempts (started_at)',
    'CREATE INDEX attempts_reserving ON attempts (id) WHERE reserved_tokens > 0 OR reserved_micro_usd > 0',
    `CREATE TABLE spending (
      scope TEXT PRIMARY KEY, tokens INTEGER NOT NULL DEFAULT 0, micro_usd INTEGER NOT NULL DEFAULT 0,
      reserved_tokens INTEGER NOT NULL DEFAULT 0, reserved_micro_usd INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE usage_averages (
      runtime TEXT NOT NULL, model TEXT NOT NULL, kind TEXT NOT NULL, samples INTEGER NOT NULL, tokens INTEGER, micro_usd INTEGER,
      PRIMARY KEY (runtime, model, kind)
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE budgets (
      id TEXT PRIMARY KEY, scope TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL, shared INTEGER NOT NULL,
      granted INTEGER NOT NULL DEFAULT 0, returned INTEGER NOT NULL DEFAULT 0, wanted INTEGER NOT NULL DEFAULT 0, told TEXT,
      town_spent INTEGER NOT NULL DEFAULT 0, town_reserved INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE quota_windows (
      id TEXT PRIMARY KEY, account TEXT NOT NULL, model TEXT NOT NULL, opened_at INTEGER NOT NULL, resets_at INTEGER NOT NULL,
      is_known INTEGER NOT NULL, is_burst INTEGER NOT NULL, strikes INTEGER NOT NULL, reason TEXT NOT NULL, escalated INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID`,
  ],
};

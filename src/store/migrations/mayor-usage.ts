import type { Migration } from '../migrate.ts';

/** What the mayor's sessions said to have used. A row of its own: a session that said nothing has none. */
export const MAYOR_USAGE: Migration = {
  id: 2,
  name: 'usage',
  statements: [
    `CREATE TABLE usage (
      attempt_id TEXT PRIMARY KEY REFERENCES attempts (id), tokens_in INTEGER, tokens_out INTEGER, tokens_cached INTEGER,
      cost_micro_usd INTEGER, usage_gap INTEGER NOT NULL DEFAULT 0, used_model TEXT
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX attempts_started ON attempts (started_at)',
  ],
};

import type { Migration } from '../migrate.ts';

/** At what the train saw its targets, and what rewrites of them left behind. */
export const RIG_TIPS: Migration = {
  id: 21,
  name: 'tips',
  statements: [
    `CREATE TABLE target_tips (target TEXT PRIMARY KEY, tip TEXT NOT NULL, former TEXT NOT NULL DEFAULT '[]') STRICT, WITHOUT ROWID`,
    'ALTER TABLE reviews ADD COLUMN may_revive TEXT',
  ],
};

import type { Migration } from '../migrate.ts';

/** How the process of an attempt was shut in, as its runner said; null: it never ran, or ran before this was recorded. */
export const RIG_ISOLATION: Migration = {
  id: 12,
  name: 'isolation',
  statements: ['ALTER TABLE attempts ADD COLUMN isolation TEXT'],
};

import type { Migration } from '../migrate.ts';

/** Closing the pull requests of cancelled work. Those of before stay as their people left them. */
export const RIG_PULL_CLOSE: Migration = {
  id: 19,
  name: 'pull-close',
  statements: [
    'ALTER TABLE proposals ADD COLUMN open_asked INTEGER NOT NULL DEFAULT 0',
    'ALTER TABLE proposals ADD COLUMN closing TEXT',
    `UPDATE proposals SET closing = '{"state":"left","asks":0,"askedAtMs":0,"number":null,"mergeSha":null,"error":null,"isTold":true}'
      WHERE bead_id IN (SELECT bead_id FROM reviews WHERE step = 'ended')`,
  ],
};

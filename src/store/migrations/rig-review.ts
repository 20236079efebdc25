import type { Migration } from '../migrate.ts';

/** Which head the rig's review agent was asked about. */
export const RIG_REVIEW: Migration = {
  id: 14,
  name: 'review-agent',
  statements: ['ALTER TABLE reviews ADD COLUMN review_asked TEXT'],
};

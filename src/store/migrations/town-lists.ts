import type { Migration } from '../migrate.ts';

/** What is read all the time costs what is open. */
export const TOWN_LISTS: Migration = {
  id: 7,
  name: 'lists',
  statements: [
    'CREATE INDEX escalations_open_newest ON escalations (created_at) WHERE resolved_at IS NULL',
    `CREATE INDEX convoys_live_oldest ON convoys (created_at, id) WHERE status NOT IN ('landed', 'failed', 'cancelled')`,
    'CREATE INDEX mail_unread_newest ON mail (id) WHERE read_at IS NULL AND ended_at IS NULL',
    'CREATE INDEX escalations_ended_armed ON escalations (id) WHERE resolved_at IS NOT NULL AND next_escalation_at IS NOT NULL',
  ],
};

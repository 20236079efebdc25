import type { Migration } from '../migrate.ts';
import { MAIL_TABLES } from './mail.ts';

/** Mail, nudges, the GUPP ladder and questions to people. Flags live with the attempt that they judge, and end with it. */
export const RIG_TALK: Migration = {
  id: 2,
  name: 'talk',
  statements: [
    ...MAIL_TABLES,
    'ALTER TABLE attempts ADD COLUMN gupp_rung INTEGER',
    'ALTER TABLE attempts ADD COLUMN gupp_since INTEGER',
    'ALTER TABLE attempts ADD COLUMN gupp_at INTEGER',
    'ALTER TABLE attempts ADD COLUMN question TEXT',
    'ALTER TABLE attempts ADD COLUMN asked_at INTEGER',
    `CREATE TABLE nudges (
      id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, agent_id TEXT NOT NULL, attempt_id TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
      mode TEXT NOT NULL CHECK (mode IN ('immediate', 'wait-idle', 'queue')),
      state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'queued', 'expired')),
      created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, settled_at INTEGER
    ) STRICT`,
    'CREATE INDEX nudges_of ON nudges (attempt_id, created_at)',
  ],
};

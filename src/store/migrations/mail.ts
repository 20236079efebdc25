/** The mailbox of an actor: of a rig for its agents, of the town for people. */
export const MAIL_TABLES: readonly string[] = [
  `CREATE TABLE mail (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, recipient TEXT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL, reply_to TEXT, created_at INTEGER NOT NULL, delivered_at INTEGER, delivered_attempt TEXT,
    read_at INTEGER, expires_at INTEGER NOT NULL, ended_at INTEGER, end_reason TEXT,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
  ) STRICT`,
  'CREATE INDEX mail_unread ON mail (recipient, id) WHERE read_at IS NULL AND ended_at IS NULL',
  'CREATE INDEX mail_expiry ON mail (expires_at) WHERE read_at IS NULL AND ended_at IS NULL',
  'CREATE INDEX mail_of ON mail (recipient, id)',
  'CREATE INDEX mail_age ON mail (created_at)',
];

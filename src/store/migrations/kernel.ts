/** Tables that every actor has. See docs/decisions/0002-one-transaction-per-turn.md for how they work together. */
export const KERNEL_TABLES: readonly string[] = [
  'CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
  `CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, type TEXT NOT NULL, subject TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'applied', 'quarantined')),
    tries INTEGER NOT NULL DEFAULT 0, retry_at INTEGER NOT NULL DEFAULT 0, error TEXT, created_at INTEGER NOT NULL, settled_at INTEGER
  ) STRICT`,
  `CREATE INDEX inbox_pending ON inbox (seq) WHERE state = 'pending'`,
  `CREATE INDEX inbox_settled ON inbox (settled_at) WHERE state = 'applied'`,
  `CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, lane TEXT NOT NULL, payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    next_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, error TEXT, created_at INTEGER NOT NULL, settled_at INTEGER
  ) STRICT`,
  `CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'pending'`,
  `CREATE INDEX outbox_lane ON outbox (lane, seq) WHERE state = 'pending'`,
  `CREATE INDEX outbox_settled ON outbox (settled_at) WHERE state <> 'pending'`,
  `CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, tick INTEGER NOT NULL, at INTEGER NOT NULL, entity TEXT NOT NULL, action TEXT NOT NULL,
    rule TEXT NOT NULL, reason TEXT NOT NULL, from_status TEXT, to_status TEXT
  ) STRICT`,
  'CREATE INDEX journal_entity ON journal (entity, seq)',
  'CREATE TABLE timers (entity TEXT NOT NULL, kind TEXT NOT NULL, due_at INTEGER NOT NULL, PRIMARY KEY (entity, kind)) STRICT, WITHOUT ROWID',
  'CREATE INDEX timers_due ON timers (due_at)',
  'CREATE TABLE channels (peer TEXT PRIMARY KEY, sent INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID',
  'CREATE TABLE answers (key TEXT PRIMARY KEY, response TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  'CREATE INDEX answers_age ON answers (created_at)',
];

/** Whether an effect is in flight, so that a new life takes up that and not what waits for a time. */
export const CLAIM_COLUMNS: readonly string[] = ['ALTER TABLE outbox ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0'];

/** The inputs of each turn that changed something; see docs/decisions/0011-replay.md. */
export const TURN_TABLES: readonly string[] = [
  'CREATE TABLE turns (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, journal_seq INTEGER NOT NULL, input TEXT NOT NULL) STRICT',
];

import type { Migration } from '../migrate.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES, TURN_TABLES } from './kernel.ts';
import { MAIL_TABLES } from './mail.ts';
import { MAYOR_RUNNERS } from './runners.ts';
import { MAYOR_USAGE } from './mayor-usage.ts';

/** An answer is final, and so is being given up: SQL holds it, so that no code path can change what somebody was told. */
const MESSAGE_SETTLED_ONCE = `CREATE TRIGGER messages_settled BEFORE UPDATE ON messages
  WHEN OLD.state IN ('answered', 'unanswered') AND (NEW.state IS NOT OLD.state OR NEW.reply IS NOT OLD.reply)
  BEGIN SELECT RAISE(ABORT, 'settled message: its answer is final'); END`;

const MESSAGE_GIVEN_ONCE = `CREATE TRIGGER messages_given BEFORE UPDATE ON messages
  WHEN OLD.sitting IS NOT NULL AND NEW.sitting IS NOT OLD.sitting
  BEGIN SELECT RAISE(ABORT, 'a message belongs to one sitting'); END`;

const ATTEMPT_ENDED_ONCE = `CREATE TRIGGER attempts_ended BEFORE UPDATE ON attempts
  WHEN OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NOT OLD.ended_at OR NEW.outcome IS NOT OLD.outcome)
  BEGIN SELECT RAISE(ABORT, 'ended attempt: its outcome is final'); END`;

export const MAYOR_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'mayor',
    statements: [
      ...KERNEL_TABLES,
      ...TURN_TABLES,
      ...MAIL_TABLES,
      `CREATE TABLE session (
        one INTEGER PRIMARY KEY CHECK (one = 1), wish TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0,
        escalated INTEGER NOT NULL DEFAULT 0, checkpoint TEXT
      ) STRICT`,
      `INSERT INTO session (one, wish) VALUES (1, 'running')`,
      `CREATE TABLE sittings (
        number INTEGER PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, opened_at INTEGER NOT NULL, closed_at INTEGER, outcome TEXT
      ) STRICT`,
      'CREATE UNIQUE INDEX sittings_one_open ON sittings ((closed_at IS NULL)) WHERE closed_at IS NULL',
      `CREATE TABLE messages (
        seq INTEGER PRIMARY KEY, sender TEXT NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', sitting INTEGER REFERENCES sittings (number),
        reply TEXT, replied_by TEXT, created_at INTEGER NOT NULL, settled_at INTEGER,
        CHECK ((state = 'waiting') = (sitting IS NULL)), CHECK ((state = 'answered') = (reply IS NOT NULL))
      ) STRICT`,
      `CREATE INDEX messages_open ON messages (seq) WHERE state IN ('waiting', 'shown')`,
      'CREATE INDEX messages_of ON messages (sitting) WHERE sitting IS NOT NULL',
      MESSAGE_SETTLED_ONCE,
      MESSAGE_GIVEN_ONCE,
      `CREATE TABLE attempts (
        id TEXT PRIMARY KEY, epoch INTEGER NOT NULL UNIQUE, sitting INTEGER NOT NULL REFERENCES sittings (number), started_at INTEGER NOT NULL,
        running_at INTEGER, ended_at INTEGER, outcome TEXT, reason TEXT, exit_record TEXT, process_gone INTEGER NOT NULL DEFAULT 0,
        runner_id TEXT, contact_lost_at INTEGER
      ) STRICT`,
      'CREATE UNIQUE INDEX attempts_one_live ON attempts ((ended_at IS NULL)) WHERE ended_at IS NULL',
      'CREATE UNIQUE INDEX attempts_one_process ON attempts (process_gone) WHERE process_gone = 0',
      'CREATE INDEX attempts_of_sitting ON attempts (sitting, epoch)',
      ATTEMPT_ENDED_ONCE,
    ],
  },
  MAYOR_USAGE,
  MAYOR_RUNNERS,
  { id: 4, name: 'claims', statements: CLAIM_COLUMNS },
];

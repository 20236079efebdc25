import type { Migration } from '../migrate.ts';
import { TOWN_LISTS } from './town-lists.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES, TURN_TABLES } from './kernel.ts';
import { TOWN_CONVOY } from './town-convoy.ts';
import { TOWN_REVERT } from './town-revert.ts';
import { TOWN_GRANTS_HEARD, TOWN_MONEY } from './town-money.ts';
import { TOWN_DRAINS, TOWN_RUNNERS } from './runners.ts';
import { TOWN_MAIL } from './town-mail.ts';

const CONVOY_CLOSED_FOR_EVER = `CREATE TRIGGER convoys_terminal BEFORE UPDATE ON convoys
  WHEN OLD.status IN ('landed', 'failed', 'cancelled') AND (NEW.status IS NOT OLD.status OR NEW.landed_at IS NOT OLD.landed_at)
  BEGIN SELECT RAISE(ABORT, 'terminal convoy: status is final'); END`;

export const TOWN_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'town',
    statements: [
      ...KERNEL_TABLES,
      `CREATE TABLE rigs (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, rig_do_id TEXT NOT NULL, git_url TEXT NOT NULL, default_branch TEXT NOT NULL,
        prefix TEXT NOT NULL UNIQUE, config TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE convoys (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL, total_beads INTEGER NOT NULL DEFAULT 0, closed_beads INTEGER NOT NULL DEFAULT 0,
        failed_beads INTEGER NOT NULL DEFAULT 0, cancelled_beads INTEGER NOT NULL DEFAULT 0, merge_mode TEXT NOT NULL, on_failure TEXT NOT NULL,
        start_when_ready INTEGER NOT NULL, feature_branch TEXT, landing_order TEXT, reason TEXT, created_by TEXT NOT NULL,
        version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, landed_at INTEGER
      ) STRICT`,
      `CREATE INDEX convoys_live ON convoys (id) WHERE status NOT IN ('landed', 'failed', 'cancelled')`,
      'CREATE INDEX convoys_created ON convoys (created_at, id)',
      CONVOY_CLOSED_FOR_EVER,
      `CREATE TABLE convoy_beads (
        convoy_id TEXT NOT NULL REFERENCES convoys (id), position INTEGER NOT NULL, bead_id TEXT, rig_id TEXT NOT NULL, title TEXT NOT NULL,
        status TEXT NOT NULL, depends_on TEXT NOT NULL, merge_sha TEXT, close_reason TEXT, PRIMARY KEY (convoy_id, position)
      ) STRICT, WITHOUT ROWID`,
      'CREATE UNIQUE INDEX convoy_beads_bead ON convoy_beads (convoy_id, bead_id) WHERE bead_id IS NOT NULL',
      `CREATE INDEX convoy_beads_by_bead ON convoy_beads (bead_id) WHERE bead_id IS NOT NULL`,
      `CREATE TABLE remote_waits (
        blocker_ref TEXT NOT NULL, rig_id TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'cleared', 'failed')),
        PRIMARY KEY (blocker_ref, rig_id)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE escalations (
        id TEXT PRIMARY KEY, source_rig_id TEXT NOT NULL, source_agent_id TEXT, severity TEXT NOT NULL, category TEXT, message TEXT NOT NULL,
        subject TEXT NOT NULL, cause_key TEXT NOT NULL, repeats INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0,
        re_escalation_count INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, acknowledged_at INTEGER, resolved_at INTEGER, next_escalation_at INTEGER
      ) STRICT`,
      'CREATE UNIQUE INDEX escalations_cause ON escalations (cause_key) WHERE resolved_at IS NULL',
      'CREATE INDEX escalations_created ON escalations (created_at)',
    ],
  },
  {
    id: 2,
    name: 'convoy-changes-escalation-routes-health',
    statements: [
      'ALTER TABLE convoys ADD COLUMN asked_about INTEGER NOT NULL DEFAULT 0',
      'ALTER TABLE convoy_beads ADD COLUMN batch INTEGER NOT NULL DEFAULT 0',
      'ALTER TABLE convoy_beads ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0',
      'ALTER TABLE convoy_beads ADD COLUMN started INTEGER NOT NULL DEFAULT 0',
      `UPDATE convoy_beads SET started = 1 WHERE convoy_id IN (SELECT id FROM convoys WHERE status NOT IN ('creating', 'staged'))`,
      `CREATE TABLE convoy_additions (
        convoy_id TEXT NOT NULL REFERENCES convoys (id), batch INTEGER NOT NULL, first_position INTEGER NOT NULL, size INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'refused')), reason TEXT, created_by TEXT NOT NULL, created_at INTEGER NOT NULL,
        PRIMARY KEY (convoy_id, batch)
      ) STRICT, WITHOUT ROWID`,
      'ALTER TABLE escalations ADD COLUMN acknowledged_by TEXT',
      'ALTER TABLE escalations ADD COLUMN resolved_by TEXT',
      'ALTER TABLE escalations ADD COLUMN resolution TEXT',
      'ALTER TABLE escalations ADD COLUMN decision TEXT',
      'CREATE INDEX escalations_open ON escalations (id) WHERE resolved_at IS NULL',
      `CREATE TABLE escalation_routes (
        escalation_id TEXT NOT NULL REFERENCES escalations (id), round INTEGER NOT NULL, route TEXT NOT NULL, severity TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'queued', 'sent', 'failed', 'off', 'skipped')), error TEXT,
        created_at INTEGER NOT NULL, settled_at INTEGER, PRIMARY KEY (escalation_id, round, route)
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE health (
        subject TEXT PRIMARY KEY, live INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'unknown', missed INTEGER NOT NULL DEFAULT 0,
        answered_at INTEGER, asked_at INTEGER, detail TEXT
      ) STRICT, WITHOUT ROWID`,
    ],
  },
  TOWN_MAIL,
  { id: 4, name: 'turns', statements: TURN_TABLES },
  TOWN_CONVOY,
  TOWN_MONEY,
  TOWN_LISTS,
  TOWN_RUNNERS,
  TOWN_REVERT,
  TOWN_GRANTS_HEARD,
  { id: 11, name: 'claims', statements: CLAIM_COLUMNS },
  TOWN_DRAINS,
];

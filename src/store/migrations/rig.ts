import type { Migration } from '../migrate.ts';
import { RIG_MONEY } from './rig-money.ts';
import { RIG_ARCHIVE } from './rig-archive.ts';
import { RIG_COUNTS } from './rig-counts.ts';
import { CLAIM_COLUMNS, KERNEL_TABLES, TURN_TABLES } from './kernel.ts';
import { RIG_PULL_CLOSE } from './rig-pull-close.ts';
import { RIG_TIPS } from './rig-tips.ts';
import { RIG_PULL_ASKS, RIG_PULL_LOOKS, RIG_PULL_SITES, RIG_PULLS } from './rig-pulls.ts';
import { RIG_RUNNERS } from './runners.ts';
import { RIG_ISOLATION } from './rig-isolation.ts';
import { RIG_MOLECULES } from './rig-molecules.ts';
import { RIG_CONVOY } from './rig-convoy.ts';
import { RIG_REVIEW } from './rig-review.ts';
import { RIG_TRAIN } from './rig-train.ts';
import { RIG_USAGE } from './rig-usage.ts';
import { RIG_TALK } from './rig-talk.ts';

/** What a terminal row may never change again; SQL holds it, so that no code path can (R4). */
const BEAD_CLOSED_FOR_EVER = `CREATE TRIGGER beads_terminal BEFORE UPDATE ON beads
  WHEN OLD.status IN ('closed', 'failed') AND (NEW.status IS NOT OLD.status OR NEW.close_reason IS NOT OLD.close_reason OR NEW.evidence IS NOT OLD.evidence)
  BEGIN SELECT RAISE(ABORT, 'terminal bead: status, close_reason and evidence are final'); END`;

const ATTEMPT_ENDED_ONCE = `CREATE TRIGGER attempts_ended BEFORE UPDATE ON attempts
  WHEN OLD.ended_at IS NOT NULL AND (NEW.ended_at IS NOT OLD.ended_at OR NEW.outcome IS NOT OLD.outcome)
  BEGIN SELECT RAISE(ABORT, 'ended attempt: its outcome is final'); END`;

export const RIG_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'rig',
    statements: [
      ...KERNEL_TABLES,
      `CREATE TABLE beads (
        id TEXT PRIMARY KEY, type TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, origin TEXT NOT NULL,
        priority TEXT NOT NULL, status TEXT NOT NULL, hold TEXT, hold_reason TEXT, parent_id TEXT, branch_of TEXT, convoy_id TEXT,
        convoy_position INTEGER, branch TEXT UNIQUE, target_branch TEXT NOT NULL, base_sha TEXT,
        open_blockers INTEGER NOT NULL DEFAULT 0 CHECK (open_blockers >= 0), failed_blockers INTEGER NOT NULL DEFAULT 0 CHECK (failed_blockers >= 0),
        not_before INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, last_signature TEXT, runtime TEXT, model TEXT, pinned_agent TEXT,
        queue_key INTEGER NOT NULL, dependents INTEGER NOT NULL DEFAULT 0, watched INTEGER NOT NULL DEFAULT 0, end_reported INTEGER NOT NULL DEFAULT 0,
        created_by TEXT NOT NULL, close_reason TEXT, evidence TEXT, cancel_requested_at INTEGER,
        escalated INTEGER NOT NULL DEFAULT 0,
        version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, closed_at INTEGER
      ) STRICT`,
      `CREATE INDEX beads_ready ON beads (queue_key, dependents DESC, id)
        WHERE type = 'issue' AND status = 'open' AND hold IS NULL AND open_blockers = 0 AND failed_blockers = 0`,
      `CREATE INDEX beads_live ON beads (status, id) WHERE status IN ('open', 'in_progress', 'in_review')`,
      `CREATE INDEX beads_rework ON beads (branch_of) WHERE branch_of IS NOT NULL AND status NOT IN ('closed', 'failed')`,
      'CREATE INDEX beads_branch_of ON beads (branch_of) WHERE branch_of IS NOT NULL',
      'CREATE UNIQUE INDEX beads_convoy ON beads (convoy_id, convoy_position) WHERE convoy_id IS NOT NULL',
      'CREATE INDEX beads_created ON beads (created_at, id)',
      `CREATE INDEX beads_merged ON beads (closed_at) WHERE type = 'merge_request' AND close_reason = 'merged'`,
      BEAD_CLOSED_FOR_EVER,
      `CREATE TABLE blockers (
        bead_id TEXT NOT NULL REFERENCES beads (id), blocker_ref TEXT NOT NULL, scope TEXT NOT NULL CHECK (scope IN ('local', 'remote')),
        state TEXT NOT NULL CHECK (state IN ('open', 'cleared', 'failed')), PRIMARY KEY (bead_id, blocker_ref)
      ) STRICT, WITHOUT ROWID`,
      `CREATE INDEX blockers_of ON blockers (blocker_ref, bead_id) WHERE state = 'open'`,
      `CREATE TABLE agents (
        id TEXT PRIMARY KEY, role TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL, hook_bead_id TEXT UNIQUE, epoch INTEGER NOT NULL DEFAULT 0,
        runner_id TEXT, lease_until INTEGER, last_activity_at INTEGER, last_event_type TEXT, active_tools TEXT NOT NULL DEFAULT '[]',
        status_message TEXT, checkpoint TEXT, version INTEGER NOT NULL DEFAULT 1, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
      ) STRICT`,
      `CREATE INDEX agents_idle ON agents (updated_at DESC) WHERE status = 'idle'`,
      `CREATE TABLE attempts (
        id TEXT PRIMARY KEY, bead_id TEXT NOT NULL REFERENCES beads (id), source_bead_id TEXT NOT NULL, agent_id TEXT NOT NULL REFERENCES agents (id),
        epoch INTEGER NOT NULL UNIQUE, runtime TEXT NOT NULL, model TEXT, round INTEGER NOT NULL, started_at INTEGER NOT NULL, running_at INTEGER,
        ended_at INTEGER, outcome TEXT, exit_code INTEGER, reason TEXT, signature TEXT, claimed_head TEXT, claimed_at INTEGER, claim_summary TEXT,
        claim TEXT, claim_refusal TEXT, head_sha TEXT, base_sha TEXT, late_head TEXT, exit_record TEXT, process_gone INTEGER NOT NULL DEFAULT 0,
        runner_id TEXT, contact_lost_at INTEGER, tokens_in INTEGER, tokens_out INTEGER, cost_micro_usd INTEGER, reserved_micro_usd INTEGER
      ) STRICT`,
      'CREATE UNIQUE INDEX attempts_one_live_per_bead ON attempts (bead_id) WHERE ended_at IS NULL',
      'CREATE UNIQUE INDEX attempts_one_process_per_lineage ON attempts (source_bead_id) WHERE process_gone = 0',
      'CREATE UNIQUE INDEX attempts_one_process_per_agent ON attempts (agent_id) WHERE process_gone = 0',
      'CREATE INDEX attempts_of_bead ON attempts (bead_id, epoch)',
      'CREATE INDEX attempts_of_lineage ON attempts (source_bead_id, epoch)',
      `CREATE INDEX attempts_unended ON attempts (id) WHERE ended_at IS NULL`,
      ATTEMPT_ENDED_ONCE,
      `CREATE TABLE reviews (
        bead_id TEXT PRIMARY KEY REFERENCES beads (id), source_bead_id TEXT NOT NULL UNIQUE, branch TEXT NOT NULL, target_branch TEXT NOT NULL,
        head_sha TEXT NOT NULL, target_sha TEXT, tested_tree TEXT, candidate_sha TEXT, merge_sha TEXT, strategy TEXT NOT NULL, step TEXT NOT NULL,
        step_key TEXT, result TEXT, rounds INTEGER NOT NULL DEFAULT 0, races INTEGER NOT NULL DEFAULT 0, queue_key INTEGER NOT NULL, queued_at INTEGER NOT NULL,
        deadline_at INTEGER, held_reason TEXT, gate_log TEXT, pr_url TEXT, pr_state TEXT, last_polled_at INTEGER, last_answer_at INTEGER,
        position INTEGER, batch_id TEXT, version INTEGER NOT NULL DEFAULT 1
      ) STRICT`,
      `CREATE INDEX reviews_queue ON reviews (target_branch, queue_key, bead_id) WHERE step = 'queued'`,
      `CREATE UNIQUE INDEX reviews_one_step_per_target ON reviews (target_branch) WHERE step IN ('preparing', 'gating', 'pushing')`,
      `CREATE INDEX reviews_open ON reviews (bead_id) WHERE step <> 'ended'`,
      `CREATE TABLE breakers (scope TEXT PRIMARY KEY, failures INTEGER NOT NULL, retry_at INTEGER NOT NULL, opened_at INTEGER, reason TEXT, escalated INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID`,
    ],
  },
  RIG_TALK,
  {
    id: 3,
    name: 'convoy-skip',
    statements: ['ALTER TABLE beads ADD COLUMN skip_failed INTEGER NOT NULL DEFAULT 0'],
  },
  RIG_MONEY,
  { id: 5, name: 'turns', statements: TURN_TABLES },
  RIG_CONVOY,
  RIG_USAGE,
  RIG_COUNTS,
  RIG_ARCHIVE,
  RIG_RUNNERS,
  RIG_MOLECULES,
  RIG_ISOLATION,
  RIG_TRAIN,
  RIG_REVIEW,
  RIG_PULLS,
  RIG_PULL_LOOKS,
  RIG_PULL_SITES,
  RIG_PULL_ASKS,
  RIG_PULL_CLOSE,
  { id: 20, name: 'claims', statements: CLAIM_COLUMNS },
  RIG_TIPS,
];

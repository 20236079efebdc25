import type { JobResult } from '../core/facts.ts';
import { trusted, type BeadId } from '../core/model/ids.ts';
import { type LandedCommit, REVERT_STATES, type Revert, type RevertState } from '../core/model/revert.ts';
import { beadRef, type Ref } from '../core/refs.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { int, json, text, textOrNull, word } from './rows.ts';

function revertFromRow(row: SqlRow, landed: readonly LandedCommit[]): Revert {
  const commits = json<readonly string[]>(row['commits']);
  const head = textOrNull(row['head_sha']);
  return {
    beadId: trusted.bead(text(row['bead_id'])),
    convoyId: trusted.convoy(text(row['convoy_id'])),
    commits,
    landed: landed.filter(({ sha }) => commits.includes(sha)),
    state: word(REVERT_STATES, row['state'], 'reverts.state'),
    stepKey: textOrNull(row['step_key']),
    headSha: head === null ? null : trusted.sha(head),
    reason: textOrNull(row['reason']),
    version: int(row['version']),
  };
}

export function readRevert(sql: Sql, bead: BeadId): Revert | null {
  const row = sql.all(
    'SELECT bead_id, convoy_id, commits, state, step_key, head_sha, reason, version FROM reverts WHERE bead_id = ?',
    bead,
  )[0];
  return row === undefined ? null : revertFromRow(row, landedOf(sql, text(row['convoy_id'])));
}

/** What a convoy's beads of this rig merged. */
const landedOf = (sql: Sql, convoy: string): readonly LandedCommit[] =>
  sql
    .all(
      `SELECT reviews.bead_id, reviews.head_sha, reviews.merge_sha
         FROM beads JOIN reviews ON reviews.source_bead_id = beads.id
        WHERE beads.convoy_id = ? AND reviews.merge_sha IS NOT NULL`,
      convoy,
    )
    .map((row) => ({
      sha: text(row['merge_sha']),
      mergeRequest: text(row['bead_id']),
      head: text(row['head_sha']),
    }));

interface Answer {
  readonly state: RevertState;
  readonly head: string | null;
  readonly reason: string | null;
}

/** What the runner's answer means for the revert. */
function meaning(result: JobResult): Answer {
  switch (result.result) {
    case 'reverted':
      return { state: 'made', head: result.head, reason: null };
    case 'nothing_to_revert':
      return { state: 'nothing', head: null, reason: result.message };
    case 'conflict': {
      const where = result.paths.length === 0 ? '' : ` It conflicts in ${result.paths.join(', ')}.`;
      return { state: 'conflict', head: null, reason: `${result.message}${where}` };
    }
    case 'refused':
      return { state: 'conflict', head: null, reason: result.message };
    default:
      return { state: 'conflict', head: null, reason: `the runner answered ${result.result}.` };
  }
}

/** Every write to the reverts of a rig; each is guarded and marks the bead to be looked at. */
export class RevertWriter {
  readonly #sql: Sql;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#dirty = dirty;
  }

  insert(bead: BeadId, convoy: string, commits: readonly string[]): void {
    this.#sql.all(
      `INSERT INTO reverts (bead_id, convoy_id, commits, state) VALUES (?, ?, ?, 'wanted')`,
      bead,
      convoy,
      JSON.stringify(commits),
    );
    this.#dirty(beadRef(bead));
  }

  step(
    bead: BeadId,
    step: { readonly from: RevertState; readonly to: RevertState; readonly key: string | null },
  ): void {
    const rows = this.#sql.all(
      'UPDATE reverts SET state = ?, step_key = ?, version = version + 1 WHERE bead_id = ? AND state = ? RETURNING bead_id',
      step.to,
      step.key,
      bead,
      step.from,
    );
    if (rows.length === 0) throw new GuardFailed(`the revert ${bead} is no longer ${step.from}`);
    this.#dirty(beadRef(bead));
    this.#dirty('schedule:');
  }

  /** The answer of the job that is under way. Says whether anybody waited for it. */
  answered(stepKey: string, result: JobResult): boolean {
    const { state, head, reason } = meaning(result);
    const rows = this.#sql.all(
      `UPDATE reverts SET state = ?, head_sha = ?, reason = ?, step_key = NULL, version = version + 1
        WHERE step_key = ? AND state = 'making' RETURNING bead_id`,
      state,
      head,
      reason,
      stepKey,
    );
    for (const row of rows) this.#dirty(beadRef(trusted.bead(text(row['bead_id']))));
    return rows.length > 0;
  }
}

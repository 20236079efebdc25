import { FEATURE_STATES, type Feature, type FeatureState } from '../core/model/feature.ts';
import { trusted, type Sha } from '../core/model/ids.ts';
import { trainRef, type Ref } from '../core/refs.ts';
import type { JobResult } from '../core/facts.ts';
import type { Sql, SqlRow } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { int, intOrNull, text, textOrNull, word } from './rows.ts';

const COLUMNS = 'branch, convoy_id, state, head_sha, step_key, reason, retry_at, escalated, version';

const featureFromRow = (row: SqlRow): Feature => {
  const head = textOrNull(row['head_sha']);
  return {
    branch: text(row['branch']),
    convoyId: trusted.convoy(text(row['convoy_id'])),
    state: word(FEATURE_STATES, row['state'], 'features.state'),
    headSha: head === null ? null : trusted.sha(head),
    stepKey: textOrNull(row['step_key']),
    reason: textOrNull(row['reason']),
    retryAtMs: intOrNull(row['retry_at']),
    escalated: int(row['escalated']) === 1,
    version: int(row['version']),
  };
};

export function readFeature(sql: Sql, branch: string): Feature | null {
  const row = sql.all(`SELECT ${COLUMNS} FROM features WHERE branch = ?`, branch)[0];
  return row === undefined ? null : featureFromRow(row);
}

/** Feature branches that somebody has to look at: being made, checked, or lost. */
export const busyFeatures = (sql: Sql): readonly string[] =>
  sql
    .all(`SELECT branch FROM features WHERE state IN ('wanted', 'checking', 'lost') ORDER BY branch`)
    .map((row) => text(row['branch']));

/** True while a live bead merges into this branch, or lands it. */
export const featureInUse = (sql: Sql, branch: string): boolean =>
  sql.all(
    `SELECT 1 AS one FROM beads WHERE status IN ('open', 'in_progress', 'in_review') AND target_branch = ?
      UNION ALL SELECT 1 FROM features f JOIN beads b ON b.convoy_id = f.convoy_id AND b.kind = 'landing'
        WHERE f.branch = ? AND b.status IN ('open', 'in_review') LIMIT 1`,
    branch,
    branch,
  ).length > 0;

/** Every write to the feature branches of a rig. Each marks the branch's train to be looked at. */
export class FeatureWriter {
  readonly #sql: Sql;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#dirty = dirty;
  }

  /** Names the branch of a convoy; nothing of it is made before it is wanted. */
  name(branch: string, convoy: string): void {
    this.#sql.all(
      `INSERT INTO features (branch, convoy_id, state) VALUES (?, ?, 'staged') ON CONFLICT DO NOTHING`,
      branch,
      convoy,
    );
  }

  /** Somebody needs it now: it is looked at before anything else happens with it. */
  want(convoy: string): void {
    const rows = this.#sql.all(
      `UPDATE features SET state = 'wanted', step_key = NULL, retry_at = NULL, version = version + 1 WHERE convoy_id = ? RETURNING branch`,
      convoy,
    );
    for (const row of rows) this.#dirty(trainRef(text(row['branch'])));
  }

  /** Its convoy starts: the branch is made before the first bead runs. */
  wantStaged(convoy: string): void {
    if (this.#sql.all(`SELECT 1 AS one FROM features WHERE convoy_id = ? AND state = 'staged'`, convoy).length > 0)
      this.want(convoy);
  }

  step(
    branch: string,
    step: {
      readonly from: FeatureState;
      readonly to: FeatureState;
      readonly stepKey: string | null;
      readonly reason: string | null;
      readonly retryAtMs: number | null;
    },
  ): void {
    const rows = this.#sql.all(
      `UPDATE features SET state = ?, step_key = ?, reason = coalesce(?, reason), retry_at = ?, version = version + 1
        WHERE branch = ? AND state = ? RETURNING branch`,
      step.to,
      step.stepKey,
      step.reason,
      step.retryAtMs,
      branch,
      step.from,
    );
    if (rows.length === 0) throw new GuardFailed(`${branch} is no longer ${step.from}`);
    this.#dirty(trainRef(branch));
  }

  /** The result of the check that is under way. Answers whether anybody waited for it. */
  checked(stepKey: string, result: JobResult): boolean {
    const ready = result.result === 'branch_ready';
    const rows = this.#sql.all(
      `UPDATE features SET state = ?, head_sha = coalesce(?, head_sha), reason = ?, step_key = NULL, retry_at = NULL, version = version + 1
        WHERE step_key = ? AND state = 'checking' RETURNING branch, convoy_id`,
      ready ? 'ready' : 'lost',
      ready ? result.head : null,
      ready ? null : result.result === 'refused' ? result.message : `unexpected answer ${result.result}`,
      stepKey,
    );
    for (const row of rows) this.#look(text(row['branch']), text(row['convoy_id']));
    return rows.length > 0;
  }

  /** The branch holds more than before: from now on this is what must not be lost. */
  advanced(branch: string, head: Sha): void {
    this.#sql.all('UPDATE features SET head_sha = ?, version = version + 1 WHERE branch = ?', head, branch);
  }

  markEscalated(branch: string, escalated: boolean): void {
    this.#sql.all(
      'UPDATE features SET escalated = ?, version = version + 1 WHERE branch = ?',
      escalated ? 1 : 0,
      branch,
    );
    this.#dirty(trainRef(branch));
  }

  /** Beads that wait for the branch are looked at, and its landing. */
  #look(branch: string, convoy: string): void {
    this.#dirty(trainRef(branch));
    this.#dirty('schedule:');
    for (const row of this.#sql.all(
      `SELECT id FROM beads WHERE convoy_id = ? AND kind = 'landing' AND status = 'open'`,
      convoy,
    ))
      this.#dirty(`bead:${text(row['id'])}`);
  }
}

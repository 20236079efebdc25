import { AGENT_TRANSITIONS, allows, beadTransitions } from '../core/transitions.ts';
import { AGEING_STEP_MS } from '../core/limits.ts';
import {
  isTerminal,
  sourceOf,
  type Bead,
  type BeadKind,
  type BeadStatus,
  type BeadType,
  type CloseReason,
  type Evidence,
  type Hold,
  type Origin,
  type Priority,
} from '../core/model/bead.ts';
import type { Agent, AgentStatus, Outcome } from '../core/model/agent.ts';
import {
  trusted,
  type AgentId,
  type AttemptId,
  type BeadId,
  type RunnerInstance,
  type Sha,
} from '../core/model/ids.ts';
import type { MergeStep } from '../core/model/review.ts';
import type { ExitRecord, JobResult } from '../core/facts.ts';
import type { ClaimState } from '../core/view.ts';
import { agentRef, attemptEntity, beadRef, SCHEDULE, trainRef, type Ref } from '../core/refs.ts';
import { must } from '../core/assert.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { GuardFailed } from './guard-failed.ts';
import { DISPATCH_SCOPE, type SqlRigView } from './rig-view.ts';
import { int, text } from './rows.ts';

/** Rank of a priority in the queue: lower goes first. */
const RANK: Readonly<Record<Priority, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/**
 * Orders a queue by one constant number: the time it entered, plus one ageing step for each class below critical. An
 * older entry therefore overtakes a newer one of the next higher class after `AGEING_STEP_MS`, and an index does it.
 */
export const queueKey = (priority: Priority, enteredAtMs: number): number =>
  enteredAtMs + RANK[priority] * AGEING_STEP_MS;

export interface NewBead {
  readonly id: BeadId;
  readonly type: BeadType;
  readonly kind: BeadKind;
  readonly title: string;
  readonly body: string;
  readonly origin: Origin;
  readonly priority: Priority;
  readonly hold: Hold | null;
  readonly holdReason: string | null;
  readonly parentId: BeadId | null;
  readonly branchOf: BeadId | null;
  readonly convoyId: string | null;
  readonly convoyPosition: number | null;
  readonly targetBranch: string;
  readonly runtime: string | null;
  readonly model: string | null;
  readonly pinnedAgent: string | null;
  readonly createdBy: string;
}

export interface NewAttempt {
  readonly id: AttemptId;
  readonly bead: Bead;
  readonly agent: AgentId;
  readonly epoch: number;
  readonly runtime: string;
  readonly model: string | null;
  readonly round: number;
  readonly runner: RunnerInstance | null;
}

export interface ReviewStep {
  readonly from: MergeStep;
  readonly to: MergeStep;
  readonly stepKey: string | null;
  readonly columns: Readonly<Record<string, SqlValue>>;
}

/** Every write to a rig's tables. Each is guarded; each marks what must be looked at again. */
export class RigWriter {
  readonly #sql: Sql;
  readonly #view: SqlRigView;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;

  constructor(sql: Sql, view: SqlRigView, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#view = view;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
  }

  #guarded(what: string, query: string, ...args: SqlValue[]): SqlRow {
    const row = this.#sql.all(query, ...args)[0];
    if (row === undefined) throw new GuardFailed(what);
    return row;
  }

  insertBead(bead: NewBead): void {
    this.#sql.all(
      `INSERT INTO beads (id, type, kind, title, body, origin, priority, status, hold, hold_reason, parent_id, branch_of, convoy_id, convoy_position,
        target_branch, runtime, model, pinned_agent, queue_key, created_by, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      bead.id,
      bead.type,
      bead.kind,
      bead.title,
      bead.body,
      bead.origin,
      bead.priority,
      bead.hold,
      bead.holdReason,
      bead.parentId,
      bead.branchOf,
      bead.convoyId,
      bead.convoyPosition,
      bead.targetBranch,
      bead.runtime,
      bead.model,
      bead.pinnedAgent,
      queueKey(bead.priority, this.#nowMs),
      bead.createdBy,
      this.#nowMs,
      this.#nowMs,
    );
    this.#touchBead(bead.id);
  }

  beadExists(id: string): boolean {
    return this.#sql.all('SELECT 1 AS one FROM beads WHERE id = ?', id).length > 0;
  }

  #touchBead(id: BeadId): void {
    this.#dirty(beadRef(id));
    this.#dirty(SCHEDULE);
  }

  /** The only way a bead changes status: table, compare-and-set on (status, version), trigger. Answers the row after. */
  transitionBead(
    bead: Bead,
    to: BeadStatus,
    end: { readonly closeReason: CloseReason | null; readonly evidence: Evidence | null },
  ): void {
    if (!allows(beadTransitions(bead.type, bead.kind), bead.status, to))
      throw new GuardFailed(`${bead.id}: ${bead.status} to ${to} is not in the table`);
    const closedAt = isTerminal(to) ? this.#nowMs : null;
    this.#guarded(
      `${bead.id} is no longer ${bead.status}`,
      `UPDATE beads SET status = ?, close_reason = ?, evidence = ?, closed_at = ?, updated_at = ?, version = version + 1
        WHERE id = ? AND status = ? AND version = ? RETURNING version`,
      to,
      end.closeReason,
      end.evidence === null ? null : JSON.stringify(end.evidence),
      closedAt,
      this.#nowMs,
      bead.id,
      bead.status,
      bead.version,
    );
    this.#touchBead(bead.id);
    this.#dirty(trainRef(bead.targetBranch));
    for (const attempt of this.#sql.all('SELECT id FROM attempts WHERE bead_id = ? AND ended_at IS NULL', bead.id))
      this.#dirty(`attempt:${text(attempt['id'])}`);
  }

  /** Changes columns that are not status; refused on a terminal bead. */
  updateBead(id: BeadId, columns: Readonly<Record<string, SqlValue>>): void {
    const names = Object.keys(columns);
    this.#guarded(
      `${id} is terminal or gone`,
      `UPDATE beads SET ${names.map((name) => `${name} = ?`).join(', ')}, updated_at = ?, version = version + 1
        WHERE id = ? AND status NOT IN ('closed', 'failed') RETURNING version`,
      ...names.map((name) => columns[name] ?? null),
      this.#nowMs,
      id,
    );
    this.#touchBead(id);
    const review = this.#view.review(id);
    if (review !== null) this.#dirty(trainRef(review.targetBranch));
  }

  markEndReported(id: BeadId): void {
    this.#guarded(
      `${id} was reported`,
      'UPDATE beads SET end_reported = 1 WHERE id = ? AND end_reported = 0 RETURNING id',
      id,
    );
  }

  markWatched(id: BeadId): void {
    this.#sql.all('UPDATE beads SET watched = 1 WHERE id = ?', id);
    this.#dirty(beadRef(id));
  }

  /** Adds one thing to wait for; `open_blockers` is kept equal to the open rows in the same statement pair. */
  addBlocker(bead: BeadId, ref: string, scope: 'local' | 'remote', state: 'open' | 'cleared' | 'failed'): void {
    const added = this.#sql.all(
      'INSERT INTO blockers (bead_id, blocker_ref, scope, state) VALUES (?, ?, ?, ?) ON CONFLICT (bead_id, blocker_ref) DO NOTHING RETURNING state',
      bead,
      ref,
      scope,
      state,
    );
    if (added.length === 0) return;
    if (scope === 'local') this.#sql.all('UPDATE beads SET dependents = dependents + 1 WHERE id = ?', ref);
    this.#recountBlockers(bead);
  }

  /** Idempotent: only open rows change. */
  resolveBlocker(bead: BeadId, ref: string, cleared: boolean): void {
    const changed = this.#sql.all(
      `UPDATE blockers SET state = ? WHERE bead_id = ? AND blocker_ref = ? AND state = 'open' RETURNING bead_id`,
      cleared ? 'cleared' : 'failed',
      bead,
      ref,
    );
    if (changed.length > 0) this.#recountBlockers(bead);
  }

  /** A person decided to go on in spite of a failed blocker. */
  forgiveBlocker(bead: BeadId, ref: string): void {
    this.#sql.all(
      `UPDATE blockers SET state = 'cleared' WHERE bead_id = ? AND blocker_ref = ? AND state = 'failed'`,
      bead,
      ref,
    );
    this.#recountBlockers(bead);
  }

  /** A bead of another rig got its id: from now on it is named by it. */
  renameBlocker(from: string, to: string): void {
    this.#sql.all(
      'UPDATE blockers SET blocker_ref = ? WHERE blocker_ref = ? AND NOT EXISTS (SELECT 1 FROM blockers b WHERE b.bead_id = blockers.bead_id AND b.blocker_ref = ?)',
      to,
      from,
      to,
    );
  }

  waitingFor(ref: string): readonly BeadId[] {
    return this.#view.dependents(trusted.bead(ref));
  }

  #recountBlockers(bead: BeadId): void {
    this.#sql.all(
      `UPDATE beads SET open_blockers = (SELECT COUNT(*) FROM blockers WHERE bead_id = beads.id AND state = 'open'),
        failed_blockers = (SELECT COUNT(*) FROM blockers WHERE bead_id = beads.id AND state = 'failed'), version = version + 1, updated_at = ?
        WHERE id = ?`,
      this.#nowMs,
      bead,
    );
    this.#touchBead(bead);
    const review = this.#view.review(bead);
    if (review !== null) this.#dirty(trainRef(review.targetBranch));
  }

  insertAgent(id: AgentId, name: string): void {
    this.#sql.all(
      `INSERT INTO agents (id, role, name, status, created_at, updated_at) VALUES (?, 'polecat', ?, 'idle', ?, ?)`,
      id,
      name,
      this.#nowMs,
      this.#nowMs,
    );
  }

  transitionAgent(agent: Agent, to: AgentStatus, columns: Readonly<Record<string, SqlValue>> = {}): void {
    if (!allows(AGENT_TRANSITIONS, agent.status, to))
      throw new GuardFailed(`${agent.id}: ${agent.status} to ${to} is not in the table`);
    const names = Object.keys(columns);
    this.#guarded(
      `${agent.id} is no longer ${agent.status}`,
      `UPDATE agents SET ${names.map((name) => `${name} = ?, `).join('')}status = ?, updated_at = ?, version = version + 1
        WHERE id = ? AND status = ? AND version = ? RETURNING version`,
      ...names.map((name) => columns[name] ?? null),
      to,
      this.#nowMs,
      agent.id,
      agent.status,
      agent.version,
    );
    this.#touchAgent(agent.id);
  }

  updateAgent(id: AgentId, columns: Readonly<Record<string, SqlValue>>): void {
    const names = Object.keys(columns);
    this.#sql.all(
      `UPDATE agents SET ${names.map((name) => `${name} = ?`).join(', ')}, version = version + 1 WHERE id = ?`,
      ...names.map((name) => columns[name] ?? null),
      id,
    );
    this.#dirty(agentRef(id));
  }

  unhook(id: AgentId): void {
    this.#sql.all(
      'UPDATE agents SET hook_bead_id = NULL, version = version + 1 WHERE id = ? AND hook_bead_id IS NOT NULL',
      id,
    );
    this.#touchAgent(id);
  }

  #touchAgent(id: AgentId): void {
    this.#dirty(agentRef(id));
    this.#dirty(SCHEDULE);
  }

  insertAttempt(attempt: NewAttempt): void {
    this.#sql.all(
      `INSERT INTO attempts (id, bead_id, source_bead_id, agent_id, epoch, runtime, model, round, started_at, runner_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      attempt.id,
      attempt.bead.id,
      sourceOf(attempt.bead),
      attempt.agent,
      attempt.epoch,
      attempt.runtime,
      attempt.model,
      attempt.round,
      this.#nowMs,
      attempt.runner,
    );
    this.#dirty(attemptEntity(attempt.id));
  }

  /** Columns of a live attempt; ended ones only take what proves their process gone. */
  updateAttempt(id: AttemptId, columns: Readonly<Record<string, SqlValue>>): void {
    const names = Object.keys(columns);
    const row = this.#guarded(
      `${id} is gone`,
      `UPDATE attempts SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ? RETURNING agent_id`,
      ...names.map((name) => columns[name] ?? null),
      id,
    );
    this.#dirty(attemptEntity(id));
    this.#dirty(`agent:${text(row['agent_id'])}`);
    this.#dirty(SCHEDULE);
  }

  setClaim(id: AttemptId, claim: ClaimState | null, columns: Readonly<Record<string, SqlValue>> = {}): void {
    this.updateAttempt(id, { ...columns, claim: claim === null ? null : JSON.stringify(claim) });
  }

  setExit(id: AttemptId, exit: ExitRecord): void {
    this.updateAttempt(id, { exit_record: JSON.stringify(exit), process_gone: 1, exit_code: exit.exitCode });
  }

  endAttempt(id: AttemptId, outcome: Outcome, reason: string, signature: string | null): void {
    const row = this.#guarded(
      `${id} has ended`,
      'UPDATE attempts SET ended_at = ?, outcome = ?, reason = ?, signature = ? WHERE id = ? AND ended_at IS NULL RETURNING agent_id',
      this.#nowMs,
      outcome,
      reason,
      signature,
      id,
    );
    this.#dirty(attemptEntity(id));
    this.#dirty(`agent:${text(row['agent_id'])}`);
    this.#dirty(SCHEDULE);
  }

  insertReview(review: {
    readonly id: BeadId;
    readonly source: Bead;
    readonly branch: string;
    readonly head: Sha;
  }): void {
    this.#sql.all(
      `INSERT INTO reviews (bead_id, source_bead_id, branch, target_branch, head_sha, strategy, step, queue_key, queued_at)
        VALUES (?, ?, ?, ?, ?, 'direct', 'queued', ?, ?)`,
      review.id,
      review.source.id,
      review.branch,
      review.source.targetBranch,
      review.head,
      queueKey(review.source.priority, this.#nowMs),
      this.#nowMs,
    );
    this.#dirty(trainRef(review.source.targetBranch));
    this.#dirty(beadRef(review.id));
  }

  /** Moves a merge request between steps; the result of the former step is consumed with it. */
  stepReview(id: BeadId, step: ReviewStep): void {
    const names = Object.keys(step.columns);
    const row = this.#guarded(
      `${id} is no longer ${step.from}`,
      `UPDATE reviews SET step = ?, step_key = ?, result = NULL, ${names.map((name) => `${name} = ?, `).join('')}version = version + 1
        WHERE bead_id = ? AND step = ? RETURNING target_branch`,
      step.to,
      step.stepKey,
      ...names.map((name) => step.columns[name] ?? null),
      id,
      step.from,
    );
    this.#dirty(beadRef(id));
    this.#dirty(trainRef(text(row['target_branch'])));
  }

  /** The result of the present step; a late one of an older step changes nothing. */
  setReviewResult(stepKey: string, result: JobResult): BeadId | null {
    const row = this.#sql.all(
      'UPDATE reviews SET result = ?, version = version + 1 WHERE step_key = ? RETURNING bead_id',
      JSON.stringify(result),
      stepKey,
    )[0];
    if (row === undefined) return null;
    const id = trusted.bead(text(row['bead_id']));
    this.#dirty(beadRef(id));
    return id;
  }

  setBreaker(failures: number, retryAtMs: number, reason: string): void {
    this.#sql.all(
      `INSERT INTO breakers (scope, failures, retry_at, opened_at, reason) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (scope) DO UPDATE SET failures = excluded.failures, retry_at = excluded.retry_at, reason = excluded.reason`,
      DISPATCH_SCOPE,
      failures,
      retryAtMs,
      this.#nowMs,
      reason,
    );
    this.#dirty(SCHEDULE);
  }

  resetBreaker(): boolean {
    const gone = this.#sql.all('DELETE FROM breakers WHERE scope = ? RETURNING failures', DISPATCH_SCOPE);
    if (gone.length > 0) this.#dirty(SCHEDULE);
    return gone.length > 0;
  }

  nextRound(mergeRequest: BeadId): number {
    return int(
      must(
        this.#sql.all('UPDATE reviews SET rounds = rounds + 1 WHERE bead_id = ? RETURNING rounds', mergeRequest)[0],
        'a rework has its merge request',
      )['rounds'],
    );
  }
}

import { AGENT_TRANSITIONS, allows, beadTransitions, MERGE_STEP_TRANSITIONS } from '../core/transitions.ts';
import { queueKey } from '../core/queue-key.ts';
import {
  isTerminal,
  sourceOf,
  type Bead,
  type BeadStatus,
  type CloseReason,
  type Evidence,
} from '../core/model/bead.ts';
import type { Agent, AgentStatus, Outcome } from '../core/model/agent.ts';
import { trusted, type AgentId, type AttemptId, type BeadId, type Sha } from '../core/model/ids.ts';
import type { MergeStrategy } from '../core/model/review.ts';
import type { ExitRecord, JobResult } from '../core/facts.ts';
import type { ClaimState } from '../core/view.ts';
import { agentRef, attemptEntity, beadRef, SCHEDULE, trainRef, type Ref } from '../core/refs.ts';
import { must } from '../core/assert.ts';
import type { Sql, SqlRow, SqlValue } from '../ports/sql.ts';
import { BlockerWriter } from './blocker-writer.ts';
import { FeatureWriter } from './feature-store.ts';
import { GuardFailed } from './guard-failed.ts';
import type { NewAttempt, NewBead, ReviewStep } from './new-rows.ts';
import { ProposalWriter } from './proposal-store.ts';
import { RevertWriter } from './revert-store.ts';
import type { BreakerScope } from '../core/model/breaker.ts';
import type { SqlRigView } from './rig-view.ts';
import { int, text } from './rows.ts';
import { SpendingStore } from './spending.ts';
import { TrainWriter } from './train-store.ts';

/** Every write to a rig's tables. Each is guarded; each marks what must be looked at again. */
export class RigWriter {
  readonly #sql: Sql;
  readonly #view: SqlRigView;
  readonly #nowMs: number;
  readonly #dirty: (ref: Ref) => void;
  readonly blockers: BlockerWriter;
  readonly features: FeatureWriter;
  readonly proposals: ProposalWriter;
  readonly reverts: RevertWriter;
  readonly spending: SpendingStore;
  readonly trains: TrainWriter;

  constructor(sql: Sql, view: SqlRigView, nowMs: number, dirty: (ref: Ref) => void) {
    this.#sql = sql;
    this.#view = view;
    this.#nowMs = nowMs;
    this.#dirty = dirty;
    this.features = new FeatureWriter(sql, dirty);
    this.proposals = new ProposalWriter(sql, nowMs, dirty);
    this.reverts = new RevertWriter(sql, dirty);
    this.spending = new SpendingStore(sql);
    this.trains = new TrainWriter(sql, nowMs, dirty);
    this.blockers = new BlockerWriter(sql, nowMs, (bead) => {
      this.#touchBead(bead);
      this.#touchTrainOf(bead);
    });
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
    return this.#sql.all('SELECT 1 AS one FROM beads WHERE id = ?', id).length > 0 || this.#view.archive.has(id);
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
    this.#touchTrainOf(id);
  }

  #touchTrainOf(mergeRequest: BeadId): void {
    const review = this.#view.review(mergeRequest);
    if (review !== null) this.#dirty(trainRef(review.targetBranch));
  }

  markEndReported(id: BeadId): void {
    this.#guarded(
      `${id} was reported`,
      'UPDATE beads SET end_reported = 1 WHERE id = ? AND end_reported = 0 RETURNING id',
      id,
    );
  }

  /** Remembers that an escalation about this bead is open, or no longer; allowed on a terminal bead. */
  markEscalated(id: BeadId, escalated: boolean): void {
    this.#sql.all('UPDATE beads SET escalated = ? WHERE id = ?', escalated ? 1 : 0, id);
  }

  /** Somebody else waits for its end: one that has ended is reported again. */
  markWatched(id: BeadId): void {
    this.#sql.all('UPDATE beads SET watched = 1, end_reported = 0 WHERE id = ?', id);
    this.#dirty(beadRef(id));
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
    this.spending.around(attempt.id, () => {
      this.#insertAttempt(attempt);
    });
    this.#dirty(attemptEntity(attempt.id));
  }

  #insertAttempt(attempt: NewAttempt): void {
    this.#sql.all(
      `INSERT INTO attempts (id, bead_id, source_bead_id, agent_id, epoch, runtime, model, round, started_at, runner_id, runner, convoy_id,
          quota_scope, estimate_tokens, estimate_micro_usd) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      attempt.id,
      attempt.bead.id,
      sourceOf(attempt.bead),
      attempt.agent,
      attempt.epoch,
      attempt.runtime,
      attempt.model,
      attempt.round,
      this.#nowMs,
      attempt.instance,
      attempt.runner,
      attempt.convoy,
      attempt.quotaScope,
      attempt.estimate.tokens,
      attempt.estimate.microUsd,
    );
  }

  /** What it said to have used, or that nothing of it is left: what it weighs in the sums follows. */
  weigh(id: AttemptId, columns: Readonly<Record<string, SqlValue>>): void {
    this.spending.around(id, () => {
      this.updateAttempt(id, columns);
    });
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
    this.weigh(id, { exit_record: JSON.stringify(exit), process_gone: 1, exit_code: exit.exitCode });
  }

  endAttempt(id: AttemptId, outcome: Outcome, reason: string, signature: string | null): void {
    const row = this.spending.around(id, () =>
      this.#guarded(
        `${id} has ended`,
        'UPDATE attempts SET ended_at = ?, outcome = ?, reason = ?, signature = ? WHERE id = ? AND ended_at IS NULL RETURNING agent_id',
        this.#nowMs,
        outcome,
        reason,
        signature,
        id,
      ),
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
    readonly strategy: MergeStrategy;
  }): void {
    this.#sql.all(
      `INSERT INTO reviews (bead_id, source_bead_id, branch, target_branch, head_sha, strategy, step, queue_key, queued_at)
        VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?)`,
      review.id,
      review.source.id,
      review.branch,
      review.source.targetBranch,
      review.head,
      review.strategy,
      queueKey(review.source.priority, this.#nowMs),
      this.#nowMs,
    );
    if (review.strategy === 'pr') this.proposals.insert(review.id);
    this.#dirty(trainRef(review.source.targetBranch));
    this.#dirty(beadRef(review.id));
  }

  /** The branch of a merge request that stays where it is, moved. */
  moveHead(id: BeadId, head: Sha): void {
    this.#guarded(
      `${id} is not waiting for rework`,
      `UPDATE reviews SET head_sha = ?, version = version + 1 WHERE bead_id = ? AND step = 'reworking' RETURNING bead_id`,
      head,
      id,
    );
    this.#dirty(beadRef(id));
  }

  /** Moves a merge request between steps; the result of the former step is consumed with it. */
  stepReview(id: BeadId, step: ReviewStep): void {
    if (!allows(MERGE_STEP_TRANSITIONS, step.from, step.to))
      throw new GuardFailed(`${id}: ${step.from} to ${step.to} is not in the table`);
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
      `UPDATE reviews SET result = ?, version = version + 1 WHERE step_key = ? AND step <> 'ended' RETURNING bead_id`,
      JSON.stringify(result),
      stepKey,
    )[0];
    if (row === undefined) return null;
    const id = trusted.bead(text(row['bead_id']));
    this.#dirty(beadRef(id));
    return id;
  }

  setBreaker(scope: BreakerScope, failures: number, retryAtMs: number, reason: string): void {
    this.#sql.all(
      `INSERT INTO breakers (scope, failures, retry_at, opened_at, reason) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (scope) DO UPDATE SET failures = excluded.failures, retry_at = excluded.retry_at, reason = excluded.reason`,
      scope,
      failures,
      retryAtMs,
      this.#nowMs,
      reason,
    );
    this.#dirty(SCHEDULE);
  }

  markBreakerEscalated(scope: BreakerScope): void {
    this.#sql.all('UPDATE breakers SET escalated = 1 WHERE scope = ?', scope);
  }

  /** False when there was nothing to close. */
  resetBreaker(scope: BreakerScope): boolean {
    const gone = this.#sql.all('DELETE FROM breakers WHERE scope = ? RETURNING failures', scope);
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

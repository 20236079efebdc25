import { scopeOfCause } from '../../core/rules/dispatch-breaker.ts';
import type { Decision, RigAction } from '../../core/actions.ts';
import type { RigToTown } from '../../core/messages.ts';
import { LEASE_RENEW_BEFORE_MS, MAILBOX_UNREAD_MAX, START_DEADLINE_MS } from '../../core/limits.ts';
import { must } from '../../core/assert.ts';
import { branchName } from '../../core/model/agent.ts';
import { sourceOf, type Bead } from '../../core/model/bead.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { queueKey } from '../../core/queue-key.ts';
import { agentRef, attemptEntity, beadRef, trainRef } from '../../core/refs.ts';
import { featureCause } from '../../core/rules/feature-branch.ts';
import { trainCause } from '../../core/rules/red-target.ts';
import { forgeCause } from '../../core/rules/pull-request.ts';
import { strategyFor } from '../../core/pull/strategy.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { SqlValue } from '../../ports/sql.ts';
import type { Turn } from '../kernel/turn.ts';
import { isPutAway, putAway, type PutAwayAction } from './put-away.ts';
import { account, isAccount, type AccountAction } from './account-actions.ts';
import { createRework } from './create-rework.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';
import { draws } from './rig-usage.ts';
import { backToRework, isPull, pullAction, startAnew, type PullAction } from './pull-steps.ts';
import { isRound, mergeStep, orderJob, roundAction, type RoundAction } from './rounds.ts';
import { revertStep } from './revert-messages.ts';
import { performTalk, type TalkAction } from './rig-talk-actions.ts';

type Of<Type extends RigAction['type']> = Extract<RigAction, { readonly type: Type }>;
type RigDecision = Decision<RigAction>;
/** A claim on its way to a verdict. */
type ClaimAction = Of<'verify_done' | 'promote_branch' | 'clear_claim'>;
/** A merge request on its way through the train. */
type ReviewAction = Of<
  'create_review' | 'advance_review' | 'create_rework' | 'start_merge' | 'merge_step' | 'feature_step' | 'revert_step'
>;
/** What others must hear: beads that wait, the town, people. */
type NewsAction = Of<'resolve_blocker' | 'send_message' | 'raise_escalation' | 'resolve_escalation'>;
type LastAction = NewsAction | AccountAction | PutAwayAction | TalkAction | RoundAction | PullAction;

const FEATURE_CAUSE = featureCause('');
const TRAIN_CAUSE = trainCause('');
const FORGE_CAUSE = forgeCause('');

/**
 * Lane of the effects that start and stop processes of one lineage at one runner: a stop that waits for a lost one must
 * not hold up the start elsewhere.
 */
const processLane = (source: BeadId, runner: string): string =>
  runner === LOCAL_RUNNER ? `process:${source}` : `process:${source}@${runner}`;
/** Carries out what rules decided: one guarded change per action, journalled with the rule and the reason. */
export class RigActions {
  readonly #rig: RigContext;

  constructor(rig: RigContext) {
    this.#rig = rig;
  }

  readonly apply = (turn: Turn, action: RigAction, decision: RigDecision): void => {
    const writer = this.#rig.writer(turn);
    const change = this.#perform(turn, writer, action);
    turn.journal({
      entity: change.entity,
      action: action.type,
      rule: decision.rule,
      reason: change.reason ?? decision.reason,
      from: change.from ?? null,
      to: change.to ?? null,
    });
  };

  #perform(turn: Turn, writer: RigWriter, action: RigAction): Change {
    switch (action.type) {
      case 'dispatch_agent':
        return this.#dispatch(turn, writer, action);
      case 'transition_bead':
        return this.#transitionBead(writer, action);
      case 'transition_agent':
      case 'unhook_agent':
        return this.#agentChange(writer, action);
      case 'end_attempt':
        writer.endAttempt(action.attempt, action.outcome, action.reason, action.signature);
        turn.kernel.settleEffect(`start:${action.attempt}`, 'done', 'the attempt ended', turn.nowMs);
        return { entity: attemptEntity(action.attempt), to: action.outcome, reason: action.reason };
      case 'declare_gone':
        writer.weigh(action.attempt, { process_gone: 1 });
        return { entity: attemptEntity(action.attempt) };
      case 'stop_agent':
        return this.#stop(turn, action);
      case 'reset_breaker':
      case 'trip_breaker':
        return breakerChange(writer, action);
      default:
        return this.#performMerge(turn, writer, action);
    }
  }

  #performMerge(turn: Turn, writer: RigWriter, action: ClaimAction | ReviewAction | LastAction): Change {
    switch (action.type) {
      case 'verify_done':
      case 'promote_branch':
        return this.#claimStep(turn, writer, action);
      case 'clear_claim':
        writer.setClaim(action.attempt, null, {
          claim_refusal: JSON.stringify({ code: action.code, message: action.message }),
        });
        return { entity: attemptEntity(action.attempt), to: 'claim refused', reason: action.message };
      case 'create_review':
        return this.#createReview(writer, action);
      case 'advance_review':
        return this.#advanceReview(turn, writer, action);
      case 'create_rework':
        return this.#createRework(writer, action);
      case 'start_merge':
      case 'merge_step':
        return mergeStep(this.#rig, turn, writer, action);
      case 'feature_step':
        return this.#featureStep(turn, writer, action);
      case 'revert_step':
        return revertStep(turn, writer, action);
      default:
        return this.#performNews(turn, writer, action);
    }
  }

  #performNews(turn: Turn, writer: RigWriter, action: LastAction): Change {
    switch (action.type) {
      case 'resolve_blocker':
        for (const dependent of action.dependents) writer.blockers.resolve(dependent, action.blocker, action.cleared);
        return { entity: beadRef(action.blocker), to: action.cleared ? 'cleared' : 'failed' };
      case 'send_message':
        return this.#sendMessage(turn, writer, action);
      case 'raise_escalation':
        remember(writer, action.causeKey);
        turn.send<RigToTown>('town', this.#rig.address, {
          type: 'escalation_raised',
          causeKey: action.causeKey,
          severity: action.severity,
          category: action.category,
          subject: action.subject,
          text: action.message,
        });
        return { entity: action.subject, to: action.severity, reason: action.message };
      case 'resolve_escalation':
        if (action.bead !== null) writer.markEscalated(action.bead, false);
        else markBranch(writer, action.causeKey, false);
        turn.send<RigToTown>('town', this.#rig.address, { type: 'escalation_resolved', causeKey: action.causeKey });
        return { entity: action.causeKey };
      default:
        return this.#performRest(turn, writer, action);
    }
  }

  #performRest(turn: Turn, writer: RigWriter, action: Exclude<LastAction, NewsAction>): Change {
    if (isRound(action)) return roundAction(this.#rig, turn, writer, action);
    if (isPull(action)) return pullAction(this.#rig, turn, writer, action);
    if (isPutAway(action)) return putAway(this.#rig, turn, writer, action);
    return isAccount(action) ? account(this.#rig, turn, writer, action) : performTalk(this.#rig, turn, writer, action);
  }

  #bead(id: BeadId): Bead {
    const bead = this.#rig.view.bead(id);
    if (bead === null) throw new GuardFailed(`${id} does not exist`);
    return bead;
  }

  #dispatch(turn: Turn, writer: RigWriter, action: Of<'dispatch_agent'>): Change {
    const { view } = this.#rig;
    const bead = this.#bead(action.bead);
    if (action.isNew) writer.insertAgent(action.agent, action.agent.slice(action.agent.lastIndexOf('/') + 1));
    const agent = view.agent(action.agent);
    if (agent === null || agent.status !== 'idle') throw new GuardFailed(`${action.agent} is not idle`);
    const config = view.config();
    const epoch = turn.kernel.nextCounter('epoch');
    const attempt = this.#rig.mintAttempt(turn.nowMs);
    writer.transitionBead(bead, 'in_progress', { closeReason: null, evidence: null });
    writer.insertAttempt({
      id: attempt,
      bead,
      agent: agent.id,
      epoch,
      runtime: bead.runtime ?? config.runtime,
      model: bead.model ?? config.model,
      round: action.round,
      runner: action.runner,
      instance: trusted.runner(view.runners().find((runner) => runner.id === action.runner)?.instance ?? 'unknown'),
      ...draws(view, bead),
    });
    // Its prompt shows what is unread now; what comes later waits for the agent to look.
    view.mail.markDelivered(view.mail.unread(agent.id, MAILBOX_UNREAD_MAX), attempt, turn.nowMs);
    writer.transitionAgent(agent, 'starting', {
      hook_bead_id: bead.id,
      epoch,
      lease_until: turn.nowMs + START_DEADLINE_MS,
      last_activity_at: turn.nowMs,
    });
    turn.effect({
      key: `start:${attempt}`,
      kind: 'start',
      lane: processLane(sourceOf(bead), action.runner),
      payload: { attempt },
    });
    turn.kernel.setTimer(attemptEntity(attempt), 'observe', turn.nowMs + START_DEADLINE_MS);
    return {
      entity: beadRef(bead.id),
      from: 'open',
      to: 'in_progress',
      reason: `to ${agent.id}, attempt ${attempt}, epoch ${String(epoch)}${action.runner === LOCAL_RUNNER ? '' : `, at ${action.runner}`}`,
    };
  }

  #transitionBead(writer: RigWriter, action: Of<'transition_bead'>): Change {
    const bead = this.#bead(action.bead);
    if (bead.status !== action.from) throw new GuardFailed(`${bead.id} is ${bead.status}, not ${action.from}`);
    writer.transitionBead(bead, action.to, {
      closeReason: action.closeReason ?? null,
      evidence: action.evidence ?? null,
    });
    const base = { entity: beadRef(bead.id), from: action.from, to: action.to };
    return action.closeReason === undefined
      ? base
      : {
          ...base,
          reason: `${action.closeReason}${action.evidence?.mergeSha === undefined ? '' : ` as ${action.evidence.mergeSha}`}`,
        };
  }

  #agentChange(writer: RigWriter, action: Of<'transition_agent' | 'unhook_agent'>): Change {
    if (action.type === 'unhook_agent') {
      writer.unhook(action.agent);
      return { entity: agentRef(action.agent) };
    }
    const agent = this.#rig.view.agent(action.agent);
    if (agent === null || agent.status !== action.from) throw new GuardFailed(`${action.agent} is not ${action.from}`);
    writer.transitionAgent(
      agent,
      action.to,
      action.to === 'idle' ? { lease_until: null, status_message: null, active_tools: '[]' } : {},
    );
    return { entity: agentRef(action.agent), from: action.from, to: action.to };
  }

  #stop(turn: Turn, action: Of<'stop_agent'>): Change {
    const attempt = must(this.#rig.view.attempt(action.attempt), 'a stopped attempt exists');
    turn.effect({
      key: `stop:${action.attempt}`,
      kind: 'stop',
      lane: processLane(attempt.sourceBeadId, attempt.runner),
      payload: { attempt: action.attempt, epoch: action.epoch, mode: action.mode },
      atMs: action.at,
    });
    return { entity: attemptEntity(action.attempt), to: action.mode };
  }

  #claimStep(turn: Turn, writer: RigWriter, action: Of<'verify_done' | 'promote_branch'>): Change {
    const attempt = must(this.#rig.view.attempt(action.attempt), 'a claimed attempt exists');
    writer.setClaim(action.attempt, { state: action.type === 'verify_done' ? 'verifying' : 'promoting', kind: 'done' });
    orderJob(turn, attempt.sourceBeadId, action.job);
    return { entity: attemptEntity(action.attempt), to: action.type === 'verify_done' ? 'verifying' : 'promoting' };
  }

  #createReview(writer: RigWriter, action: Of<'create_review'>): Change {
    const source = this.#bead(action.source);
    const branch = action.branch ?? branchName(source.id);
    const id = this.#rig.mintBead(writer);
    writer.insertBead({
      id,
      type: 'merge_request',
      kind: 'task',
      title: `Merge ${branch}: ${source.title}`.slice(0, 500),
      body: '',
      origin: 'system',
      priority: source.priority,
      hold: null,
      holdReason: null,
      parentId: source.id,
      branchOf: null,
      convoyId: null,
      convoyPosition: null,
      targetBranch: source.targetBranch,
      runtime: null,
      model: null,
      pinnedAgent: null,
      createdBy: 'system',
    });
    writer.insertReview({
      id,
      source,
      branch,
      head: action.head,
      strategy: strategyFor(this.#rig.view, source.targetBranch),
    });
    // A landing continues the convoy's branch, which a later landing may continue too.
    if (action.branch === undefined) writer.updateBead(source.id, { branch });
    return { entity: beadRef(source.id), to: id };
  }

  #advanceReview(turn: Turn, writer: RigWriter, action: Of<'advance_review'>): Change {
    const review = must(this.#rig.view.review(action.mergeRequest), 'an advanced merge request exists');
    if (review.step === 'confirming') backToRework(turn, writer, { review, mergeRequest: this.#bead(review.beadId) });
    else if (review.step !== 'reworking') throw new GuardFailed(`${review.beadId} is not waiting for rework`);
    writer.features.advanced(review.branch, action.head);
    startAnew(writer, review, action.head);
    if (!action.isLast) {
      writer.moveHead(review.beadId, action.head);
      return { entity: beadRef(review.beadId), reason: `head moved to ${action.head}, and there is more to do` };
    }
    const bead = this.#bead(review.beadId);
    const columns: Record<string, SqlValue> = {
      head_sha: action.head,
      queued_at: turn.nowMs,
      queue_key: Math.min(review.queueKey, queueKey(bead.priority, turn.nowMs)),
      held_reason: null,
      races: 0,
      may_revive: null,
      // The candidate was made of the earlier head: if its push arrived after all, that says nothing of this one.
      ...(action.head === review.headSha ? {} : { candidate_sha: null }),
    };
    writer.stepReview(review.beadId, { from: 'reworking', to: 'queued', stepKey: null, columns });
    if (review.strategy === 'pr') writer.proposals.change(review.beadId, { retryAtMs: 0, readyAtMs: null });
    const reason = action.head === review.headSha ? 'back in line as it was' : `head moved to ${action.head}`;
    return { entity: beadRef(review.beadId), from: 'reworking', to: 'queued', reason };
  }

  #createRework(writer: RigWriter, action: Of<'create_rework'>): Change {
    const review = must(this.#rig.view.review(action.mergeRequest), 'a reworked merge request exists');
    const { id, round } = createRework(this.#rig, writer, review, { ...action, createdBy: 'system' });
    return {
      entity: beadRef(review.sourceBeadId),
      to: id,
      reason: `${action.kind}, round ${String(round)}: ${action.title}`,
    };
  }

  #featureStep(turn: Turn, writer: RigWriter, action: Of<'feature_step'>): Change {
    const { branch, from, to, job } = action;
    const key = this.#rig.view.feature(branch)?.stepKey ?? null;
    writer.features.step(branch, {
      from,
      to,
      stepKey: job?.key ?? null,
      reason: action.reason ?? null,
      retryAtMs: action.retryAtMs ?? null,
    });
    if (job !== null) turn.effect({ key: `job:${job.key}`, kind: 'job', lane: `branch:${branch}`, payload: { job } });
    else if (key !== null) turn.kernel.settleEffect(`job:${key}`, 'done', 'not needed any more', turn.nowMs);
    return { entity: trainRef(branch), from, to };
  }

  #sendMessage(turn: Turn, writer: RigWriter, action: Of<'send_message'>): Change {
    if (action.message.type === 'bead_ended') writer.markEndReported(trusted.bead(action.message.bead));
    turn.send('town', this.#rig.address, action.message);
    return { entity: action.key, to: action.message.type };
  }
}

/** That an escalation about this cause is open, where its rule reads it. */
function remember(writer: RigWriter, causeKey: string): void {
  if (causeKey.startsWith('bead:')) writer.markEscalated(trusted.bead(causeKey.slice('bead:'.length)), true);
  else if (causeKey.startsWith('breaker:')) writer.markBreakerEscalated(scopeOfCause(causeKey));
  else markBranch(writer, causeKey, true);
}

/** No escalation about this cause is open any more. Breakers forget by themselves when they close. */
export function forgetEscalation(writer: RigWriter, causeKey: string): void {
  if (causeKey.startsWith('bead:')) writer.markEscalated(trusted.bead(causeKey.slice('bead:'.length)), false);
  else markBranch(writer, causeKey, false);
}

/** Causes that are about a branch or the forge: the feature branch of a convoy, or the train of a target. */
function markBranch(writer: RigWriter, causeKey: string, escalated: boolean): void {
  if (causeKey.startsWith(FEATURE_CAUSE))
    writer.features.markEscalated(causeKey.slice(FEATURE_CAUSE.length), escalated);
  else if (causeKey.startsWith(FORGE_CAUSE)) writer.proposals.markForgeTold(escalated);
  else if (causeKey.startsWith(TRAIN_CAUSE)) writer.trains.markEscalated(causeKey.slice(TRAIN_CAUSE.length), escalated);
}

function breakerChange(writer: RigWriter, action: Of<'reset_breaker' | 'trip_breaker'>): Change {
  const entity = `breaker:${action.scope}`;
  if (action.type === 'reset_breaker')
    return { entity, to: writer.resetBreaker(action.scope) ? 'closed' : 'unchanged' };
  writer.setBreaker(action.scope, action.failures, action.retryAtMs, action.reason);
  return { entity, to: `failures ${String(action.failures)}`, reason: action.reason };
}

/** When a healthy lease is looked at again. */
export const renewAt = (nowMs: number, leaseMs: number): number => nowMs + leaseMs - LEASE_RENEW_BEFORE_MS;

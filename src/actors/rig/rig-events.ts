import { type Fact, type JobResult, NETWORK_REFUSED, WORK_KEPT } from '../../core/facts.ts';
import { LEASE_MS } from '../../core/limits.ts';
import type { TownToRig } from '../../core/messages.ts';
import type { AgentStatus } from '../../core/model/agent.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { attemptEntity } from '../../core/refs.ts';
import { isOfClaim, promoteKey, verifyKey } from '../../core/rules/verify-done.ts';
import type { AttemptFacts } from '../../core/view.ts';
import type { InboxEvent } from '../../store/kernel-store.ts';
import { parseJson } from '../../store/rows.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { startWaiting, stopWaiting } from './rig-waiting.ts';
import { nudgeSettled, type NudgeResult } from './rig-nudges.ts';
import { applyMoneyMessage, isMoneyMessage } from './rig-budgets.ts';
import { learnUse, recordUse } from './rig-usage.ts';
import { applyForgeFact, isForgeFact, type ForgeFact } from './forge-facts.ts';
import { renewAt } from './rig-actions.ts';
import type { RigContext } from './rig-context.ts';
import { applyTownMessage } from './rig-messages.ts';
import { sawTarget } from './target-tips.ts';

type FactOf<Type extends Fact['type']> = Extract<Fact, { readonly type: Type }>;

/** Facts the rig tells itself: results of its effects and observations. */
export type RigEvent =
  | { readonly type: 'job_result'; readonly jobKey: string; readonly result: JobResult }
  | { readonly type: 'start_refused'; readonly attempt: string; readonly code: string; readonly message: string }
  /** The runner has no process for this attempt and will never have one. */
  | { readonly type: 'attempt_gone'; readonly attempt: string; readonly reason: string }
  | { readonly type: 'contact_lost'; readonly attempt: string; readonly atMs: number }
  | ForgeFact
  | NudgeResult;

/** Records what happened. Nothing is decided here: rules read the recorded facts afterwards. */
export class RigEvents {
  readonly #rig: RigContext;

  constructor(rig: RigContext) {
    this.#rig = rig;
  }

  apply(turn: Turn, event: InboxEvent): void {
    const writer = this.#rig.writer(turn);
    const dot = event.type.indexOf('.');
    const family = event.type.slice(0, dot);
    if (family === 'message') this.#message(turn, writer, parseJson<TownToRig>(event.payload));
    else if (family === 'fact') this.#fact(turn, writer, parseJson<Fact>(event.payload));
    else this.#own(turn, writer, parseJson<RigEvent>(event.payload));
  }

  #message(turn: Turn, writer: RigWriter, message: TownToRig): void {
    if (isMoneyMessage(message)) applyMoneyMessage(this.#rig, turn, message);
    else applyTownMessage(this.#rig, turn, writer, message);
  }

  #fact(turn: Turn, writer: RigWriter, fact: Fact): void {
    if (fact.type === 'job_finished') {
      this.#jobResult(turn, writer, fact.jobKey, fact.result);
      return;
    }
    const id = trusted.attempt(fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt);
    const attempt = this.#rig.view.attempt(id);
    const epoch = fact.type === 'agent_exited' ? fact.exit.epoch : fact.epoch;
    if (attempt === null || attempt.epoch !== epoch) {
      turn.journal({
        entity: attemptEntity(id),
        action: 'ignore_fact',
        rule: 'events',
        reason: `${fact.type} of an attempt or epoch this rig does not know`,
      });
      return;
    }
    switch (fact.type) {
      case 'agent_started':
        this.#started(turn, writer, attempt, fact);
        return;
      case 'agent_done':
      case 'agent_no_change':
        this.#claimed(turn, writer, attempt, fact);
        return;
      case 'agent_exited':
        this.#exited(turn, writer, attempt, fact);
        return;
      case 'agent_usage':
      case 'quota_limited':
        recordUse(this.#rig, turn, writer, { attempt, fact });
        return;
      default:
        this.#activity(turn, writer, attempt, fact);
    }
  }

  #started(turn: Turn, writer: RigWriter, attempt: AttemptFacts, fact: FactOf<'agent_started'>): void {
    if (attempt.processGone) return;
    // The runner's clock may be another than ours: it began after it was told to, and before we hear of it.
    const startedAtMs = Math.max(attempt.startedAtMs, Math.min(fact.atMs, turn.nowMs));
    writer.weigh(attempt.id, {
      running_at: startedAtMs,
      // An observation of a running process does not say so again.
      ...(fact.isolation === undefined ? {} : { isolation: fact.isolation }),
      runner_id: fact.instance,
      base_sha: fact.base,
      contact_lost_at: null,
    });
    if (attempt.endedAtMs !== null) return;
    const bead = this.#rig.view.bead(attempt.beadId);
    if (bead !== null && bead.status === 'in_progress' && (bead.branchOf === null || bead.startFailures > 0))
      writer.updateBead(bead.id, {
        start_failures: 0,
        ...(bead.branchOf === null ? { base_sha: fact.base } : {}),
      });
    this.#inContact(turn, writer, attempt, {
      runner_id: fact.instance,
      last_activity_at: startedAtMs,
      last_event_type: 'started',
    });
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: 'agent_started',
      rule: 'events',
      reason: `process ${String(fact.pid)} runs, base ${fact.base}`,
    });
  }

  /** The agent is known to live: its status says so, and its lease starts anew. */
  #inContact(
    turn: Turn,
    writer: RigWriter,
    attempt: AttemptFacts,
    columns: Readonly<Record<string, string | number | null>>,
  ): void {
    const agent = this.#rig.view.agent(attempt.agentId);
    if (agent === null) return;
    const lease = { ...columns, lease_until: turn.nowMs + LEASE_MS };
    const status = statusInContact(attempt);
    if (agent.status === 'starting') {
      writer.transitionAgent(agent, 'working', lease);
      const working = this.#rig.view.agent(agent.id);
      // An agent may ask before the word arrives that its process runs.
      if (status !== 'working' && working !== null) writer.transitionAgent(working, status);
    } else if (agent.status === 'unknown') writer.transitionAgent(agent, status, lease);
    else writer.updateAgent(agent.id, lease);
    if (attempt.contactLostAtMs !== null) writer.updateAttempt(attempt.id, { contact_lost_at: null });
    // Silence is over: the ladder takes its rungs back. Otherwise its next look comes by itself.
    if (attempt.gupp !== null) turn.dirty(attemptEntity(attempt.id));
    turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', renewAt(turn.nowMs, LEASE_MS));
  }

  #claimedLate(
    turn: Turn,
    writer: RigWriter,
    attempt: AttemptFacts,
    fact: FactOf<'agent_done' | 'agent_no_change'>,
  ): void {
    if (fact.type === 'agent_done') writer.updateAttempt(attempt.id, lateEvidence(attempt, fact.head));
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: 'late_evidence',
      rule: 'events',
      reason:
        fact.type === 'agent_done'
          ? `done at ${fact.head} after the attempt ended; kept in its ref`
          : 'no_change after the attempt ended',
    });
  }

  #claimed(turn: Turn, writer: RigWriter, attempt: AttemptFacts, fact: FactOf<'agent_done' | 'agent_no_change'>): void {
    const entity = attemptEntity(attempt.id);
    if (attempt.endedAtMs !== null) {
      this.#claimedLate(turn, writer, attempt, fact);
      return;
    }
    const state = attempt.claim?.state;
    const judged = state !== undefined && state !== 'refused' && state !== 'recorded';
    if (judged && (fact.type !== 'agent_done' || fact.head === attempt.claimedHead)) {
      turn.journal({ entity, action: 'repeat_claim', rule: 'events', reason: `a claim is ${state} already` });
      return;
    }
    if (state === 'promoting' && fact.type === 'agent_done') {
      // The branch is on its way to the head before; when it is there, this one is judged.
      writer.updateAttempt(attempt.id, { claimed_head: fact.head, claim_summary: fact.summary });
      turn.journal({ entity, action: 'claim', rule: 'events', reason: `done again at ${fact.head}` });
      return;
    }
    this.#recordClaim(turn, writer, attempt, fact);
  }

  #recordClaim(
    turn: Turn,
    writer: RigWriter,
    attempt: AttemptFacts,
    fact: FactOf<'agent_done' | 'agent_no_change'>,
  ): void {
    const kind = fact.type === 'agent_done' ? 'done' : 'no_change';
    writer.setClaim(
      attempt.id,
      { state: 'recorded', kind },
      {
        claimed_head: fact.type === 'agent_done' ? fact.head : null,
        claimed_at: turn.nowMs,
        claim_summary: fact.type === 'agent_done' ? fact.summary : fact.reason,
        claim_refusal: null,
      },
    );
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: 'claim',
      rule: 'events',
      reason: fact.type === 'agent_done' ? `done at ${fact.head}` : `no change: ${fact.reason}`,
    });
  }

  #exited(turn: Turn, writer: RigWriter, attempt: AttemptFacts, fact: FactOf<'agent_exited'>): void {
    if (attempt.exit !== null) return;
    writer.setExit(attempt.id, fact.exit);
    learnUse(this.#rig, writer, attempt);
    turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', null);
    turn.kernel.settleEffect(`stop:${attempt.id}`, 'done', null, turn.nowMs);
    turn.kernel.settleEffect(`start:${attempt.id}`, 'done', null, turn.nowMs);
    const end = fact.exit.signal === null ? `exit code ${String(fact.exit.exitCode)}` : `signal ${fact.exit.signal}`;
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: 'agent_exited',
      rule: 'events',
      reason: `${fact.exit.cause}, ${end}${fact.exit.rescueRef === null ? '' : `, work kept in ${fact.exit.rescueRef}`}`,
    });
  }

  #activity(turn: Turn, writer: RigWriter, attempt: AttemptFacts, fact: FactOf<'agent_event'>): void {
    if (fact.eventType === WORK_KEPT) this.#told(turn, attempt, fact);
    if (attempt.endedAtMs !== null || fact.eventType === WORK_KEPT) return;
    // When we hear of it, by our clock: another machine's may be hours behind, and a working agent is nudged for that.
    this.#inContact(turn, writer, attempt, {
      last_activity_at: turn.nowMs,
      last_event_type: fact.eventType,
      active_tools: JSON.stringify(fact.activeTools),
      status_message: fact.statusMessage,
    });
    if (fact.eventType === NETWORK_REFUSED) this.#told(turn, attempt, fact);
    if (fact.eventType === 'answered') stopWaiting(this.#rig, turn, attempt, 'a person');
    if (fact.eventType === 'waiting') startWaiting(this.#rig, turn, attempt, fact.statusMessage ?? 'It waits for you.');
  }

  #told(turn: Turn, attempt: AttemptFacts, fact: FactOf<'agent_event'>): void {
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: fact.eventType,
      rule: 'events',
      reason: fact.statusMessage ?? '',
    });
  }

  #own(turn: Turn, writer: RigWriter, event: RigEvent): void {
    if (event.type === 'job_result') {
      this.#jobResult(turn, writer, event.jobKey, event.result);
      return;
    }
    if (event.type === 'nudge_result') {
      nudgeSettled(this.#rig, turn, event);
      return;
    }
    if (isForgeFact(event)) {
      applyForgeFact(this.#rig, turn, writer, event);
      return;
    }
    const attempt = this.#rig.view.attempt(trusted.attempt(event.attempt));
    if (attempt === null || attempt.processGone) return;
    const entity = attemptEntity(attempt.id);
    switch (event.type) {
      case 'start_refused':
      case 'attempt_gone':
        writer.weigh(attempt.id, { process_gone: 1 });
        turn.kernel.setTimer(entity, 'observe', null);
        turn.kernel.settleEffect(`stop:${attempt.id}`, 'done', null, turn.nowMs);
        turn.journal({
          entity,
          action: event.type,
          rule: 'events',
          reason: event.type === 'start_refused' ? `${event.code}: ${event.message}` : event.reason,
        });
        return;
      default:
        this.#contactLost(turn, writer, attempt, event.atMs);
    }
  }

  #contactLost(turn: Turn, writer: RigWriter, attempt: AttemptFacts, atMs: number): void {
    writer.updateAttempt(attempt.id, { contact_lost_at: atMs });
    const agent = this.#rig.view.agent(attempt.agentId);
    if (agent !== null && ['starting', 'working', 'waiting', 'stalled'].includes(agent.status))
      writer.transitionAgent(agent, 'unknown');
    turn.journal({
      entity: attemptEntity(attempt.id),
      action: 'contact_lost',
      rule: 'events',
      reason: 'the runner does not answer',
    });
  }

  /** Results find their way by the key of the job that was ordered; one that nobody waits for changes nothing. */
  #jobResult(turn: Turn, writer: RigWriter, jobKey: string, result: JobResult): void {
    if (result.result === 'error') {
      turn.kernel.retryEffect(`job:${jobKey}`, turn.nowMs + JOB_ERROR_RETRY_MS, result.message);
      return;
    }
    turn.kernel.settleEffect(`job:${jobKey}`, 'done', null, turn.nowMs);
    if (isOfClaim(jobKey)) this.#claimResult(turn, writer, jobKey, result);
    else if (jobKey.startsWith('revert:') && writer.reverts.answered(jobKey, result)) return;
    else if (jobKey.startsWith('branch:') && writer.features.checked(jobKey, result)) return;
    else if (jobKey.startsWith('gates:') && writer.trains.answered(jobKey, result)) return;
    else if (this.#reviewResult(turn, writer, jobKey, result) === null && !jobKey.startsWith('repo:'))
      turn.journal({
        entity: `job:${jobKey}`,
        action: 'late_result',
        rule: 'events',
        reason: `${result.result}; nobody waits for it`,
      });
  }

  #reviewResult(turn: Turn, writer: RigWriter, jobKey: string, result: JobResult): BeadId | null {
    const id = writer.setReviewResult(jobKey, result);
    if (id !== null) sawTarget(this.#rig, turn, id, result);
    return id;
  }

  #claimResult(turn: Turn, writer: RigWriter, jobKey: string, result: JobResult): void {
    const [kind, subject] = jobKey.split(':');
    const id = trusted.attempt(subject ?? '');
    const attempt = this.#rig.view.attempt(id);
    if (attempt === null || !waitsFor(attempt, jobKey)) {
      turn.journal({
        entity: attemptEntity(id),
        action: 'late_result',
        rule: 'events',
        reason: `${result.result}; no claim waits for this ${kind ?? ''}`,
      });
      return;
    }
    switch (result.result) {
      case 'verified':
        writer.setClaim(id, { state: 'verified', kind: 'done' }, { head_sha: result.head });
        return;
      case 'promoted':
        if (attempt.claimedHead === attempt.headSha) writer.setClaim(id, { state: 'promoted', kind: 'done' });
        else writer.setClaim(id, { state: 'recorded', kind: 'done' }, { claimed_at: turn.nowMs });
        return;
      case 'refused':
        writer.setClaim(id, { state: 'refused', kind: 'done', code: result.code, message: result.message });
        return;
      case 'branch_moved':
        writer.setClaim(id, {
          state: 'refused',
          kind: 'done',
          code: 'branch_moved',
          message: `The branch is at ${result.actual ?? 'nothing'}: somebody else changed it. Merge that into your work, then call "gt done" again.`,
        });
        return;
      default:
        turn.journal({ entity: attemptEntity(id), action: 'unexpected_result', rule: 'events', reason: result.result });
    }
  }
}

function statusInContact(attempt: AttemptFacts): AgentStatus {
  if (attempt.runningAtMs !== null && attempt.endedAtMs !== null) return 'stopping';
  return attempt.question === null ? 'working' : 'waiting';
}

/** A job that failed for reasons of infrastructure says nothing about the work; it is asked for again after this long. */
const JOB_ERROR_RETRY_MS = 5_000;

/** A result belongs to the claim it was ordered for, not to one that came before or after it. */
function waitsFor(attempt: AttemptFacts, jobKey: string): boolean {
  if (attempt.endedAtMs !== null) return false;
  switch (attempt.claim?.state) {
    case 'verifying':
      return jobKey === verifyKey(attempt);
    case 'promoting':
      return jobKey === promoteKey(attempt);
    default:
      return false;
  }
}

/** Work that came after an accepted claim is kept, and whoever asks for its verdict is told that it is not part of it. */
function lateEvidence(attempt: AttemptFacts, head: string): Readonly<Record<string, string>> {
  const isAfter = attempt.outcome === 'no_change' || (attempt.outcome === 'done' && head !== attempt.headSha);
  if (!isAfter) return { late_head: head };
  const accepted = attempt.outcome === 'done' ? `"gt done" at ${attempt.headSha ?? 'another commit'}` : '"no change"';
  const message = `Your ${accepted} was accepted before; ${head} came after it and is kept in its ref, but is not part of the review.`;
  return { late_head: head, claim_refusal: JSON.stringify({ code: 'too_late', message }) };
}

/** Model → wire: snake_case names, times as integer milliseconds without the unit suffix, missing values as null. */
import type { AttentionItem } from '../core/attention-item.ts';
import type { Attempt } from '../core/model/agent.ts';
import type { Evidence } from '../core/model/bead.ts';
import { landedPartially, type Convoy } from '../core/model/convoy.ts';
import { convoyPhase } from '../core/why-convoy.ts';
import type {
  AgentSummary,
  BeadDetail,
  BeadSummary,
  ConvoyDetail,
  HookView,
  JournalEntry,
  QueueEntry,
  ShownReview,
  RigSummary,
  TownStatus,
  Why,
} from '../core/queries.ts';
import type { AgentItem, HookItem } from './contract/agents.ts';
import type { AttemptItem, BeadDetailItem, BeadItem, QueueItem, ReviewItem } from './contract/beads.ts';
import type { WhyItem } from './contract/common.ts';
import type { ConvoyDetailItem, ConvoyItem } from './contract/convoys.ts';
import type { RigItem } from './contract/rigs.ts';
import type { AttentionWire, JournalItem, StatusItem } from './contract/town.ts';
import { presentMolecule } from './present-molecule.ts';

export function presentBead(bead: BeadSummary): BeadItem {
  return {
    id: bead.id,
    type: bead.type,
    kind: bead.kind,
    title: bead.title,
    body: bead.body,
    rig: bead.rig,
    status: bead.status,
    phase: bead.phase,
    hold: bead.hold,
    hold_reason: bead.holdReason,
    priority: bead.priority,
    origin: bead.origin,
    convoy_id: bead.convoyId,
    reopens: bead.reopens,
    reopened_as: bead.reopenedAs,
    parent_id: bead.parentId,
    branch: bead.branch,
    target_branch: bead.targetBranch,
    branch_of: bead.branchOf,
    base_sha: bead.baseSha,
    agent: bead.agentId,
    attempts: bead.attempts,
    failures: bead.failures,
    open_blockers: bead.openBlockers,
    failed_blockers: bead.failedBlockers,
    not_before: bead.notBeforeMs === 0 ? null : bead.notBeforeMs,
    runtime: bead.runtime,
    model: bead.model,
    pinned_agent: bead.pinnedAgent,
    created_by: bead.createdBy,
    close_reason: bead.closeReason,
    evidence: bead.evidence === null ? null : presentEvidence(bead.evidence),
    version: bead.version,
    created_at: bead.createdAtMs,
    updated_at: bead.updatedAtMs,
    closed_at: bead.closedAtMs,
  };
}

function presentEvidence(evidence: Evidence): NonNullable<BeadItem['evidence']> {
  return {
    head: evidence.head ?? null,
    merge_sha: evidence.mergeSha ?? null,
    target: evidence.target ?? null,
    note: evidence.note ?? null,
  };
}

export function presentBeadDetail(bead: BeadDetail): BeadDetailItem {
  return {
    ...presentBead(bead),
    blockers: bead.blockers.map((blocker) => ({ id: blocker.blockerRef, scope: blocker.scope, status: blocker.state })),
    attempt_list: bead.attemptList.map(presentAttempt),
    review: bead.review === null ? null : presentReview(bead.review),
    rework_beads: [...bead.reworkBeads],
    molecule: bead.molecule === null ? null : presentMolecule(bead.molecule),
    why: presentWhy(bead.why),
  };
}

function presentAttempt(attempt: Attempt): AttemptItem {
  return {
    id: attempt.id,
    status: attempt.outcome ?? 'live',
    bead_id: attempt.beadId,
    source_bead_id: attempt.sourceBeadId,
    agent: attempt.agentId,
    epoch: attempt.epoch,
    round: attempt.round,
    runtime: attempt.runtime,
    model: attempt.model,
    started_at: attempt.startedAtMs,
    running_at: attempt.runningAtMs,
    ended_at: attempt.endedAtMs,
    outcome: attempt.outcome,
    exit_code: attempt.exitCode,
    reason: attempt.reason,
    claimed_head: attempt.claimedHead,
    claim_summary: attempt.claimSummary,
    claim_refusal: attempt.claimRefusal,
    head_sha: attempt.headSha,
    base_sha: attempt.baseSha,
  };
}

function presentReview(review: ShownReview): ReviewItem {
  const { pullRequest: pull } = review;
  return {
    pull_request:
      pull === null
        ? null
        : {
            number: pull.number,
            url: pull.url,
            state: pull.state,
            checks: pull.checks,
            approvals: pull.approvals,
            waits_for: pull.waitsFor,
            wait_reason: pull.waitReason,
            silent_since: pull.silentSinceMs,
          },
    id: review.beadId,
    source_bead_id: review.sourceBeadId,
    branch: review.branch,
    target_branch: review.targetBranch,
    head_sha: review.headSha,
    candidate_sha: review.candidateSha,
    merge_sha: review.mergeSha,
    strategy: review.strategy,
    step: review.step,
    rounds: review.rounds,
    races: review.races,
    queued_at: review.queuedAtMs,
    deadline_at: review.deadlineAtMs,
    held_reason: review.heldReason,
    gate_log: review.gateLog,
  };
}

export function presentQueueEntry(entry: QueueEntry): QueueItem {
  return {
    ...presentReview(entry),
    rig: entry.rig,
    title: entry.title,
    status: entry.status,
    open_blockers: entry.openBlockers,
    place: entry.place,
    why: presentWhy(entry.why),
  };
}

export function presentWhy(why: Why): WhyItem {
  return {
    id: why.id,
    state: why.state,
    sentence: why.sentence,
    rule: why.rule,
    since: why.sinceMs,
    next: why.next,
    command: why.command,
    wake_at: why.wakeAtMs,
  };
}

export function presentConvoy(convoy: Convoy): ConvoyItem {
  return {
    id: convoy.id,
    title: convoy.title,
    status: convoy.status,
    phase: convoyPhase(convoy),
    merge_mode: convoy.mergeMode,
    on_failure: convoy.onFailure,
    partial: landedPartially(convoy),
    total_beads: convoy.totalBeads,
    closed_beads: convoy.closedBeads,
    failed_beads: convoy.failedBeads,
    cancelled_beads: convoy.cancelledBeads,
    feature_branch: convoy.featureBranch,
    landing_order: [...convoy.landingOrder],
    created_by: convoy.createdBy,
    reason: convoy.reason,
    version: convoy.version,
    created_at: convoy.createdAtMs,
    landed_at: convoy.landedAtMs,
    reverted: convoy.reverted,
  };
}

export function presentConvoyDetail(convoy: ConvoyDetail): ConvoyDetailItem {
  return {
    ...presentConvoy(convoy),
    beads: convoy.beads.map((bead) => ({
      id: bead.beadId,
      position: bead.position,
      rig: bead.rig,
      title: bead.title,
      status: bead.status,
      depends_on: [...bead.dependsOn],
      merge_sha: bead.mergeSha,
      merge_target: bead.mergeTarget,
      close_reason: bead.closeReason,
      bead: bead.bead === null ? null : presentBead(bead.bead),
    })),
    landings: convoy.landings.map((landing) => ({
      rig: landing.rig,
      state: landing.state,
      attempt: landing.attempt,
      bead_id: landing.beadId,
      merge_sha: landing.mergeSha,
      not_before: landing.notBeforeMs,
      reason: landing.reason,
    })),
    reverts: convoy.reverts.map((revert) => ({
      rig: revert.rig,
      target: revert.target,
      state: revert.state,
      attempt: revert.attempt,
      bead_id: revert.beadId,
      merge_sha: revert.mergeSha,
      reason: revert.reason,
    })),
    why: presentWhy(convoy.why),
  };
}

export function presentRig(rig: RigSummary): RigItem {
  return {
    id: rig.id,
    prefix: rig.prefix,
    url: rig.url,
    target_branch: rig.targetBranch,
    status: rig.status,
    status_reason: rig.statusReason,
    polecats_max: rig.polecatsMax,
    runtime: rig.runtime,
    live_attempts: rig.liveAttempts,
    counts: { ...rig.counts },
    ready_beads: rig.readyBeads,
    queue_length: rig.queueLength,
    stopped_trains: rig.stoppedTrains.map((train) => ({
      target: train.target,
      status: train.state,
      reason: train.reason,
      changed_by: train.changedBy,
      changed_at: train.changedAtMs,
      waiting: train.waiting,
    })),
    gates: [...rig.gates],
    isolation: rig.isolation,
    created_at: rig.createdAtMs,
  };
}

export function presentAgent(agent: AgentSummary): AgentItem {
  return {
    id: agent.id,
    name: agent.name,
    role: agent.role,
    rig: agent.rig,
    status: agent.status,
    hook: agent.hookBeadId,
    epoch: agent.epoch,
    attempt_id: agent.attemptId,
    runtime: agent.runtime,
    isolation: agent.isolation,
    runner_id: agent.runnerId,
    lease_until: agent.leaseUntilMs,
    last_activity_at: agent.lastActivityAtMs,
    last_event_type: agent.lastEventType,
    active_tools: [...agent.activeTools],
    status_message: agent.statusMessage,
    version: agent.version,
    created_at: agent.createdAtMs,
    updated_at: agent.updatedAtMs,
  };
}

export function presentStatus(status: TownStatus): StatusItem {
  return {
    id: status.id,
    name: status.name,
    rigs: status.rigs.map(presentRig),
    convoys: status.convoys.map(presentConvoy),
    working_agents: status.workingAgents,
    merged_last_hour: status.mergedLastHour,
    attention: status.attention.map(presentAttention),
    runner: { instance: status.runner.instance, status: status.runner.state, pid: status.runner.pid },
    health: status.health.map((item) => ({
      subject: item.subject,
      status: item.state,
      missed: item.missed,
      answered_at: item.answeredAtMs,
      detail: item.detail,
    })),
    violations: [...status.violations],
  };
}

export function presentAttention(item: AttentionItem): AttentionWire {
  return {
    kind: item.kind,
    severity: item.severity,
    subject: item.subject,
    title: item.title,
    sentence: item.sentence,
    since: item.sinceMs,
    command: item.command,
    escalation: item.escalation,
    acknowledged_by: item.acknowledgedBy,
  };
}

export function presentJournalEntry(entry: JournalEntry): JournalItem {
  return {
    actor: entry.actor,
    seq: entry.seq,
    tick: entry.tick,
    at: entry.atMs,
    entity: entry.entity,
    action: entry.action,
    rule: entry.rule,
    reason: entry.reason,
    from: entry.from,
    to: entry.to,
  };
}

export function presentHook(hook: HookView): HookItem {
  return {
    agent: hook.agent,
    attempt: hook.attempt,
    epoch: hook.epoch,
    round: hook.round,
    bead: presentBead(hook.bead),
    source: presentBead(hook.source),
    checkpoint: hook.checkpoint,
    prompt: hook.prompt,
  };
}

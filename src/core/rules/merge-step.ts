import {
  GATE_KILLS_MAX,
  GATE_TIMEOUT_MS,
  MERGE_STEP_DEADLINE_MS,
  PUSH_RACES_MAX,
  REWORK_ROUNDS_MAX,
} from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Job, JobResult } from '../facts.ts';
import type { Bead } from '../model/bead.ts';
import { trusted, type Sha } from '../model/ids.ts';
import { beadRef } from '../refs.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { redGate, type RedGate } from './gate-verdict.ts';
import { retryBackoffMs } from './outcome.ts';
import { repoFor } from './feature-branch.ts';
import { askPerson, refusedPush } from './refused-push.ts';
import { failLanding } from './landing.ts';
import { act, NOTHING, wakeAt, type RigDecision, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * Takes a merge request from the result of one step to the next. Merge, gates and push are separate effects; the
 * candidate is recorded before the push, so that a restart asks git whether it arrived instead of merging again.
 */
export const mergeStep: RigRule = (view, id, nowMs) => {
  const review = view.review(trusted.bead(id));
  if (review === null) return NOTHING;
  if (review.result === null) return overdue(view, review, nowMs);
  const result = review.result;
  switch (review.step) {
    case 'preparing':
      return afterMerge(view, review, result, nowMs);
    case 'gating':
      return result.result === 'gates' ? afterGates(view, review, result, nowMs) : NOTHING;
    case 'pushing':
      return afterPush(view, review, result, nowMs);
    default:
      return NOTHING;
  }
};

/**
 * A step without a result past its deadline is told to a person once. Merge and gates go on being asked for; a push that
 * the remote keeps refusing goes to the back of the line instead of jamming it. Its candidate stays recorded, so the
 * next merge asks first whether it arrived after all.
 */
function overdue(view: RigView, review: ReviewFacts, nowMs: number): RigVerdicts {
  if (review.stepKey === null || review.deadlineAtMs === null) return NOTHING;
  if (nowMs < review.deadlineAtMs) return wakeAt(review.deadlineAtMs);
  const isTold = view.bead(review.beadId)?.escalated !== false;
  const message = `${review.beadId} has been ${review.step} past its deadline; the runner or its git host does not answer, or refuses.`;
  const tell: RigAction = {
    type: 'raise_escalation',
    causeKey: `bead:${review.beadId}`,
    severity: 'high',
    category: 'merge',
    subject: beadRef(review.beadId),
    message,
  };
  const actions = [...(review.step === 'pushing' ? toTheBack(review, nowMs) : []), ...(isTold ? [] : [tell])];
  return decide(review, 'the step is overdue', actions);
}

function toTheBack(review: ReviewFacts, nowMs: number): RigAction[] {
  return [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'queued',
      job: null,
      heldReason: 'its push was not taken before the deadline',
      requeueAtMs: nowMs,
    },
    { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' },
  ];
}

const decide = (review: ReviewFacts, reason: string, actions: readonly RigAction[]): RigVerdicts =>
  actions.length === 0 ? NOTHING : act({ rule: 'merge-step', entity: beadRef(review.beadId), reason, actions });

const repoOf = (view: RigView, review: ReviewFacts): Job['repo'] => repoFor(view, review.targetBranch);

function afterMerge(view: RigView, review: ReviewFacts, result: JobResult, nowMs: number): RigVerdicts {
  switch (result.result) {
    case 'candidate': {
      const candidate = {
        sha: trusted.sha(result.candidate),
        tree: result.tree,
        targetSha: trusted.sha(result.targetSha),
      };
      const source = view.bead(review.sourceBeadId);
      if (source !== null && source.cancelRequestedAtMs !== null) return cancelBeforePush(review, source);
      const gates = view.config().gates;
      const next =
        gates.length === 0 ? pushStep(view, review, candidate, nowMs) : gateStep(view, review, candidate.sha, nowMs);
      return decide(review, gates.length === 0 ? 'clean merge and no gates' : 'clean merge; gates run on its tree', [
        { ...next, fromStep: 'preparing', candidate },
      ]);
    }
    case 'already_merged':
      return merged(view, review, trusted.sha(result.mergeSha), 'the head is an ancestor of the target already');
    case 'conflict':
      return rework(view, review, 'conflict', {
        reason: `conflicts with ${review.targetBranch} in ${result.paths.join(', ')}`,
        title: `Resolve the conflict with ${review.targetBranch}`,
        body: conflictText(review, result.targetSha, result.paths, result.message),
      });
    case 'refused':
      return targetLost(view, review, result.message);
    default:
      return NOTHING;
  }
}

/** The target can't be put back: the merge request waits in line until the branch is there again. */
function targetLost(view: RigView, review: ReviewFacts, message: string): RigVerdicts {
  const feature = view.feature(review.targetBranch);
  const lost: RigAction[] =
    feature === null || feature.state === 'lost'
      ? []
      : [{ type: 'feature_step', branch: feature.branch, from: feature.state, to: 'lost', job: null, reason: message }];
  return decide(review, `${review.targetBranch} can't be merged into: ${message}`, [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'queued',
      job: null,
      heldReason: message,
    },
    { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' },
    ...lost,
  ]);
}

type StepAction = Extract<RigAction, { readonly type: 'start_merge' | 'merge_step' }>;
interface Candidate {
  readonly sha: Sha;
  readonly tree: string;
  readonly targetSha: Sha;
}

/** Keys hold the version: the same candidate may come again after a lost race, and an old result must not answer it. */
function gateStep(view: RigView, review: ReviewFacts, candidate: Sha, nowMs: number): StepAction {
  const gates = view.config().gates;
  const job: Job = {
    kind: 'gates',
    key: `gates:${review.beadId}:${candidate}:${String(review.version)}`,
    repo: repoOf(view, review),
    commit: candidate,
    gates,
  };
  const budgetMs = gates.reduce((sum, gate) => sum + gate.timeoutMs, GATE_TIMEOUT_MS);
  return {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: 'gating',
    job,
    deadlineAtMs: nowMs + budgetMs,
  };
}

function pushStep(view: RigView, review: ReviewFacts, candidate: Candidate, nowMs: number): StepAction {
  const job: Job = {
    kind: 'push',
    key: `push:${review.beadId}:${candidate.sha}:${String(review.version)}`,
    repo: repoOf(view, review),
    mergeRequest: review.beadId,
    candidate: candidate.sha,
    expectedOld: candidate.targetSha,
  };
  return {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: 'pushing',
    job,
    deadlineAtMs: nowMs + MERGE_STEP_DEADLINE_MS,
  };
}

function afterGates(
  view: RigView,
  review: ReviewFacts,
  result: Extract<JobResult, { result: 'gates' }>,
  nowMs: number,
): RigVerdicts {
  if (result.green) {
    if (review.candidateSha === null || review.targetSha === null || review.testedTree === null) return NOTHING;
    const candidate = { sha: review.candidateSha, tree: review.testedTree, targetSha: review.targetSha };
    return decide(review, 'all gates are green on the combined tree', [
      { ...pushStep(view, review, candidate, nowMs), gateSignature: null, gateKills: 0 },
    ]);
  }
  const red = redGate(result.runs.at(-1));
  if (red.killedBy !== null) return killedGate(view, review, red, nowMs);
  return rework(view, review, 'rework', {
    reason: `gate ${red.name} is red`,
    title: `Make the gate "${red.name}" green`,
    body: `The gate "${red.name}" failed on the result of merging ${review.branch} into ${review.targetBranch}.\n\n${red.log}`,
    gateLog: red.log,
    gateSignature: red.signature,
    notBeforeMs: review.rounds === 0 ? 0 : nowMs + retryBackoffMs(review.rounds),
  });
}

/** Something else ended the gate: it runs again, and nobody's work is blamed. When that does not help, a person is asked. */
function killedGate(view: RigView, review: ReviewFacts, red: RedGate, nowMs: number): RigVerdicts {
  const gateKills = review.gateKills + 1;
  const what = `gate ${red.name} was ended by ${red.killedBy ?? 'a signal'}`;
  if (gateKills < GATE_KILLS_MAX && review.candidateSha !== null)
    return decide(review, `${what}, which says nothing about the work; it runs again`, [
      { ...gateStep(view, review, review.candidateSha, nowMs), gateKills },
    ]);
  const question = `The ${what} ${String(gateKills)} times on ${review.sourceBeadId}: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry ${review.sourceBeadId}".`;
  return decide(review, `${what} too often`, [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'queued',
      job: null,
      heldReason: what,
      gateKills: 0,
    },
    { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' },
    ...askPerson(review, question),
  ]);
}

function conflictText(review: ReviewFacts, targetSha: string, paths: readonly string[], message: string): string {
  const list = paths.map((path) => `- ${path}`).join('\n');
  return `${review.branch} and ${review.targetBranch} (at ${targetSha}) changed the same places:\n\n${list}\n\nMerge ${targetSha} into the branch, keep both changes, then call "gt done".\n\n${message}`;
}

interface ReworkCause {
  readonly reason: string;
  readonly title: string;
  readonly body: string;
  readonly gateLog?: string;
  readonly gateSignature?: string;
  /** The first attempt at it waits until then: rounds that come quickly only burn money. */
  readonly notBeforeMs?: number;
}

/** Rework continues the same branch and blocks the merge request; after too many rounds a person decides. */
function rework(view: RigView, review: ReviewFacts, kind: 'rework' | 'conflict', cause: ReworkCause): RigVerdicts {
  const back: RigAction = { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' };
  const log = cause.gateLog === undefined ? {} : { gateLog: cause.gateLog };
  const signature = cause.gateSignature === undefined ? {} : { gateSignature: cause.gateSignature, gateKills: 0 };
  const step: RigAction = {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: 'reworking',
    job: null,
    heldReason: cause.reason,
    ...log,
    ...signature,
  };
  const again = cause.gateSignature === review.gateSignature;
  if (review.rounds >= REWORK_ROUNDS_MAX || again) {
    const rounds = `${String(review.rounds)} ${review.rounds === 1 ? 'time' : 'times'}`;
    const question = again
      ? `${review.sourceBeadId} was reworked and its ${cause.reason} in the same way as before. Look at it, then "gt bead retry ${review.sourceBeadId}".`
      : `${review.sourceBeadId} was reworked ${rounds} and still ${cause.reason}. Look at it, then "gt bead retry ${review.sourceBeadId}".`;
    const landing = view.bead(review.sourceBeadId);
    if (landing?.kind === 'landing') {
      const why = `it was reworked ${rounds} and still ${cause.reason}`;
      return decide(review, `this landing is given up: ${why}`, failLanding(view, { review, landing, why }));
    }
    const reason = again ? 'the same gate failed twice in the same way' : 'the rework rounds are used up';
    return decide(review, reason, [step, back, ...askPerson(review, question)]);
  }
  return decide(review, cause.reason, [
    step,
    back,
    {
      type: 'create_rework',
      mergeRequest: review.beadId,
      kind,
      title: cause.title,
      body: cause.body,
      notBeforeMs: cause.notBeforeMs ?? 0,
      preferAgent: view.lastAgentOf(review.sourceBeadId),
    },
  ]);
}

function afterPush(view: RigView, review: ReviewFacts, result: JobResult, nowMs: number): RigVerdicts {
  if (result.result === 'pushed' && review.candidateSha !== null)
    return merged(view, review, review.candidateSha, 'the target has the tested commit');
  if (result.result === 'refused')
    return decide(review, 'what would be pushed looks like a key', refusedPush(review, result.message));
  if (result.result !== 'lost_race') return NOTHING;
  const source = view.bead(review.sourceBeadId);
  const races = review.races + 1;
  const toTheBack = races > PUSH_RACES_MAX;
  const requeue: RigAction = {
    type: 'merge_step',
    mergeRequest: review.beadId,
    fromStep: 'pushing',
    toStep: 'queued',
    job: null,
    races: toTheBack ? 0 : races,
    heldReason: 'somebody else pushed to the target first',
    ...(toTheBack ? { requeueAtMs: nowMs } : {}),
  };
  const back: RigAction = { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' };
  const cancelled = source === null || source.cancelRequestedAtMs === null ? [] : [cancelSource(source)];
  return decide(review, 'lost the push race; the target moved', [requeue, back, ...cancelled]);
}

const cancelSource = (source: Bead): RigAction => ({
  type: 'transition_bead',
  bead: source.id,
  from: 'in_review',
  to: 'closed',
  closeReason: 'cancelled',
  evidence: { note: 'cancelled while its push was under way; the push lost' },
});

/** The cancel waited for a push that never had a verdict; the merge found that it did not arrive. */
function cancelBeforePush(review: ReviewFacts, source: Bead): RigVerdicts {
  return decide(review, 'cancelled, and its push had not arrived', [
    { type: 'merge_step', mergeRequest: review.beadId, fromStep: review.step, toStep: 'queued', job: null },
    { type: 'transition_bead', bead: review.beadId, from: 'in_progress', to: 'open' },
    cancelSource(source),
  ]);
}

/** Merged is a fact about ancestry: the commit is on the target. It closes the merge request and its source together. */
function merged(view: RigView, review: ReviewFacts, mergeSha: Sha, reason: string): RigVerdicts {
  const evidence = { head: review.headSha, mergeSha, target: review.targetBranch };
  const source = view.bead(review.sourceBeadId);
  const decision: RigDecision = {
    rule: 'merge-step',
    entity: beadRef(review.beadId),
    reason,
    actions: [
      {
        type: 'merge_step',
        mergeRequest: review.beadId,
        fromStep: review.step,
        toStep: 'ended',
        job: null,
        mergeSha,
        heldReason: null,
      },
      {
        type: 'transition_bead',
        bead: review.beadId,
        from: 'in_progress',
        to: 'closed',
        closeReason: 'merged',
        evidence,
      },
      ...(source?.status === 'in_review'
        ? [
            {
              type: 'transition_bead' as const,
              bead: source.id,
              from: 'in_review' as const,
              to: 'closed' as const,
              closeReason: 'merged' as const,
              evidence,
            },
          ]
        : []),
    ],
  };
  return act(decision);
}

import { CLAIM_DEADLINE_MS } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Job } from '../facts.ts';
import { attemptRef, branchName } from '../model/agent.ts';
import { sourceOf, type Bead } from '../model/bead.ts';
import { missingSteps } from '../model/molecule.ts';
import { trusted, type Sha } from '../model/ids.ts';
import { attemptEntity, beadRef } from '../refs.ts';
import { troubleSaid } from '../job-trouble.ts';
import { duration } from '../text.ts';
import type { AttemptFacts, RigView } from '../view.ts';
import { closeBreakers } from './dispatch-breaker.ts';
import { endingActions } from './end-attempt.ts';
import { advance } from './rework.ts';
import { act, NOTHING, wakeAt, type RigDecision, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * A claim becomes true only by evidence: the attempt's ref is checked in git, then promoted to the bead's public branch
 * with an expected old value, and only then the bead is in review. "Done" is never taken at its word.
 */
export const verifyDone: RigRule = (view, id, nowMs) => {
  const attempt = view.attempt(trusted.attempt(id));
  if (attempt === null || attempt.endedAtMs !== null || attempt.claim === null) return NOTHING;
  const bead = view.bead(attempt.beadId);
  if (bead === null || bead.status !== 'in_progress') return NOTHING;
  switch (attempt.claim.state) {
    case 'recorded':
      return judgeRecorded(view, bead, attempt, nowMs);
    case 'verified':
      return orderPromotion(view, bead, attempt);
    case 'promoted':
      return attempt.headSha === null ? NOTHING : act(acceptDone(view, bead, attempt, attempt.headSha));
    case 'refused':
      return act(refuse(view, attempt, attempt.claim, nowMs));
    default:
      return overdue(view, bead, attempt, nowMs);
  }
};

/**
 * A verdict that does not come (a remote that refuses the branch, a runner that is away) is told to a person once; it
 * goes on being asked for. Nobody else would see it: the agent is gone, and its silence is expected.
 */
function overdue(view: RigView, bead: Bead, attempt: AttemptFacts, nowMs: number): RigVerdicts {
  if (attempt.claimedAtMs === null || attempt.claim === null) return NOTHING;
  const deadlineMs = attempt.claimedAtMs + CLAIM_DEADLINE_MS;
  if (nowMs < deadlineMs) return wakeAt(deadlineMs);
  if (bead.escalated) return NOTHING;
  const failed = troubleSaid(view, claimKey(attempt));
  const message = `${bead.id} is done, says its agent, but the claim has been ${attempt.claim.state} for ${duration(nowMs - attempt.claimedAtMs)}: the runner or the git host does not answer, or refuses ${branchName(sourceOf(bead))}. It is asked for again by itself${failed === '' ? "; look into the runner's log." : `.${failed}`}`;
  return act(
    decision(attempt, 'the verdict is overdue', [
      {
        type: 'raise_escalation',
        causeKey: `bead:${bead.id}`,
        severity: 'high',
        category: 'merge',
        subject: beadRef(bead.id),
        message,
      },
    ]),
  );
}

function decision(attempt: AttemptFacts, reason: string, actions: readonly RigAction[]): RigDecision {
  return { rule: 'verify-done', entity: attemptEntity(attempt.id), reason, actions };
}

/** Claims are judged by their own commits: nothing of the target needs to be there for that. */
const repoOf = (view: RigView, bead: Bead): Job['repo'] => ({
  rig: view.config().name,
  url: view.config().url,
  targetBranch: bead.targetBranch,
});

/** A refused claim may be repeated at the same head; its jobs must not be answered by the verdict of the first. */
const claimOf = (attempt: AttemptFacts): string => `${attempt.id}:${String(attempt.claimedAtMs ?? 0)}`;

/** Key of the job that judges the present claim; the result of another one is late. */
export const verifyKey = (attempt: AttemptFacts): string => `verify:${claimOf(attempt)}:${attempt.claimedHead ?? ''}`;
export const promoteKey = (attempt: AttemptFacts): string => `promote:${claimOf(attempt)}:${attempt.headSha ?? ''}`;
/** Of the job that the claim waits for; null: for none. */
export function claimKey(attempt: AttemptFacts): string | null {
  if (attempt.claim?.state === 'verifying') return verifyKey(attempt);
  return attempt.claim?.state === 'promoting' ? promoteKey(attempt) : null;
}
/** True for the jobs of a claim. A branch is brought to the origin for merge requests too; those have other keys. */
export const isOfClaim = (jobKey: string): boolean => jobKey.startsWith('verify:') || jobKey.startsWith('promote:');

/** What the work must be ahead of: the task's base, or the merge request's present head for a continued branch. */
function baseOf(view: RigView, bead: Bead): Sha | null {
  return bead.branchOf === null ? bead.baseSha : (view.reviewOf(bead.branchOf)?.headSha ?? null);
}

function judgeRecorded(view: RigView, bead: Bead, attempt: AttemptFacts, nowMs: number): RigVerdicts {
  const refused = refuseOpenSteps(view, bead, attempt, nowMs);
  if (refused !== null) return refused;
  if (bead.kind === 'review' && attempt.claim?.kind !== 'no_change')
    return act(refuse(view, attempt, REVIEW_ONLY, nowMs));
  return attempt.claim?.kind === 'no_change'
    ? act(acceptNoChange(view, bead, attempt))
    : orderVerification(view, bead, attempt);
}

/** Work that follows a formula is done when each required step is done or left out for a reason; which, its agent says. */
function refuseOpenSteps(view: RigView, bead: Bead, attempt: AttemptFacts, nowMs: number): RigVerdicts | null {
  const open = missingSteps(view.molecule(bead.id));
  if (open.length === 0) return null;
  const named = open.map((step) => `${String(step.number)} (${step.title})`).join(', ');
  const message = `Steps of the formula are open: ${named}. For each, either gt mol advance --summary "<what was done>", or gt mol advance --skip "<why not>"; then call "gt done" again.`;
  return act(refuse(view, attempt, { code: 'open_steps', message }, nowMs));
}

/** Who looks at a branch never changes it. */
const REVIEW_ONLY = {
  code: 'review_only',
  message:
    'A review hands in no commits. Say gt approve --comment "<what you looked at>", or gt request-changes --comment "<what, where, why>".',
};

/**
 * A conflict is resolved when git merges the branch with the target, as it was seen last: the train would find the same conflict
 * again, and each time costs a round. Without a known tip (pull requests) only the train's next merge knows.
 */
function conflictOf(view: RigView, bead: Bead): { readonly against?: string } {
  const isDirect = bead.branchOf !== null && view.reviewOf(bead.branchOf)?.strategy === 'direct';
  if (bead.kind !== 'conflict' || !isDirect) return {};
  const against = view.feature(bead.targetBranch)?.headSha ?? view.formerTips(bead.targetBranch)[0];
  return against === undefined ? {} : { against };
}

function orderVerification(view: RigView, bead: Bead, attempt: AttemptFacts): RigVerdicts {
  const base = baseOf(view, bead);
  if (attempt.claimedHead === null || base === null) {
    return act(
      decision(attempt, 'the claim came before the start was recorded', [
        {
          type: 'clear_claim',
          attempt: attempt.id,
          code: 'not_started',
          message: 'The start of this attempt is not recorded yet. Call "gt done" again.',
        },
      ]),
    );
  }
  const job: Job = {
    kind: 'verify',
    key: verifyKey(attempt),
    repo: repoOf(view, bead),
    ref: attemptRef(sourceOf(bead), attempt.epoch),
    claimedHead: attempt.claimedHead,
    base,
    ...conflictOf(view, bead),
  };
  return act(
    decision(attempt, `done was claimed at ${attempt.claimedHead}`, [
      { type: 'verify_done', attempt: attempt.id, job },
    ]),
  );
}

function orderPromotion(view: RigView, bead: Bead, attempt: AttemptFacts): RigVerdicts {
  if (attempt.headSha === null) return NOTHING;
  const job: Job = {
    kind: 'promote',
    key: promoteKey(attempt),
    repo: repoOf(view, bead),
    branch: view.reviewOf(sourceOf(bead))?.branch ?? branchName(sourceOf(bead)),
    head: attempt.headSha,
    expectedOld: view.reviewOf(sourceOf(bead))?.headSha ?? null,
  };
  return act(
    decision(attempt, 'the claimed head is in its ref and ahead of its base', [
      { type: 'promote_branch', attempt: attempt.id, job },
    ]),
  );
}

function acceptDone(view: RigView, bead: Bead, attempt: AttemptFacts, head: Sha): RigDecision {
  const reason = 'the branch is on the origin at the verified head';
  const end: RigAction = { type: 'end_attempt', attempt: attempt.id, outcome: 'done', reason, signature: null };
  if (bead.branchOf === null) {
    return decision(attempt, reason, [
      end,
      ...closeBreakers(view, attempt),
      { type: 'transition_bead', bead: bead.id, from: 'in_progress', to: 'in_review' },
      { type: 'create_review', source: bead.id, head },
    ]);
  }
  const review = view.reviewOf(bead.branchOf);
  return decision(attempt, 'the continued branch is on the origin at the verified head', [
    end,
    ...closeBreakers(view, attempt),
    {
      type: 'transition_bead',
      bead: bead.id,
      from: 'in_progress',
      to: 'closed',
      closeReason: 'integrated',
      evidence: { head },
    },
    ...(review === null ? [] : [advance(view, bead, review, head)]),
  ]);
}

function acceptNoChange(view: RigView, bead: Bead, attempt: AttemptFacts): RigDecision {
  const note = attempt.claimSummary ?? '';
  const review = bead.branchOf === null ? null : view.reviewOf(bead.branchOf);
  const reason =
    bead.kind === 'review'
      ? 'its reviewer approves; gates and git decide'
      : 'the agent says, with a reason, that nothing needs to change';
  return decision(attempt, reason, [
    { type: 'end_attempt', attempt: attempt.id, outcome: 'no_change', reason: note, signature: null },
    ...closeBreakers(view, attempt),
    {
      type: 'transition_bead',
      bead: bead.id,
      from: 'in_progress',
      to: 'closed',
      closeReason: 'no_change',
      evidence: { note },
    },
    ...(review === null ? [] : [advance(view, bead, review, review.headSha)]),
  ]);
}

/** A refused claim sends a living agent back to work; with nobody left to answer, the attempt ends as rejected. */
function refuse(
  view: RigView,
  attempt: AttemptFacts,
  claim: { readonly code: string; readonly message: string },
  nowMs: number,
): RigDecision {
  if (!attempt.processGone) {
    return decision(attempt, `the claim was refused: ${claim.code}`, [
      { type: 'clear_claim', attempt: attempt.id, code: claim.code, message: claim.message },
    ]);
  }
  const ending = {
    outcome: 'rejected' as const,
    reason: `The claim was refused: ${claim.message}`,
    signature: `rejected/${claim.code}`,
  };
  return decision(
    attempt,
    `the claim was refused and the agent is gone: ${claim.code}`,
    endingActions(view, attempt, ending, nowMs),
  );
}

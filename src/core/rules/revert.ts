import type { RigAction } from '../actions.ts';
import type { Job } from '../facts.ts';
import { BRANCH_JOB_DEADLINE_MS } from '../limits.ts';
import { branchName } from '../model/agent.ts';
import type { Bead } from '../model/bead.ts';
import { trusted, type Sha } from '../model/ids.ts';
import type { Revert } from '../model/revert.ts';
import { beadRef } from '../refs.ts';
import { duration } from '../text.ts';
import type { RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { act, NOTHING, wakeAt, type RigDecision, type RigRule, type RigVerdicts } from './rule.ts';

/**
 * Undoes what a convoy merged: the runner makes the commits, an ordinary merge request carries them through the train
 * with its gates. Where the commits can't be undone without judgement the bead becomes work of an agent.
 */
export const startRevert: RigRule = (view, id, nowMs) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.kind !== 'revert' || bead.status !== 'open' || bead.hold !== null) return NOTHING;
  const revert = view.revert(bead.id);
  if (revert?.state === 'making') return overdue(bead, nowMs);
  const decision = revert === null ? null : nextStep(view, { bead, revert, nowMs });
  return decision === null ? NOTHING : act(decision);
};

/** A runner or a git host that does not answer is told to a person once; the answer ends the alarm. */
function overdue(bead: Bead, nowMs: number): RigVerdicts {
  const deadlineMs = bead.updatedAtMs + BRANCH_JOB_DEADLINE_MS;
  if (bead.escalated) return NOTHING;
  if (nowMs < deadlineMs) return wakeAt(deadlineMs);
  return act(
    decide(bead, 'the answer of the runner is overdue', [
      {
        type: 'raise_escalation',
        causeKey: `bead:${bead.id}`,
        severity: 'high',
        category: 'convoy',
        subject: beadRef(bead.id),
        message: `The revert ${bead.id} is not made after ${duration(BRANCH_JOB_DEADLINE_MS)}: the runner or the git host does not answer, or refuses ${branchName(bead.id)}. It is asked for again by itself; look into the runner's log.`,
      },
    ]),
  );
}

/** It was made, or was not: nobody waits for the runner any more. */
const answered = (bead: Bead): readonly RigAction[] =>
  bead.escalated ? [{ type: 'resolve_escalation', causeKey: `bead:${bead.id}`, bead: bead.id }] : [];

interface Present {
  readonly bead: Bead;
  readonly revert: Revert;
  readonly nowMs: number;
}

function nextStep(view: RigView, { bead, revert, nowMs }: Present): RigDecision | null {
  switch (revert.state) {
    case 'wanted':
      return decide(bead, `what ${revert.convoyId} merged into ${bead.targetBranch} is to be undone`, [
        { type: 'revert_step', bead: bead.id, from: 'wanted', to: 'making', job: revertJob(view, bead, revert, nowMs) },
      ]);
    case 'made':
      return revert.headSha === null ? null : inReview(bead, revert.headSha);
    case 'conflict':
      return decide(bead, reasonOf(revert), [
        ...answered(bead),
        { type: 'revert_step', bead: bead.id, from: 'conflict', to: 'agent', job: null, body: agentText(bead, revert) },
      ]);
    case 'nothing':
      return decide(bead, reasonOf(revert), [
        {
          type: 'transition_bead',
          bead: bead.id,
          from: 'open',
          to: 'closed',
          closeReason: 'no_change',
          evidence: { note: reasonOf(revert) },
        },
      ]);
    default:
      return null;
  }
}

const inReview = (bead: Bead, head: Sha): RigDecision =>
  decide(bead, `the revert is made as ${head}`, [
    ...answered(bead),
    { type: 'transition_bead', bead: bead.id, from: 'open', to: 'in_review' },
    { type: 'create_review', source: bead.id, head },
  ]);

/** The store gives each of these states its reason. */
const reasonOf = (revert: Revert): string => revert.reason ?? 'no reason was given.';

const decide = (bead: Bead, reason: string, actions: RigDecision['actions']): RigDecision => ({
  rule: 'revert',
  entity: beadRef(bead.id),
  reason,
  actions,
});

/** The date comes with the order, so that repeating the order makes the same commits. */
function revertJob(view: RigView, bead: Bead, revert: Revert, nowMs: number): Job {
  const config = view.config();
  return {
    kind: 'revert',
    key: `revert:${bead.id}:${String(revert.version)}`,
    repo: repoFor(view, bead.targetBranch),
    bead: bead.id,
    branch: branchName(bead.id),
    commits: revert.commits,
    ...(revert.landed.length === 0 ? {} : { landed: revert.landed }),
    author: { name: `${config.name}/refinery`, email: config.ownerEmail },
    dateMs: nowMs,
  };
}

/** What an agent is told: the commits, why it is asked, and what counts as done. */
function agentText(bead: Bead, revert: Revert): string {
  return `${bead.body}\n\nThis could not be undone by itself: ${reasonOf(revert)}\n\nUndo each of these commits ("git revert -m 1" for a merge commit), keep what came after them, and call "gt done". When ${bead.targetBranch} has nothing left of them, call "gt done --no-change".`;
}

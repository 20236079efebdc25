import type { RigAction } from '../actions.ts';
import { clearsDependents, isTerminal, type Bead } from '../model/bead.ts';
import { trusted, type BeadId } from '../model/ids.ts';
import { mayHaveLanded, ROUND_STEPS } from '../model/review.ts';
import { beadRef } from '../refs.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { failLanding } from './landing.ts';
import { act, NOTHING, type RigDecision, type RigRule } from './rule.ts';

/**
 * What follows when a bead reached its end, whoever ended it: its attempt ends, its merge request and rework end with
 * it, those who waited are told, and so is the town. Level-triggered, so a path that forgets one of them can't exist.
 */
export const beadEnded: RigRule = (view, id) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || !isTerminal(bead.status)) return NOTHING;
  const decisions: RigDecision[] = [];
  const add = (reason: string, actions: readonly RigAction[]): void => {
    if (actions.length > 0) decisions.push({ rule: 'bead-ended', entity: beadRef(bead.id), reason, actions });
  };
  add('its attempt has nothing left to do', endLiveAttempt(view, bead));
  add('its source ended', endMergeRequest(view, bead));
  add(`a blocker ended: ${bead.closeReason ?? bead.status}`, tellDependents(view, bead));
  add('a rework bead ended without a result', giveUpRework(view, bead));
  add('the town waits for its end', tellTown(view, bead));
  // A bead that was given up keeps its question open for a person.
  if (bead.escalated && bead.status === 'closed')
    add('what was escalated has ended', [{ type: 'resolve_escalation', causeKey: `bead:${bead.id}`, bead: bead.id }]);
  return act(...decisions);
};

function endLiveAttempt(view: RigView, bead: Bead): RigAction[] {
  const attempt = view.liveAttempt(bead.id);
  if (attempt === null) return [];
  return [
    {
      type: 'end_attempt',
      attempt: attempt.id,
      // A review that ends with its agent's word ended as it should.
      outcome: bead.kind === 'review' && bead.closeReason === 'no_change' ? 'no_change' : 'cancelled',
      reason: bead.evidence?.note ?? `The bead ended: ${bead.closeReason ?? bead.status}.`,
      signature: null,
    },
  ];
}

/** The merge request of a bead that ended otherwise ends too, unless its push is under way: then git decides. */
function endMergeRequest(view: RigView, bead: Bead): RigAction[] {
  if (bead.type === 'merge_request' || bead.branchOf !== null) return [];
  const review = view.reviewOf(bead.id);
  if (review === null || mayHaveLanded(review) || review.step === 'ended') return [];
  const mergeRequest = view.bead(review.beadId);
  if (mergeRequest === null || isTerminal(mergeRequest.status)) return [];
  const target = review.targetBranch;
  const inRound = ROUND_STEPS.includes(review.step) && view.round(target).length > 1;
  const actions: RigAction[] = [
    // The candidates of the others were made with this one among them.
    ...(inRound
      ? [{ type: 'dissolve_round' as const, target, except: review.beadId, reason: `${bead.id} ended` }]
      : []),
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'ended',
      job: null,
      heldReason: 'its source ended',
    },
    {
      type: 'transition_bead',
      bead: mergeRequest.id,
      from: mergeRequest.status,
      to: 'closed',
      closeReason: 'source_ended',
    },
  ];
  for (const open of view.openReworks(review.beadId))
    actions.push({
      type: 'transition_bead',
      bead: open.id,
      from: open.status,
      to: 'closed',
      closeReason: 'source_ended',
    });
  return actions;
}

function tellDependents(view: RigView, bead: Bead): RigAction[] {
  const dependents = view.dependents(bead.id);
  return dependents.length === 0
    ? []
    : [{ type: 'resolve_blocker', blocker: bead.id, dependents, cleared: clearsDependents(bead) }];
}

/** A failed rework leaves its merge request to a person: visible, with the question. */
function giveUpRework(view: RigView, bead: Bead): RigAction[] {
  if (bead.branchOf === null || clearsDependents(bead) || bead.closeReason === 'source_ended') return [];
  const review = view.reviewOf(bead.branchOf);
  const mergeRequest = review === null ? null : view.bead(review.beadId);
  if (review === null || mergeRequest === null || review.step !== 'reworking' || mergeRequest.hold !== null) return [];
  const landing = view.bead(bead.branchOf);
  if (landing?.kind === 'landing') return giveUpLanding(view, { bead, landing, review });
  const question = `The rework ${bead.id} of ${bead.branchOf} ended as ${bead.closeReason ?? bead.status}. Look at it, then "gt bead retry ${bead.branchOf}".`;
  return [
    ...untold(bead, review.beadId),
    { type: 'hold_bead', bead: review.beadId, hold: 'needs_human', reason: question },
    {
      type: 'raise_escalation',
      causeKey: `bead:${bead.branchOf}`,
      severity: 'high',
      category: 'merge',
      subject: beadRef(bead.branchOf),
      message: question,
    },
  ];
}

/** What a feedback bead should have answered was answered by nobody: all that still stands there is given again. */
const untold = (bead: Bead, mergeRequest: BeadId): readonly RigAction[] =>
  bead.kind === 'feedback' ? [{ type: 'pull_note', mergeRequest, change: { given: [] } }] : [];

/** A landing whose rework came to nothing is given up; the convoy decides whether another one follows. */
function giveUpLanding(
  view: RigView,
  given: { readonly bead: Bead; readonly landing: Bead; readonly review: ReviewFacts },
): RigAction[] {
  const { bead, landing, review } = given;
  if (landing.status !== 'in_review') return [];
  const why = `its rework ${bead.id} ended as ${bead.closeReason ?? bead.status}`;
  return [...failLanding(view, { review, landing, why })];
}

function tellTown(view: RigView, bead: Bead): RigAction[] {
  if (!view.isWatched(bead.id) || view.endReported(bead.id) || (bead.status !== 'closed' && bead.status !== 'failed'))
    return [];
  return [
    {
      type: 'send_message',
      key: `ended:${bead.id}`,
      message: {
        type: 'bead_ended',
        bead: bead.id,
        convoy: bead.convoyId,
        status: bead.status,
        closeReason: bead.closeReason ?? bead.status,
        mergeSha: bead.evidence?.mergeSha ?? null,
        target: bead.evidence?.target ?? bead.targetBranch,
        note: bead.evidence?.note ?? '',
      },
    },
  ];
}

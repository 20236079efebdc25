import type { RigAction } from '../actions.ts';
import { beadRef } from '../refs.ts';
import type { ReviewFacts } from '../view.ts';

/** What is in the history can't be reworked away on the same branch: a person decides. Nothing was pushed. */
export function refusedPush(review: ReviewFacts, message: string): RigAction[] {
  const { beadId, sourceBeadId, branch } = review;
  const question = `${sourceBeadId} is not merged: ${message} Take it out of ${branch}, or allow it (secrets_allowed in gastown.toml), then "gt bead retry ${sourceBeadId}".`;
  return [
    {
      type: 'merge_step',
      mergeRequest: beadId,
      fromStep: review.step,
      toStep: 'queued',
      job: null,
      candidate: null,
      heldReason: message,
    },
    { type: 'transition_bead', bead: beadId, from: 'in_progress', to: 'open' },
    ...askPerson(review, question),
  ];
}

/** The merge request waits until a person answers. */
export const askPerson = (review: ReviewFacts, question: string): RigAction[] => [
  { type: 'hold_bead', bead: review.beadId, hold: 'needs_human', reason: question },
  {
    type: 'raise_escalation',
    causeKey: `bead:${review.sourceBeadId}`,
    severity: 'high',
    category: 'merge',
    subject: beadRef(review.sourceBeadId),
    message: question,
  },
];

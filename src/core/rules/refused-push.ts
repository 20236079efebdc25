import type { RigAction } from '../actions.ts';
import { beadRef } from '../refs.ts';
import { inOneLine } from '../job-trouble.ts';
import { asSentence } from '../sentence.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { backInLine } from './back-in-line.ts';

/** Code of a runner's refusal: the host takes no such push, so that trying again changes nothing. */
export const PUSH_REFUSED = 'push_refused';

/** What is in the history can't be reworked away on the same branch: a person decides. Nothing was pushed. */
export function refusedPush(review: ReviewFacts, message: string): RigAction[] {
  const { sourceBeadId, branch } = review;
  const question = `${sourceBeadId} is not merged: ${message} Take it out of ${branch}, or allow it (secrets_allowed in gastown.toml), then "gt bead retry ${sourceBeadId}".`;
  return [...backInLine(review, { heldReason: message }), ...askPerson(review, question)];
}

/** A hook, a protected branch or a missing right: nothing of the work can change that. Nothing was pushed. */
export function refusedByHost(view: RigView, review: ReviewFacts, words: string): RigAction[] {
  const { sourceBeadId: source, targetBranch: target } = review;
  const { name } = view.config();
  const question = `The git host refused ${source} on ${target}: ${asSentence(inOneLine(words))} Let the town's account push to ${target}, then "gt bead retry ${source}"; or have it merge by pull requests ("gt config set rigs.${name}.merge_strategy pr"), then the same.`;
  return [
    ...backInLine(review, { heldReason: `the git host refused its push: ${inOneLine(words)}` }),
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

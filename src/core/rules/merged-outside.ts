import type { RigAction } from '../actions.ts';
import type { BeadKind } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import type { Brought } from '../model/outside.ts';
import { beadRef } from '../refs.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { merged } from './merge-end.ts';
import { askPerson } from './refused-push.ts';
import { backInLine } from './back-in-line.ts';

/** What the town makes itself: its head may be on the target for reasons of its own (nothing was left to land). */
const MADE_BY_THE_TOWN: readonly BeadKind[] = ['landing', 'revert'];
/** Enough of a commit's name for people to find it by. */
const SHORT_SHA_CHARS = 12;

/**
 * True when what was handed in is the merge of another merge request: the target has it, and nothing of it is this bead's.
 * What the town makes itself may end so.
 */
export const isOfAnother = (view: RigView, review: ReviewFacts, { madeFor }: Pick<Brought, 'madeFor'>): boolean =>
  madeFor !== undefined && madeFor !== review.beadId && !isTheTowns(view, review);

const isTheTowns = (view: RigView, review: ReviewFacts): boolean => {
  const source = view.bead(review.sourceBeadId);
  return source !== null && MADE_BY_THE_TOWN.includes(source.kind);
};

/** That merge stands for the work of the other; what becomes of this bead, a person says. */
export function otherQuestion(view: RigView, review: ReviewFacts, { mergeSha, madeFor }: Brought): string {
  const { sourceBeadId: bead, targetBranch } = review;
  const other = madeFor === undefined ? null : (view.review(trusted.bead(madeFor))?.sourceBeadId ?? madeFor);
  return `${bead} is not merged: all that was handed in for it is the merge of ${other ?? 'another bead'} (${mergeSha.slice(0, SHORT_SHA_CHARS)}), which ${targetBranch} has already. End it with "gt bead close ${bead}"; if its work is still to be done, "gt bead reopen ${bead}" after that.`;
}

/** It waits for that person, out of the way of the others. */
export const askForOwn = (view: RigView, review: ReviewFacts, brought: Brought): readonly RigAction[] => [
  ...backInLine(review, { heldReason: NOTHING_OWN }),
  ...askPerson(review, otherQuestion(view, review, brought)),
];

/** Why it is held. */
export const NOTHING_OWN = 'its branch holds the merge of another bead and nothing of its own';

/** Why it counts as merged, for the journal. */
export function onTarget({ outside }: Brought): string {
  if (outside === undefined) return 'the head is an ancestor of the target already';
  return outside === 'pushed'
    ? 'the head is on the target already, past the gates: no train brought it'
    : 'the head is on the target already, past the gates: somebody merged it by hand';
}

/**
 * Ends what the target has already: merged, by ancestry (T21, R9), whoever brought it there. Work that no train brought was
 * tested by nobody here, and its bead says so. A person who merged it by hand knows; when the target was moved to the work's
 * own commits, its agent may have pushed them, and a person hears of it once.
 */
export function mergedAlready(view: RigView, review: ReviewFacts, brought: Brought): readonly RigAction[] {
  const mergeSha = trusted.sha(brought.mergeSha);
  if (brought.outside === undefined || isTheTowns(view, review)) return merged(view, review, mergeSha);
  const hasGates = view.config().gates.length > 0;
  const past = brought.outside === 'pushed' ? 'It was pushed there past the train' : 'It was merged there by hand';
  const note = hasGates ? `${past}: no gate ran on it here.` : `${past}.`;
  return [
    ...merged(view, review, mergeSha, note),
    ...(brought.outside === 'pushed' ? [pushedPast(view, review, { brought, hasGates })] : []),
  ];
}

/** Of its own cause: the end of the bead must not take it back. */
function pushedPast(
  view: RigView,
  { sourceBeadId: bead, targetBranch }: ReviewFacts,
  { brought, hasGates }: { readonly brought: Brought; readonly hasGates: boolean },
): RigAction {
  const agent = view.lastAgentOf(bead);
  const untested = hasGates ? `No gate ran on it here; the next merge tests ${targetBranch} with it. ` : '';
  return {
    type: 'raise_escalation',
    causeKey: `past:${bead}`,
    severity: hasGates ? 'high' : 'medium',
    category: 'merge',
    subject: beadRef(bead),
    message: `${bead} is on ${targetBranch} as ${brought.mergeSha.slice(0, SHORT_SHA_CHARS)}, and this town did not push it: its agent${agent === null ? '' : ` ${agent}`} did, or somebody moved ${targetBranch} to its branch. ${untested}Look at it with "gt bead diff ${bead}"; a host that protects ${targetBranch} refuses such pushes.`,
  };
}

import type { JobResult } from '../facts.ts';
import type { RigAction } from '../actions.ts';
import { FORMER_TIPS_MAX } from '../limits.ts';
import { trusted, type BeadId } from '../model/ids.ts';
import type { Revived } from '../model/merge-answer.ts';
import { trainRef } from '../refs.ts';
import { counted } from '../text.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { backInLine } from './back-in-line.ts';
import { decide } from './merge-push.ts';
import { askPerson } from './refused-push.ts';
import type { RigVerdicts } from './rule.ts';

type Rewritten = Extract<JobResult, { readonly result: 'rewritten' }>;

/** Digits of a commit's name that people read. */
const SHORT = 12;

const countedIfKnown = (count: number | null, one: string, many: string): string =>
  count === null ? `an unknown number of ${many}` : counted(count, one, many);

/**
 * People took commits out of the target by force. That is theirs to do, so the train goes on from what is there; but it is
 * told once, because merged work may be gone, and what was begun before asks before it brings anything back.
 */
export function targetRewritten(view: RigView, review: ReviewFacts, found: Rewritten): RigVerdicts {
  const { targetBranch: target } = review;
  const span = `${found.from.slice(0, SHORT)}..${found.targetSha.slice(0, SHORT)}`;
  const reason = `${target} was rewritten (${span})`;
  const went = countedIfKnown(found.commits, 'commit', 'commits');
  const merged = countedIfKnown(found.merged, 'merged bead is', 'merged beads are');
  return decide(review, reason, [
    { type: 'dissolve_round', target, except: null, reason },
    {
      type: 'raise_escalation',
      causeKey: `rewritten:${target}:${found.targetSha}`,
      severity: 'high',
      category: 'merge',
      subject: trainRef(target),
      message: `${target} of ${view.config().name} was rewritten on its host (${span}): ${went} went, and ${merged} not on it any more, though closed as merged ("gt doctor" names them, "gt bead reopen <id>" does one again). The train goes on from there. Work that was begun before is not merged without you where it would bring back what went.`,
    },
  ]);
}

/** It waits for a person, who says that it may ("gt bead retry"), or has it done anew. */
export function askToRevive(
  view: RigView,
  review: ReviewFacts,
  { from, commits, also = [] }: Revived,
): readonly RigAction[] {
  const { sourceBeadId: source, targetBranch: target } = review;
  const what = `${countedIfKnown(commits, 'commit', 'commits')} that people took out of ${target} (it was at ${[from, ...also].map((tip) => tip.slice(0, SHORT)).join(', ')})`;
  // The yes, when it comes, is to all of them; what was allowed before stays so.
  const mayRevive = new Set([...[from, ...also].map(trusted.sha), ...review.mayRevive]);
  return [
    ...backInLine(review, {
      heldReason: `would bring back ${what}`,
      mayRevive: [...mayRevive].slice(0, FORMER_TIPS_MAX),
    }),
    ...askPerson(
      review,
      `${source} was begun before ${target} was rewritten; merged, it would bring back ${what}. ${insteadOf(view, source)} Or bring them back with it: "gt bead retry ${source}".`,
    ),
  ];
}

/** Without what it would bring back: what the town makes itself belongs to a convoy, which says what becomes of it. */
function insteadOf(view: RigView, id: BeadId): string {
  const bead = view.bead(id);
  const convoy = bead?.convoyId ?? '<convoy>';
  switch (bead?.kind) {
    case 'landing':
      return `Give the landing up: "gt convoy close ${convoy}".`;
    case 'revert':
      return `Do it anew on what is there now: "gt bead close ${id}", then "gt convoy revert ${convoy}".`;
    default:
      return `Do it anew on what is there now: "gt bead close ${id}", then "gt bead reopen ${id}".`;
  }
}

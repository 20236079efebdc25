import { REWORK_ROUNDS_MAX } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Bead } from '../model/bead.ts';
import type { Sha } from '../model/ids.ts';
import { counted } from '../text.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { backToLine } from './back-in-line.ts';
import { failLanding } from './landing.ts';
import { askPerson } from './refused-push.ts';

export interface ReworkCause {
  readonly reason: string;
  readonly title: string;
  readonly body: string;
  readonly gateLog?: string;
  readonly gateSignature?: string;
  /** Nothing is wrong with the work: it uses up no round. */
  readonly isNoRound?: boolean;
  /** The first attempt at it waits until then: rounds that come quickly only burn money. */
  readonly notBeforeMs?: number;
}

export interface Rework {
  readonly reason: string;
  readonly actions: readonly RigAction[];
}

/** Rework continues the same branch and blocks the merge request; after too many rounds a person decides. */
export function rework(
  view: RigView,
  review: ReviewFacts,
  kind: 'rework' | 'conflict' | 'feedback',
  cause: ReworkCause,
): Rework {
  const step = [...leave(review, cause), backToLine(review)];
  const again = cause.gateSignature === review.gateSignature;
  const isUsedUp = review.rounds >= REWORK_ROUNDS_MAX && cause.isNoRound !== true;
  if (isUsedUp || again) return tooOften(view, review, { cause, again, step });
  return {
    reason: cause.reason,
    actions: [
      ...step,
      {
        type: 'create_rework',
        mergeRequest: review.beadId,
        kind,
        title: cause.title,
        body: cause.body,
        notBeforeMs: cause.notBeforeMs ?? 0,
        preferAgent: view.lastAgentOf(review.sourceBeadId),
        ...(cause.isNoRound === true ? { isNoRound: true } : {}),
      },
    ],
  };
}

function leave(review: ReviewFacts, cause: ReworkCause): readonly RigAction[] {
  const log = cause.gateLog === undefined ? {} : { gateLog: cause.gateLog };
  const signature = cause.gateSignature === undefined ? {} : { gateSignature: cause.gateSignature, gateKills: 0 };
  return [
    {
      type: 'merge_step',
      mergeRequest: review.beadId,
      fromStep: review.step,
      toStep: 'reworking',
      job: null,
      candidate: null,
      heldReason: cause.reason,
      ...log,
      ...signature,
    },
  ];
}

/** The work of `bead` on the branch of a merge request has ended: back in line, or on to what is still to do. */
export const advance = (view: RigView, bead: Bead, { beadId: mergeRequest }: ReviewFacts, head: Sha): RigAction => ({
  type: 'advance_review',
  mergeRequest,
  head,
  isLast: view.openReworks(mergeRequest).every(({ id }) => id === bead.id),
});

function tooOften(
  view: RigView,
  review: ReviewFacts,
  { cause, again, step }: { readonly cause: ReworkCause; readonly again: boolean; readonly step: readonly RigAction[] },
): Rework {
  const rounds = counted(review.rounds, 'time');
  const landing = view.bead(review.sourceBeadId);
  if (landing?.kind === 'landing') {
    const why = `it was reworked ${rounds} and still ${cause.reason}`;
    return { reason: `this landing is given up: ${why}`, actions: failLanding(view, { review, landing, why }) };
  }
  const question = again
    ? `${review.sourceBeadId} was reworked and its ${cause.reason} in the same way as before. Look at it, then "gt bead retry ${review.sourceBeadId}".`
    : `${review.sourceBeadId} was reworked ${rounds} and still ${cause.reason}. Look at it, then "gt bead retry ${review.sourceBeadId}".`;
  const reason = again ? 'the same gate failed twice in the same way' : 'the rework rounds are used up';
  return { reason, actions: [...step, ...askPerson(review, question)] };
}

/** What an agent is told of a conflict. */
export const conflictCause = (
  review: ReviewFacts,
  found: { readonly targetSha: string; readonly paths: readonly string[]; readonly message: string },
): ReworkCause => ({
  reason: `conflicts with ${review.targetBranch} in ${found.paths.join(', ')}`,
  title: `Resolve the conflict with ${review.targetBranch}`,
  body: conflictText(review, found),
});

function conflictText(
  review: ReviewFacts,
  {
    targetSha,
    paths,
    message,
  }: { readonly targetSha: string; readonly paths: readonly string[]; readonly message: string },
): string {
  const list = paths.map((path) => `- ${path}`).join('\n');
  return `${review.branch} and ${review.targetBranch} (at ${targetSha}) changed the same places:\n\n${list}\n\nMerge ${targetSha} into the branch, keep both changes, then call "gt done".\n\n${message}`;
}

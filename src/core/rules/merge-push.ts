import { MERGE_STEP_DEADLINE_MS } from '../limits.ts';
import type { RigAction } from '../actions.ts';
import type { Job } from '../facts.ts';
import type { Sha } from '../model/ids.ts';
import type { MergedEntry } from '../model/train.ts';
import { beadRef } from '../refs.ts';
import { isPush } from '../train/marks.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { act, NOTHING, type RigVerdicts } from './rule.ts';

/** One decision about a whole round. */
export const decide = (review: ReviewFacts, reason: string, actions: readonly RigAction[]): RigVerdicts =>
  actions.length === 0 ? NOTHING : act({ rule: 'merge-step', entity: beadRef(review.beadId), reason, actions });

/** What lands with one push: the entries in order, made on this commit of the target. */
export interface Landing {
  readonly entries: readonly { readonly review: ReviewFacts; readonly made: MergedEntry; readonly isFlaky: boolean }[];
  readonly targetSha: Sha;
}

/**
 * One push of the last candidate, which holds all before it. Keys hold the version: the same candidate may come again after
 * a lost race, and an old result must not answer it.
 */
export function pushSteps(view: RigView, landing: Landing, nowMs: number): readonly RigAction[] {
  const first = landing.entries[0]?.review;
  const tip = landing.entries.at(-1)?.made;
  if (first === undefined || tip === undefined) return [];
  const job: Job = {
    kind: 'push',
    key: `push:${first.beadId}:${tip.candidate}:${String(first.version)}`,
    repo: repoFor(view, first.targetBranch),
    mergeRequest: first.beadId,
    candidate: tip.candidate,
    expectedOld: landing.targetSha,
    notAfterMs: nowMs + MERGE_STEP_DEADLINE_MS,
  };
  return landing.entries.map(({ review, made, isFlaky }, position) => ({
    type: 'merge_step' as const,
    mergeRequest: review.beadId,
    fromStep: review.step,
    toStep: 'pushing' as const,
    job: position === 0 ? job : null,
    deadlineAtMs: nowMs + MERGE_STEP_DEADLINE_MS,
    candidate: { sha: made.candidate, tree: made.tree, targetSha: landing.targetSha },
    position,
    suspect: isPush(review.suspect) ? review.suspect : null,
    ...(isFlaky ? { flakes: review.flakes + 1 } : {}),
    ...(review.step === 'gating' ? { gateSignature: null, gateKills: 0 } : {}),
  }));
}

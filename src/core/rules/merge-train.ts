import { MERGE_STEP_DEADLINE_MS } from '../limits.ts';
import type { Job } from '../facts.ts';
import type { Bead } from '../model/bead.ts';
import { trainRef } from '../refs.ts';
import type { ReviewFacts, RigView } from '../view.ts';
import { repoFor } from './feature-branch.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * One merge at a time per target branch: when the train is free, the head of the line starts. FIFO within priority,
 * with ageing (`queueKey`). A merge request that waits for rework or for people is not in line and blocks nobody.
 */
export const mergeTrain: RigRule = (view, target, nowMs) => {
  if (view.activeReview(target) !== null) return NOTHING;
  // A feature branch that is not known to be whole takes no merges: what was in it could be lost unseen.
  if ((view.feature(target)?.state ?? 'ready') !== 'ready') return NOTHING;
  const next = view.nextReview(target);
  if (next === null) return NOTHING;
  const source = view.bead(next.sourceBeadId);
  if (source === null) return NOTHING;
  return act({
    rule: 'merge-train',
    entity: trainRef(target),
    reason: `${next.beadId} is first in line for ${target}`,
    actions: [
      {
        type: 'start_merge',
        mergeRequest: next.beadId,
        fromStep: 'queued',
        toStep: 'preparing',
        job: mergeJob(view, next, source, nowMs),
        deadlineAtMs: nowMs + MERGE_STEP_DEADLINE_MS,
        heldReason: null,
      },
      { type: 'transition_bead', bead: next.beadId, from: 'open', to: 'in_progress' },
    ],
  });
};

/** The candidate's date comes with the order, so that repeating the order makes the same commit. */
function mergeJob(view: RigView, review: ReviewFacts, source: Bead, nowMs: number): Job {
  const config = view.config();
  return {
    kind: 'merge',
    key: `merge:${review.beadId}:${review.headSha}:${String(review.version)}`,
    repo: repoFor(view, review.targetBranch),
    mergeRequest: review.beadId,
    head: review.headSha,
    earlierCandidate: review.candidateSha,
    message: `Merge ${review.branch}: ${firstLine(source.title)}\n\nGt-Bead: ${source.id}\nGt-Merge-Request: ${review.beadId}\n`,
    author: { name: `${config.name}/refinery`, email: config.ownerEmail },
    dateMs: nowMs,
  };
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

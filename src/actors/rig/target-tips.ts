import type { JobResult } from '../../core/facts.ts';
import type { BeadId } from '../../core/model/ids.ts';
import { leaveTip, sawTip } from '../../store/tip-store.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/**
 * Remembers at what the train saw its target. A lost race is no sight of it: who won may have rewritten it, which only a
 * merge finds out. A branch that the town keeps is put back, so nothing has to be remembered of it.
 */
export function sawTarget(rig: RigContext, turn: Turn, mergeRequest: BeadId, result: JobResult): void {
  const review = rig.view.review(mergeRequest);
  if (review === null || review.strategy !== 'direct' || rig.view.feature(review.targetBranch) !== null) return;
  switch (result.result) {
    case 'candidate':
    case 'conflict':
    case 'already_merged':
    case 'revives':
    case 'pushed':
      sawTip(turn.sql, review.targetBranch, result.targetSha);
      return;
    case 'rewritten':
      leaveTip(turn.sql, review.targetBranch, { from: result.from, to: result.targetSha });
      return;
    default:
  }
}

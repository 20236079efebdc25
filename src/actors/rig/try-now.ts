import { strategyFor } from '../../core/pull/strategy.ts';
import { claimKey } from '../../core/rules/verify-done.ts';
import type { Bead } from '../../core/model/bead.ts';
import { trainRef } from '../../core/refs.ts';
import type { ReviewFacts } from '../../core/view.ts';
import { hurryJob } from '../../store/job-store.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';
import { dissolveRound } from './rounds.ts';

/**
 * A person says "now": what a merge request waits for and what failed is not put off any longer. A merge that failed is
 * ordered anew with the settings of now; a push and gates keep their order, since they may be under way.
 */
export function tryStepNow(rig: RigContext, turn: Turn, writer: RigWriter, review: ReviewFacts): void {
  const { targetBranch: target } = review;
  const leader = rig.view.round(target).some(({ beadId }) => beadId === review.beadId)
    ? (rig.view.activeReview(target) ?? review)
    : review;
  const failed = leader.stepKey !== null && rig.view.trouble(leader.stepKey) !== null;
  if (failed && leader.step === 'preparing') {
    dissolveRound(rig, turn, writer, { target, except: null, reason: 'a person has it tried again' });
    turn.dirty(trainRef(target));
    return;
  }
  for (const key of [leader.stepKey, ...rig.view.probes(leader.beadId).map((probe) => probe.key)])
    if (key !== null) hurryJob(turn.sql, key, turn.nowMs);
}

/** The same for the claim of a bead whose agent is done. */
export function tryClaimNow(rig: RigContext, turn: Turn, bead: Bead): void {
  const attempt = rig.view.liveAttempt(bead.id);
  const key = attempt === null ? null : claimKey(attempt);
  if (key !== null) hurryJob(turn.sql, key, turn.nowMs);
}

/**
 * A person may have changed how the rig merges because its host refuses direct pushes: what waits in line, and is not
 * pushed, follows when it is tried again.
 */
export function followStrategy(rig: RigContext, writer: RigWriter, review: ReviewFacts): void {
  const isFree = review.step === 'queued' && review.strategy === 'direct' && review.candidateSha === null;
  if (isFree && strategyFor(rig.view, review.targetBranch) === 'pr') writer.proposals.takeOver(review.beadId);
}

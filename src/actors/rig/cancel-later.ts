import type { Bead, Evidence } from '../../core/model/bead.ts';
import { mayHaveLanded } from '../../core/model/review.ts';
import { beadRef } from '../../core/refs.ts';
import { freshFromMs } from '../../core/rules/pull-cancel.ts';
import type { ReviewFacts } from '../../core/view.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/**
 * False: nothing of the bead can have landed, and it may end at once. Else its cancel waits: for git's word about a push,
 * or for a look at its pull request, which others merge whenever they like.
 */
export function cancelLater(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { bead, review, evidence }: { readonly bead: Bead; readonly review: ReviewFacts; readonly evidence: Evidence },
): boolean {
  const proposal = review.strategy === 'pr' ? rig.view.proposal(review.beadId) : null;
  const hasPull = proposal !== null && proposal.number !== null;
  if (!hasPull && !mayHaveLanded(review)) return false;
  // Asked for twice it waits for no other look.
  writer.updateBead(bead.id, { cancel_requested_at: bead.cancelRequestedAtMs ?? turn.nowMs });
  // The next merge says whether it arrived; held, it would never be asked.
  writer.updateBead(review.beadId, { hold: null, hold_reason: null });
  if (!hasPull) return true;
  writer.proposals.change(review.beadId, { retryAtMs: 0, cancel: proposal.cancel ?? evidence });
  turn.kernel.setTimer(beadRef(review.beadId), 'observe', freshFromMs(turn.nowMs, proposal));
  return true;
}

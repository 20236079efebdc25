import { trusted } from '../model/ids.ts';
import { beadRef } from '../refs.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * The policy `skip` of a convoy: what waits for a failed or cancelled bead can never run, so it is cancelled, which
 * does the same to what waits for it. Without the policy it stays blocked, visibly, until a person decides.
 */
export const skipBlocked: RigRule = (view, id) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.status !== 'open' || bead.failedBlockers === 0 || !view.skipsFailed(bead.id))
    return NOTHING;
  return act({
    rule: 'skip-blocked',
    entity: beadRef(bead.id),
    reason: 'something it waits for failed, and its convoy skips such beads',
    actions: [
      {
        type: 'transition_bead',
        bead: bead.id,
        from: 'open',
        to: 'closed',
        closeReason: 'cancelled',
        evidence: {
          note: `skipped: a bead that it waits for failed or was cancelled (convoy ${bead.convoyId ?? 'gone'})`,
        },
      },
    ],
  });
};

import type { TownToRig } from '../../core/messages.ts';
import { unreachable } from '../../core/assert.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { landConvoy } from './landing-messages.ts';
import { joinAfterReopen, waitForSuccessor } from './reopen.ts';
import { revertConvoy } from './revert-messages.ts';
import { forgetEscalation } from './rig-actions.ts';
import type { RigContext } from './rig-context.ts';

type Order = Extract<
  TownToRig,
  { readonly type: 'land_convoy' | 'revert_convoy' | 'take_successor' | 'gate_moved' | 'escalation_closed' }
>;

/** What the town says beyond the beads of a plan: landings, reverts, successors of reopened beads, answers of people. */
export function applyConvoyOrder(rig: RigContext, turn: Turn, writer: RigWriter, order: Order): void {
  switch (order.type) {
    case 'land_convoy':
      landConvoy(rig, turn, writer, order);
      return;
    case 'revert_convoy':
      revertConvoy(rig, turn, writer, order);
      return;
    case 'take_successor':
      joinAfterReopen(rig, turn, writer, order);
      return;
    case 'gate_moved':
      waitForSuccessor(turn, writer, order);
      return;
    case 'escalation_closed':
      forgetEscalation(writer, order.causeKey);
      turn.journal({
        entity: order.causeKey,
        action: 'escalation_closed',
        rule: 'town',
        reason: 'resolved by a person; when its cause comes back it is told again',
      });
      return;
    default:
      unreachable(order, 'order of the town');
  }
}

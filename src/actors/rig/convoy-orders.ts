import type { TownToRig } from '../../core/messages.ts';
import { unreachable } from '../../core/assert.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { landConvoy } from './landing-messages.ts';
import { joinAfterReopen, waitForSuccessor } from './reopen.ts';
import { revertConvoy } from './revert-messages.ts';
import type { RigContext } from './rig-context.ts';

type Order = Extract<TownToRig, { readonly type: 'land_convoy' | 'revert_convoy' | 'take_successor' | 'gate_moved' }>;

/** What the town orders beyond the beads of a plan: landings, reverts, and successors of reopened beads. */
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
    default:
      unreachable(order, 'order of the town');
  }
}

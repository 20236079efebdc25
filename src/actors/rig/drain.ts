import type { Caller } from '../../core/commands.ts';
import { SCHEDULE } from '../../core/refs.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/** From now on the parked rig finishes what is in its merge line. Said again it changes nothing. */
export function drain(rig: RigContext, turn: Turn, caller: Caller): void {
  if (rig.view.isDraining()) return;
  turn.kernel.setMeta('drain', 'yes');
  turn.journal({ entity: SCHEDULE, action: 'drain_rig', rule: 'command', reason: `by ${caller.actor}` });
  turn.dirty(SCHEDULE);
}

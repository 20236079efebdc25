import { clearsDependents, isTerminal } from '../../core/model/bead.ts';
import type { BeadId } from '../../core/model/ids.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

/** A blocker that has ended already blocks nothing, or shows its failure at once. */
export function addLocalBlocker(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  { bead, blocker }: { readonly bead: BeadId; readonly blocker: BeadId },
): void {
  const row = rig.bead(turn, blocker);
  if (row === null || !isTerminal(row.status)) writer.blockers.add(bead, blocker, 'local', 'open');
  else writer.blockers.add(bead, blocker, 'local', clearsDependents(row) ? 'cleared' : 'failed');
}

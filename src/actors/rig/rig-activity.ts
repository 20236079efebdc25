import type { RigToTown } from '../../core/messages.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

const TOLD = 'activity_told';

/** Work that nobody but the machinery moves: processes, merge steps, and beads that may be dispatched. */
function hasLiveWork(rig: RigContext): boolean {
  const any = (query: string): boolean => rig.sql.all(query).length > 0;
  if (any('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1')) return true;
  if (any(`SELECT 1 AS one FROM reviews WHERE step IN ('preparing', 'gating', 'pushing') LIMIT 1`)) return true;
  const isDraining = rig.view.isDraining();
  if (rig.view.config().parked && !isDraining) return false;
  return any(
    `SELECT 1 AS one FROM beads WHERE type = 'issue' AND status = 'open' AND hold IS NULL AND open_blockers = 0 AND failed_blockers = 0
      ${isDraining ? 'AND branch_of IS NOT NULL' : ''} LIMIT 1`,
  );
}

/** Tells the town when live work begins and when it ends, so that it watches this rig only in between. */
export function tellActivity(rig: RigContext, turn: Turn): void {
  const live = hasLiveWork(rig);
  if (live === (turn.kernel.getMeta(TOLD) === 'live')) return;
  turn.kernel.setMeta(TOLD, live ? 'live' : 'idle');
  turn.send<RigToTown>('town', rig.address, { type: 'rig_activity', live });
}

import type { RigAction } from '../../core/actions.ts';
import { AGENT_UNUSED_MS, ARCHIVE_BATCH, BEADS_KEPT_MS } from '../../core/limits.ts';
import { agentRef, beadRef } from '../../core/refs.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import { HistoryStore } from '../../store/history-store.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';

/** What leaves the tables of what lives. */
export type PutAwayAction = Extract<RigAction, { readonly type: 'archive_bead' | 'retire_agent' }>;

/** Where housekeeping looks next: what is kept must not hide what comes after it. */
const SEEN = 'archive_seen';

export const isPutAway = (action: { readonly type: RigAction['type'] }): action is PutAwayAction =>
  action.type === 'archive_bead' || action.type === 'retire_agent';

export function putAway(rig: RigContext, turn: Turn, writer: RigWriter, action: PutAwayAction): Change {
  const { view } = rig;
  if (action.type === 'retire_agent') {
    const agent = view.agent(action.agent);
    if (agent === null || view.isAgentNeeded(agent.id)) throw new GuardFailed(`${action.agent} is needed`);
    writer.transitionAgent(agent, 'dead');
    return { entity: agentRef(agent.id), from: agent.status, to: 'dead' };
  }
  if (view.isKept(action.source, action.endedBeforeMs)) throw new GuardFailed(`${action.source} is needed`);
  view.archive.putAway(action.source, turn.nowMs, new HistoryStore(rig.sql).journalInSnapshot());
  return { entity: beadRef(action.source), to: 'archived' };
}

/** Lets the rules look at what is old enough to rest, a bounded part of it; true when more is left. */
export function nameOld(rig: RigContext, turn: Turn): boolean {
  const { archive } = rig.view;
  const agents = archive.unused(rig.view.config().name, turn.nowMs - AGENT_UNUSED_MS, ARCHIVE_BATCH);
  for (const agent of agents) turn.dirty(agentRef(agent));
  const seen = turn.kernel.getMeta(SEEN) || null;
  const next = archive.candidates(turn.nowMs - BEADS_KEPT_MS, ARCHIVE_BATCH, seen);
  for (const id of next.ids) turn.dirty(beadRef(id));
  if (next.seen !== seen) turn.kernel.setMeta(SEEN, next.seen ?? '');
  return next.seen !== null;
}

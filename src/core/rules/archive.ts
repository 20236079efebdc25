import { AGENT_UNUSED_MS, BEADS_KEPT_MS } from '../limits.ts';
import { isTerminal } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import { isPolecatOf } from '../model/polecat.ts';
import { agentRef, beadRef } from '../refs.ts';
import { act, NOTHING, type RigRule } from './rule.ts';

/**
 * A branch that ended long ago, and that nothing needs any more, moves to the archive as a whole. It has no wake-up:
 * housekeeping names what is old enough, after turns that were made for work.
 */
export const archiveBead: RigRule = (view, id, nowMs) => {
  const bead = view.bead(trusted.bead(id));
  if (bead === null || bead.type !== 'issue' || bead.branchOf !== null || !isTerminal(bead.status)) return NOTHING;
  const beforeMs = nowMs - BEADS_KEPT_MS;
  if (bead.closedAtMs === null || bead.closedAtMs > beforeMs || view.isKept(bead.id, beforeMs)) return NOTHING;
  return act({
    rule: 'archive',
    entity: beadRef(bead.id),
    reason: 'ended long ago, and nothing needs it',
    actions: [{ type: 'archive_bead', source: bead.id, endedBeforeMs: beforeMs }],
  });
};

/**
 * An agent that nobody used for long retires; its name stays its own. What older versions made of a text that is no polecat of
 * this rig retires as soon as it is idle. It has no wake-up either.
 */
export const retireAgent: RigRule = (view, id, nowMs) => {
  const agent = view.agent(trusted.agent(id));
  if (agent === null || agent.status !== 'idle') return NOTHING;
  const isStranger = !isPolecatOf(view.config().name, agent.id);
  if (!isStranger && agent.updatedAtMs + AGENT_UNUSED_MS > nowMs) return NOTHING;
  if (view.unresolvedAttempt(agent.id) !== null || view.isAgentNeeded(agent.id)) return NOTHING;
  return act({
    rule: 'retire-agent',
    entity: agentRef(agent.id),
    reason: isStranger ? 'no polecat of this rig' : 'not used for long',
    actions: [{ type: 'retire_agent', agent: agent.id }],
  });
};

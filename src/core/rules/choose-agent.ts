import type { Agent } from '../model/agent.ts';
import { trusted, type AgentId, type RigName } from '../model/ids.ts';
import { sourceOf, type Bead } from '../model/bead.ts';
import { isPolecatOf, polecatOf } from '../model/polecat.ts';
import type { RigView } from '../view.ts';

/** Names people can tell apart at a glance; after the pool is used up they go on as `<name>-2`. */
export const POLECAT_NAMES = [
  'nux',
  'slit',
  'toast',
  'dag',
  'capable',
  'furiosa',
  'max',
  'rictus',
  'keeper',
  'valkyrie',
  'cheedo',
  'angharad',
  'morsov',
  'ace',
  'organic',
  'coma',
] as const;

const polecatId = (rig: RigName, name: string): AgentId => trusted.agent(`${rig}/polecats/${name}`);

export interface AgentChoice {
  readonly agent: AgentId;
  readonly isNew: boolean;
}

/**
 * Who takes a bead: the pinned agent, else the one that last worked on the branch, else any idle one, else a new one.
 * Null when the pinned agent is busy: the bead waits for it. `taken` holds the agents given away in the same pass.
 * Rows of older versions may name what is no polecat of this rig: such an agent gets no work, and pins nothing.
 */
export function chooseAgent(view: RigView, bead: Bead, taken: ReadonlySet<string>): AgentChoice | null {
  const rig = view.config().name;
  const mayWork = (agent: Agent): boolean => agent.role === 'polecat' && isPolecatOf(rig, agent.id);
  const idle = view.idleAgents().filter((agent) => mayWork(agent) && !taken.has(agent.id));
  const pinned = bead.pinnedAgent === null ? null : polecatOf(rig, bead.pinnedAgent);
  if (pinned !== null) {
    if (idle.some((agent) => agent.id === pinned)) return { agent: pinned, isNew: false };
    const known = view.agent(pinned);
    if (known === null) return taken.has(pinned) ? null : { agent: pinned, isNew: true };
    // One that has retired will never be free: anybody may take it.
    if (known.status !== 'dead') return null;
  }
  const last = view.lastAgentOf(sourceOf(bead));
  // Nobody reviews their own work.
  const able = bead.kind === 'review' ? idle.filter((agent) => agent.id !== last) : idle;
  const familiar = able.find((agent) => agent.id === last) ?? able[0];
  if (familiar !== undefined) return { agent: familiar.id, isNew: false };
  return { agent: freshName(view, taken), isNew: true };
}

function freshName(view: RigView, taken: ReadonlySet<string>): AgentId {
  const rig = view.config().name;
  const used = view.agentNames();
  for (let generation = 1; ; generation += 1) {
    for (const name of POLECAT_NAMES) {
      const full = generation === 1 ? name : `${name}-${String(generation)}`;
      const id = polecatId(rig, full);
      if (!used.has(full) && !taken.has(id)) return id;
    }
  }
}

import { conflict, notFound } from '../core/errors.ts';
import type { AgentSummary } from '../core/queries.ts';
import { askAll } from './asked.ts';
import type { TownActors } from './town-actors.ts';

/** By identity, by a bare name that is unique in the town, or by an attempt's id. Errors: `ambiguous_agent`, `agent_not_found`. */
export async function findAgent(actors: TownActors, all: readonly AgentSummary[], name: string): Promise<AgentSummary> {
  const exact = all.find((agent) => agent.id === name || agent.attemptId === name);
  if (exact !== undefined) return exact;
  const owners = await askAll(actors.rigs(), (rig) => rig.queries.agentOfAttempt(name));
  const owner = owners.find((id) => id !== null);
  const named = all.filter(
    (agent) => agent.name === name || agent.id === owner || `${agent.rig}/${agent.name}` === name,
  );
  if (named.length > 1)
    throw conflict(
      'ambiguous_agent',
      `${named.length} agents are called "${name}": ${named.map((agent) => agent.id).join(', ')}.`,
      'Use the whole identity.',
    );
  const only = named[0];
  if (only === undefined) throw notFound('agent', name);
  return only;
}

import { usage } from '../errors.ts';
import { isAgentId, trusted, type AgentId, type RigName } from './ids.ts';

/** True for the identity of a polecat of this rig: `<rig>/polecats/<name>`. */
export const isPolecatOf = (rig: RigName, id: string): boolean => isAgentId(id) && id.startsWith(`${rig}/polecats/`);

/** The polecat of this rig that is meant by a whole identity or by a bare name; null: by neither. */
export function polecatOf(rig: RigName, given: string): AgentId | null {
  const id = given.includes('/') ? given : `${rig}/polecats/${given}`;
  return isPolecatOf(rig, id) ? trusted.agent(id) : null;
}

/**
 * The one agent that may take a bead, as somebody named it. Whatever is kept here becomes an agent when it is dispatched: it
 * signs commits, gets mail and later work, so nothing else may pass. Errors: `bad_agent`.
 */
export function parsePolecat(rig: RigName, given: string): AgentId {
  const id = polecatOf(rig, given);
  if (id !== null) return id;
  throw usage(
    'bad_agent',
    `${JSON.stringify(given.slice(0, 80))} is no polecat of the rig ${rig}.`,
    `Agents: "gt agents". A new name like "nux" (lower-case letters, digits, "-") makes ${rig}/polecats/nux.`,
    'agent',
  );
}

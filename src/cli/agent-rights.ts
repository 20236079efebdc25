import { TownError } from '../core/errors.ts';
import { MAYOR_COMMANDS } from '../core/tools.ts';

/** How a session of the mayor reaches the town: through the runner, with its own token. Null for everybody else. */
export interface SessionDoor {
  readonly socketPath: string;
  readonly token: string;
}

/** True in the environment of a session of the mayor. */
export const isMayor = (env: NodeJS.ProcessEnv): boolean =>
  (env['GT_TOKEN'] ?? '') !== '' && (env['GT_SITTING'] ?? '') !== '';

export function sessionDoor(env: NodeJS.ProcessEnv): SessionDoor | null {
  const socketPath = env['GT_RUNNER_SOCKET'];
  const token = env['GT_TOKEN'];
  return !isMayor(env) || !socketPath || !token ? null : { socketPath, token };
}

/**
 * A command that would use the owner's token is not for agents: what an agent may do, it does with the token of its
 * attempt. Without a sandbox it could still read the owner's file; this keeps an honest agent within its rights.
 * Errors: `not_for_agents`.
 */
export function refuseAgent(command: string, env: NodeJS.ProcessEnv): void {
  if ((env['GT_TOKEN'] ?? '') === '') return;
  if (isMayor(env)) {
    if (command === 'mcp' || MAYOR_COMMANDS.has(command)) return;
    throw notForAgents('What the mayor may do is in its prompt (gt prime). Ask people for the rest with gt escalate.');
  }
  throw notForAgents(
    'Use gt prime, gt hook, gt status, gt bead show <own bead>, gt bead create, gt mail, gt nudge, gt mol, gt wait, gt escalate, gt escalation list|ack, gt checkpoint, gt handoff or gt done.',
  );
}

const notForAgents = (next: string): TownError =>
  new TownError('forbidden', 'not_for_agents', {
    message: 'This command belongs to the owner of the town; an agent has only the rights of its attempt.',
    next,
  });

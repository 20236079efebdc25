/** Calls of an agent about its own hook. They go through the runner, which outlives the daemon, with the attempt's token. */
import { isMayor } from './agent-rights.ts';
import { precondition, TownError } from '../core/errors.ts';
import { NoAnswer, NotListening, socketRequest } from './socket-http.ts';
import type { SocketAnswer } from './socket-http.ts';
import { checked } from './town-client.ts';

/** The runner waits up to 30 s for the verdict; this is longer. */
const DONE_TIMEOUT_MS = 75_000;

export interface AgentEnv {
  readonly socketPath: string;
  readonly token: string;
  readonly stateDir: string;
  /** Where its own calls lie: a session of the mayor has a place of its own. */
  readonly own: '/agent/' | '/town/mayor/session/';
}

/** Errors: `not_an_agent`. */
export function agentEnv(env: NodeJS.ProcessEnv): AgentEnv {
  const socketPath = env['GT_RUNNER_SOCKET'];
  const token = env['GT_TOKEN'];
  const stateDir = env['GT_STATE_DIR'];
  if (!socketPath || !token || !stateDir) {
    throw precondition(
      'not_an_agent',
      'This command is for agents: GT_RUNNER_SOCKET, GT_TOKEN and GT_STATE_DIR are not set here.',
      'A person uses "gt bead show <id>", "gt agents" or "gt bead close <id>" instead.',
    );
  }
  return { socketPath, token, stateDir, own: isMayor(env) ? '/town/mayor/session/' : '/agent/' };
}

export function call(agent: AgentEnv, method: string, path: string, body?: unknown): Promise<SocketAnswer> {
  return socketRequest({
    socketPath: agent.socketPath,
    method,
    path: path.replace(/^\/agent\//, agent.own),
    token: agent.token,
    timeoutMs: DONE_TIMEOUT_MS,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Errors: those of the town; `runner_unreachable` (try again: exit 75). */
export async function ask<T = unknown>(agent: AgentEnv, method: string, path: string, body?: unknown): Promise<T> {
  try {
    return JSON.parse(checked(await call(agent, method, path, body)).text) as T;
  } catch (error) {
    if (!(error instanceof NotListening) && !(error instanceof NoAnswer)) throw error;
    throw new TownError('busy', 'runner_unreachable', {
      message: 'The runner does not answer at the moment.',
      next: 'Go on working and try again in a minute.',
    });
  }
}

/** True in the environment of an agent that has a bead on its hook; false for people and the mayor. */
export const hasHook = (env: NodeJS.ProcessEnv): boolean => isAgent(env) && !isMayor(env);

/** True in the environment that the runner gives to an agent. */
export const isAgent = (env: NodeJS.ProcessEnv): boolean => (env['GT_TOKEN'] ?? '') !== '';

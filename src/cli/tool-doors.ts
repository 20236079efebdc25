/** Who calls the tools of `gt mcp`, told by the environment: an agent, the mayor, or a person's own assistant. */
import type { ToolCaller } from '../api/mcp/tool-call.ts';
import { agentEnv, ask, isAgent } from './agent-call.ts';
import type { AgentEnv } from './agent-call.ts';
import { isMayor } from './agent-rights.ts';
import type { Context } from './context.ts';
import { handIn } from './hand-in.ts';
import { TownClient } from './town-client.ts';

/** Errors: `not_an_agent`, `no_town`. */
export function toolCaller(context: Context): ToolCaller {
  if (!isAgent(context.env)) return ofOwner(new TownClient(context.town()));
  const agent = agentEnv(context.env);
  return isMayor(context.env) ? ofMayor(context, agent) : ofAgent(agent);
}

function ofAgent(agent: AgentEnv): ToolCaller {
  return {
    role: 'agent',
    verbs: verbsIn(agent.token),
    ask: (method, path, body) => ask(agent, method, `/${path}`, body),
    handIn: (intent) => handIn(agent, intent),
  };
}

/** Its own conversation goes as it is; orders to the town as its commands send them, the same words being one order. */
function ofMayor(context: Context, agent: AgentEnv): ToolCaller {
  const client = new TownClient(context.town());
  return {
    role: 'mayor',
    verbs: verbsIn(agent.token),
    ask: (method, path, body) =>
      path.startsWith('mayor/session/')
        ? ask(agent, method, `/town/${path}`, body)
        : method === 'GET'
          ? client.get(path)
          : client.post(path, body ?? {}),
    handIn: null,
  };
}

const ofOwner = (client: TownClient): ToolCaller => ({
  role: 'owner',
  verbs: null,
  ask: (method, path, body) => (method === 'GET' ? client.get(path) : client.post(path, body ?? {})),
  handIn: null,
});

/**
 * The rights that a token names, read without checking it: they decide only what is listed, the town checks each call.
 * Null when it can't be read; then the role decides.
 */
function verbsIn(token: string): ReadonlySet<string> | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const verbs: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'verbs') : null;
    return Array.isArray(verbs) ? new Set(verbs.filter((verb) => typeof verb === 'string')) : null;
  } catch {
    return null;
  }
}

import { TownError, usage } from '../errors.ts';
import { parseAgentId, type AgentId } from './ids.ts';
import { MAYOR } from './mayor.ts';

/**
 * `cycle`: a fresh session goes on from the checkpoint. `restart`: a fresh session without it. `shutdown`: no session; the
 * bead waits for a person. Commits are kept in every case.
 */
export const LIFECYCLE_ACTIONS = ['cycle', 'restart', 'shutdown'] as const;
export type LifecycleAction = (typeof LIFECYCLE_ACTIONS)[number];

export interface LifecycleRequest {
  readonly agent: AgentId;
  readonly action: LifecycleAction;
  /** Who asks: a person, or the agent itself. */
  readonly requestedBy: string;
  /** The caller's name for this request; a repeat of it is the same one. */
  readonly timestamp: string | null;
  readonly note: string;
}

/** A request about an agent or about the mayor. */
export type TownLifecycle = Omit<LifecycleRequest, 'agent'> & { readonly agent: AgentId | typeof MAYOR };

/** Whom a request is about. Errors: `bad_agent`. */
export const parseLifecycleAgent = (text: string): AgentId | typeof MAYOR =>
  text === MAYOR || text === 'mayor' ? MAYOR : parseAgentId(text);

/** Errors: `unknown_lifecycle_action`. */
export function parseLifecycleAction(text: string): LifecycleAction {
  const action = LIFECYCLE_ACTIONS.find((known) => known === text);
  if (action === undefined)
    throw usage(
      'unknown_lifecycle_action',
      `${JSON.stringify(text.slice(0, 80))} is not a lifecycle action.`,
      `Actions: ${LIFECYCLE_ACTIONS.join(', ')}.`,
      'action',
    );
  return action;
}

interface Written {
  readonly from: unknown;
  readonly action: unknown;
  readonly timestamp: unknown;
}

/**
 * Reads a request that was written as a mail to `daemon/`: the body is `{"from", "action", "timestamp"}`, or the subject
 * alone is the action. An agent speaks for itself only. Errors: `bad_lifecycle_request`, `unknown_lifecycle_action`,
 * `foreign_identity`.
 */
export function lifecycleOfMail(
  mail: { readonly subject: string; readonly body: string },
  sender: { readonly identity: string; readonly isAgent: boolean },
): TownLifecycle {
  const written = readBody(mail.body);
  const action = parseLifecycleAction(asText(written?.action) ?? mail.subject.trim());
  const named = asText(written?.from);
  if (sender.isAgent && named !== null && named !== sender.identity)
    throw new TownError('forbidden', 'foreign_identity', {
      message: `You are ${sender.identity}; you can't ask for ${JSON.stringify(named.slice(0, 80))}.`,
      next: 'Ask for yourself, or ask a person with "gt escalate".',
    });
  if (!sender.isAgent && named === null)
    throw usage(
      'bad_lifecycle_request',
      'It is not said which agent this is about.',
      'Write the body as {"from": "<rig>/polecats/<name>", "action": "cycle"}.',
      'body',
    );
  return {
    agent: parseLifecycleAgent(sender.isAgent ? sender.identity : (named ?? '')),
    action,
    requestedBy: sender.identity,
    timestamp: asText(written?.timestamp),
    note: '',
  };
}

const asText = (value: unknown): string | null =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : null;

function readBody(body: string): Written | null {
  if (!body.trimStart().startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw usage(
      'bad_lifecycle_request',
      'The body is not valid JSON.',
      'Write {"from", "action", "timestamp"}.',
      'body',
    );
  }
  const field = (name: string): unknown => Reflect.get(Object(value), name);
  return { from: field('from'), action: field('action'), timestamp: field('timestamp') };
}

import type { z } from 'zod';
import type { Verdict } from '../../core/facts.ts';
import { TownError, usage } from '../../core/errors.ts';
import type { Tool } from '../../core/tools.ts';

/** What an agent hands in, as `gt done` writes it down first. */
export interface Intent {
  readonly summary: string;
  readonly commit: string | null;
  readonly noChange: string | null;
}

/** Who calls a tool, and the way to the town that its credential opens. The town checks each call again. */
export interface ToolCaller {
  readonly role: 'agent' | 'mayor' | 'owner';
  /** Rights in the credential; null: the owner, who needs none. */
  readonly verbs: ReadonlySet<string> | null;
  /** One call of the API, its path below the town. Errors: those of the town; `runner_unreachable`, `brain_away`. */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown>;
  /** Hands the work in, its intent written first. Null where the worktree is not. */
  readonly handIn: ((intent: Intent) => Promise<Verdict>) | null;
}

/** What a tool takes, and how it is done. */
export interface ToolCall {
  readonly schema: z.ZodType;
  /** Parses the input and asks the town. Text goes to the agent as it is, everything else as JSON. */
  run(caller: ToolCaller, input: unknown): Promise<unknown>;
}

export function toolCall<S extends z.ZodType>(
  schema: S,
  run: (caller: ToolCaller, input: z.infer<S>) => Promise<unknown>,
): ToolCall {
  return { schema, run: (caller, input) => run(caller, parsed(schema, input)) };
}

/** Errors: `unknown_field`, `bad_field`. */
function parsed<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const result = schema.safeParse(input ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? '';
  if (issue?.code === 'unrecognized_keys')
    throw usage(
      'unknown_field',
      `There is no field ${JSON.stringify(issue.keys[0])}.`,
      'Call it again with the fields of its schema only.',
      issue.keys[0],
    );
  throw usage(
    'bad_field',
    `${field === '' ? 'The input' : JSON.stringify(field)} is not valid: ${issue?.message ?? 'unknown reason'}.`,
    'Correct that field and call it again.',
    field,
  );
}

/** Where a caller's own calls lie. */
export const own = (caller: ToolCaller, path: string): string =>
  caller.role === 'agent' ? `agent/${path}` : `mayor/session/${path}`;

export const segment = (text: string): string => encodeURIComponent(text);

/** `?a=1&b=2` without what is missing. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${pairs.map(([key, value]) => `${key}=${segment(String(value))}`).join('&')}`;
}

/** Whether a caller has a tool: by its role, and by the rights in its credential. */
export function mayUse(tool: Tool, caller: ToolCaller): boolean {
  if (caller.role === 'owner') return tool.owner;
  const verb = caller.role === 'agent' ? tool.agent : tool.mayor;
  if (verb === null || (tool.name === 'gt_done' && caller.handIn === null)) return false;
  return caller.verbs === null || caller.verbs.has(verb);
}

/** Why a tool is refused, and what to do instead. */
export function refusal(tool: Tool | undefined, name: string, caller: ToolCaller): TownError {
  if (tool === undefined)
    return new TownError('not_found', 'no_such_tool', {
      message: `There is no tool ${JSON.stringify(name.slice(0, 100))}.`,
      next: 'List the tools, and use one of them.',
    });
  if (tool.name === 'gt_done' && caller.role === 'agent')
    return new TownError('forbidden', 'not_here', {
      message: 'Work is handed in where its worktree is, not over the network.',
      next: 'Run "gt done --summary <text>" in your worktree, or use gt_done of "gt mcp" there.',
    });
  const who = { agent: 'an agent', mayor: 'the mayor', owner: 'a person' }[caller.role];
  return new TownError('forbidden', 'tool_not_allowed', {
    message: `${tool.name} is not a tool of ${who}, or the credential does not allow it.`,
    next:
      caller.role === 'agent'
        ? 'Use the tools that are listed. What is beyond them: gt_mail_send to mayor/, or gt_escalate.'
        : 'Use the tools that are listed.',
  });
}

import { createMcpHandler } from '@modelcontextprotocol/server';
import { TownError } from '../../core/errors.ts';
import { isOrder } from '../../core/tools.ts';
import type { Principal } from '../auth.ts';
import { forbidden } from '../errors.ts';
import { toolServer } from './server.ts';
import type { ToolCaller } from './tool-call.ts';

export interface ToolsOverHttp {
  /** The application itself: a tool calls the API as anybody does, with the credential of its caller. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** Errors: `no_credential`, `bad_credential`, `capability_expired`. */
  readonly principalOf: (request: Request) => Promise<Principal>;
  readonly bodyBytesMax: number;
}

/** Streamable HTTP without sessions: each request is served by itself, to clients of both eras of the protocol. */
export function toolsOverHttp(options: ToolsOverHttp): (request: Request) => Promise<Response> {
  const handler = createMcpHandler(
    async ({ requestInfo }) => {
      if (requestInfo === undefined) throw new Error('a request over HTTP has its headers');
      return toolServer(await callerOf(requestInfo, options), '1');
    },
    { maxRequestBodySize: options.bodyBytesMax },
  );
  return async (request) => {
    noRunner(await options.principalOf(request));
    return handler.fetch(request);
  };
}

/** Errors: `wrong_credential`. */
function noRunner(principal: Principal): asserts principal is Exclude<Principal, { readonly kind: 'runner' }> {
  if (principal.kind === 'runner')
    throw forbidden('wrong_credential', 'A runner has no tools.', 'Use the credential of an agent, or of the owner.');
}

/** Errors: `wrong_credential`, those of a credential. */
async function callerOf(request: Request, options: ToolsOverHttp): Promise<ToolCaller> {
  const principal = await options.principalOf(request);
  noRunner(principal);
  const authorization = request.headers.get('authorization') ?? '';
  return {
    role: principal.kind,
    verbs: principal.kind === 'owner' ? null : new Set(principal.capability.verbs),
    ask: async (method, path, body) => {
      const key = await keyOf(principal.kind, path, body);
      const answer = await options.fetch(
        new Request(`http://localhost/api/v1/towns/_/${path}`, {
          method,
          headers: {
            authorization,
            host: 'localhost',
            ...(method === 'POST' ? { 'idempotency-key': key } : {}),
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      );
      return answerOf(answer.status, await answer.text());
    },
    handIn: null,
  };
}

/** The same order of a session of the mayor, word for word, is one order, by whatever way it comes. */
async function keyOf(role: string, path: string, body: unknown): Promise<string> {
  if (role !== 'mayor' || !isOrder(path)) return crypto.randomUUID();
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${path}\n${JSON.stringify(body)}`));
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function answerOf(status: number, text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (status < 400) return value;
  const field = (key: string): string | undefined => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
    return typeof found === 'string' ? found : undefined;
  };
  // The kind does not leave a tool's answer; the code does.
  throw new TownError(
    'internal',
    field('code') ?? 'failed',
    {
      message: field('detail') ?? `The town answered with status ${String(status)}.`,
      next: field('next') ?? 'Try again.',
    },
    { field: field('field') },
  );
}

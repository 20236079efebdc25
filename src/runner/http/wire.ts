import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { z } from 'zod';

import type { WireAnswer } from '../../api/contract/frames.ts';
import { type ErrorKind, TownError, usage } from '../../core/errors.ts';
import { errorText } from '../text.ts';
import { readText, TooLong } from './bytes.ts';

/** HTTP status of each kind of error, the same for every caller. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  usage: 400,
  precondition: 422,
  not_found: 404,
  conflict: 409,
  stale: 412,
  unauthenticated: 401,
  forbidden: 403,
  unreachable: 503,
  busy: 503,
  internal: 500,
};

/** Reads a request's body. Errors: `body_too_large`. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<string> {
  try {
    return await readText(request, bytesMax);
  } catch (error) {
    if (!(error instanceof TooLong)) throw error;
    throw tooLong(bytesMax);
  }
}

export const tooLong = (bytesMax: number): TownError =>
  usage('body_too_large', `The body has more than ${String(bytesMax)} bytes.`, 'Send less.', 'body');

/** Parses JSON from outside by a schema. Errors: `bad_request`, with the first field that is wrong. */
export function parseJson<T>(schema: z.ZodType<T>, body: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw usage('bad_request', 'The body is not JSON.', 'Send a JSON object.', 'body');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.map(String).join('.') ?? 'body';
  throw usage(
    'bad_request',
    `${field === '' ? 'The body' : field}: ${issue?.message ?? 'is not as expected'}.`,
    'Send what the protocol says.',
    field,
  );
}

/** One shape for every error; an unexpected one shows no inner details. */
export function errorAnswer(error: unknown): WireAnswer {
  const known =
    error instanceof TownError
      ? error
      : new TownError('internal', 'internal', {
          message: `The runner failed: ${errorText(error).slice(0, 300)}`,
          next: "Look into the runner's log.",
        });
  const body = JSON.stringify({ error: known.body() });
  return { status: STATUS[known.kind], type: 'application/json', body, next: null };
}

export function sendAnswer(response: ServerResponse, answer: WireAnswer): void {
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    ...(answer.next === null ? {} : { 'x-next-offset': String(answer.next) }),
  });
  response.end(answer.body);
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy();
  else sendAnswer(response, errorAnswer(error));
}

/** The bearer credential of a request, or null. */
export function bearer(request: IncomingMessage): string | null {
  return /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

/** Compares secrets in a time that does not depend on where they differ. */
export function sameSecret(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}

import type { IncomingMessage, ServerResponse } from 'node:http';

import { z } from 'zod';

import { conflict, TownError } from '../../core/errors.ts';
import { handleDone } from '../agents/done.ts';
import { intentSchema } from '../agents/intent.ts';
import type { LiveAgent } from '../agents/live.ts';
import { isTownSession } from '../agents/session.ts';
import { BrainAway } from '../brain-wire.ts';
import type { RunnerContext } from '../context.ts';
import { BODY_BYTES_MAX } from '../limits.ts';
import { bearer, parseJson, readBody, sendJson } from './wire.ts';

/** Of one `gt done`; the caller asks again with the same words when it is over. */
const DONE_WAIT_MS_MAX = 60_000;

const waitSchema = z.object({
  waitMs: z.number().int().min(0).max(DONE_WAIT_MS_MAX).optional(),
  /** When given it must be the capability's own: a token used for another's attempt is refused. */
  attempt: z.string().max(200).optional(),
});

/**
 * Calls of agents: `done` is answered here, all others go to the brain with the agent's own credential. Errors: `no_token`,
 * `bad_token` (no attempt of this runner has it), `brain_away`.
 */
export async function agentRoute(
  ctx: RunnerContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://runner');
  const token = bearer(request);
  if (token === null) throw noToken();
  const body = await readBody(request, BODY_BYTES_MAX);
  if (request.method === 'POST' && url.pathname === '/agent/done') {
    const call = parseJson(waitSchema, body);
    const intent = parseJson(intentSchema, body);
    const live = liveByToken(ctx, token);
    if (call.attempt !== undefined && call.attempt !== live.request.attempt) throw foreign();
    if (isTownSession(live.request)) throw nothingToHandIn();
    live.lastCallAtMs = ctx.clock.now();
    sendJson(response, 200, await handleDone(ctx, live, { intent, waitMs: call.waitMs ?? ctx.timings.doneWaitMs }));
    return;
  }
  // Whatever else reaches the socket may not use the line to the town.
  if (ctx.attempts.byCapability(token) === null) throw badToken();
  const live = findLive(ctx, token);
  if (live !== null) live.lastCallAtMs = ctx.clock.now();
  await forward(
    ctx,
    {
      method: request.method ?? 'GET',
      // A session of the town calls the same paths as people, below /town; what it may is decided by the brain.
      pathAndQuery: `${url.pathname.replace(/^\/town\//, '/')}${url.search}`,
      token,
      body,
      idempotencyKey: idempotencyKeyOf(request),
    },
    response,
  );
}

async function forward(
  ctx: RunnerContext,
  call: {
    readonly method: string;
    readonly pathAndQuery: string;
    readonly token: string;
    readonly body: string;
    readonly idempotencyKey: string | null;
  },
  response: ServerResponse,
): Promise<void> {
  try {
    const answer = await ctx.brain.forward({
      method: call.method,
      pathAndQuery: call.pathAndQuery,
      authorization: `Bearer ${call.token}`,
      body: call.body,
      idempotencyKey: call.idempotencyKey,
    });
    response.writeHead(answer.status, {
      'content-type': answer.contentType,
      'content-length': Buffer.byteLength(answer.body),
    });
    response.end(answer.body);
  } catch (error) {
    if (!(error instanceof BrainAway)) throw error;
    throw new TownError(
      'unreachable',
      'brain_away',
      {
        message: "The town's daemon does not answer at the moment.",
        next: 'Go on with your work and try again in a minute; gt done works without it.',
      },
      { cause: error },
    );
  }
}

function idempotencyKeyOf(request: IncomingMessage): string | null {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : null;
}

function findLive(ctx: RunnerContext, token: string): LiveAgent | null {
  const row = ctx.attempts.byCapability(token);
  return row === null ? null : (ctx.live.get(row.attempt) ?? null);
}

/** Errors: `bad_token` (never issued), `superseded` (its attempt is over). */
function liveByToken(ctx: RunnerContext, token: string): LiveAgent {
  const live = findLive(ctx, token);
  if (live !== null) return live;
  if (ctx.attempts.byCapability(token) !== null) {
    throw conflict(
      'superseded',
      'The attempt of this token is over.',
      'Stop working; what was in the worktree is kept.',
    );
  }
  throw badToken();
}

function badToken(): TownError {
  return new TownError('unauthenticated', 'bad_token', {
    message: 'This token belongs to no attempt of this runner.',
    next: 'Use the token in $GT_TOKEN of a running agent.',
  });
}

function noToken(): TownError {
  return new TownError('unauthenticated', 'no_token', {
    message: 'The call shows no token.',
    next: 'Send "Authorization: Bearer $GT_TOKEN".',
  });
}

function nothingToHandIn(): TownError {
  return new TownError('forbidden', 'nothing_to_hand_in', {
    message: 'This session has no bead and no branch, so there is nothing to hand in.',
    next: 'The mayor answers with "gt mayor reply" and ends.',
  });
}

function foreign(): TownError {
  return new TownError('forbidden', 'foreign_attempt', {
    message: 'The token belongs to another attempt.',
    next: 'Use the token of your own environment.',
  });
}

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { BEAT_HEADER } from '../../api/contract/protocol.ts';
import { TownError } from '../../core/errors.ts';
import { awaitOutput, OUTPUT_WAIT_MS_MAX } from '../agents/output.ts';
import { pathSegment } from '../paths.ts';
import type { RunnerService } from '../service.ts';
import { agentRoute } from './agent-routes.ts';
import { brainCall, wholeNumber } from './brain-routes.ts';
import { bearer, readBody, sameSecret, sendAnswer, sendError } from './wire.ts';

/** Idle connections of the brain and of agents stay open; the next call saves the connect. */
const KEEP_ALIVE_MS = 60_000;

/** Listens on the socket of this runner. A socket file that is there is a dead predecessor's: the lock proves it. */
export async function listen(service: RunnerService): Promise<Server> {
  const path = service.ctx.paths.runnerSocket;
  rmSync(path, { force: true });
  const server = makeServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://runner');
    await (pathname.startsWith('/agent/') || pathname.startsWith('/town/')
      ? agentRoute(service.ctx, request, response)
      : brainRoute(service, request, response));
  });
  await listening(server, () => server.listen(path));
  chmodSync(path, 0o600);
  return server;
}

/** Listens for the brain on a network address: its calls only, none of agents. */
export async function listenForBrain(
  service: RunnerService,
  at: { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = makeServer((request, response) => brainRoute(service, request, response));
  await listening(server, () => server.listen(at.port, at.host));
  return server;
}

function makeServer(route: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Server {
  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      sendError(response, error);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

function listening(server: Server, listenNow: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listenNow();
  });
}

/** Calls of the brain; every one shows the secret of its direction. Errors: `no_token`, `bad_token`, those of the calls. */
async function brainRoute(service: RunnerService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const token = bearer(request);
  if (token === null || !sameSecret(token, await service.ctx.town.runnerCalls())) {
    throw new TownError('unauthenticated', token === null ? 'no_token' : 'bad_token', {
      message: "The call does not show the runner's secret.",
      next: "Only the town's daemon calls here.",
    });
  }
  const url = new URL(request.url ?? '/', 'http://runner');
  const method = request.method ?? 'GET';
  const streamed = /^\/agents\/([^/]+)\/stream$/.exec(url.pathname)?.[1];
  if (method === 'GET' && url.pathname === '/health/watch')
    service.openWatch(response, request.headers[BEAT_HEADER] !== undefined);
  else if (method === 'GET' && streamed !== undefined)
    await streamOutput(
      service,
      { attempt: decodeURIComponent(streamed), from: url.searchParams.get('from') },
      response,
    );
  else {
    const call = { method, path: request.url ?? '/', body: (bytesMax: number) => readBody(request, bytesMax) };
    sendAnswer(response, await brainCall(service, call));
  }
}

/** Output as events: each has the offset behind it as its id, `end` is the last. A reader that is slow is waited for. */
async function streamOutput(
  service: RunnerService,
  what: { readonly attempt: string; readonly from: string | null },
  response: ServerResponse,
): Promise<void> {
  const attempt = pathSegment(what.attempt, 'an attempt');
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  let from = wholeNumber(what.from);
  while (!gone.signal.aborted) {
    const page = await awaitOutput(service.ctx, attempt, { from, waitMs: OUTPUT_WAIT_MS_MAX, signal: gone.signal });
    from = page.next;
    const event = page.isEnd ? 'event: end\n' : page.text.length === 0 ? 'event: quiet\n' : 'event: output\n';
    const isTaken = response.write(
      `${event}id: ${String(from)}\ndata: ${JSON.stringify(page.text.toString('utf8'))}\n\n`,
    );
    if (page.isEnd) break;
    if (!isTaken) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

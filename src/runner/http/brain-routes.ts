import type { IncomingMessage, ServerResponse } from 'node:http';

import { agentMessageSchema, jobSchema, startAgentSchema, stopAgentSchema } from '../../api/contract/runner.ts';
import { conflict, notFound, TownError } from '../../core/errors.ts';
import { tell } from '../agents/message.ts';
import { acceptStart, report } from '../agents/start.ts';
import { stopAgent } from '../agents/stop.ts';
import { readTranscript } from '../agents/transcript.ts';
import { BODY_BYTES_MAX, BODY_START_BYTES_MAX } from '../limits.ts';
import { pathSegment, transcriptFile } from '../paths.ts';
import type { RunnerService } from '../service.ts';
import { bearer, parseJson, readBody, sameSecret, sendJson } from './wire.ts';

/** Attempts in one status question; the brain batches per runner. */
const REPORT_IDS_MAX = 500;

type Handler = (service: RunnerService, request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /health': async (service, _request, response) => {
    service.brainSeen();
    sendJson(response, 200, await service.health());
  },
  'GET /health/watch': (service, _request, response) => {
    service.openWatch(response);
  },
  'POST /agents': async (service, request, response) => {
    const start = parseJson(startAgentSchema, await readBody(request, BODY_START_BYTES_MAX));
    // A repeat of a start that was taken before is still answered as taken.
    if (service.draining && service.ctx.attempts.get(start.attempt) === null)
      throw conflict('draining', 'This runner takes no new agents.', 'Start it on another runner, or later.');
    sendJson(response, 200, acceptStart(service.ctx, start));
  },
  'GET /agents': (service, request, response) => {
    const ids = (new URL(request.url ?? '/', 'http://runner').searchParams.get('ids') ?? '')
      .split(',')
      .filter((id) => id !== '');
    sendJson(response, 200, { items: report(service.ctx, ids.slice(0, REPORT_IDS_MAX)) });
  },
  'POST /agents/stop': async (service, request, response) => {
    const order = parseJson(stopAgentSchema, await readBody(request, BODY_BYTES_MAX));
    sendJson(response, 200, await stopAgent(service.ctx, order));
  },
  'POST /agents/messages': async (service, request, response) => {
    const message = parseJson(agentMessageSchema, await readBody(request, BODY_BYTES_MAX));
    sendJson(response, 200, await tell(service.ctx, message));
  },
  'POST /jobs': async (service, request, response) => {
    const job = parseJson(jobSchema, await readBody(request, BODY_BYTES_MAX));
    sendJson(response, 200, await service.jobs.post(job));
  },
  'POST /drain': async (service, _request, response) => {
    service.drain();
    sendJson(response, 200, await service.health());
  },
};

/** Calls of the brain; every one shows the town's secret. Errors: `no_token`, `bad_token`, `route_not_found`, and those of the calls. */
export async function brainRoute(
  service: RunnerService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = bearer(request);
  if (token === null || !sameSecret(token, service.ctx.town.runnerCalls)) {
    throw new TownError('unauthenticated', token === null ? 'no_token' : 'bad_token', {
      message: "The call does not show the runner's secret.",
      next: "Only the town's daemon calls here.",
    });
  }
  const { pathname } = new URL(request.url ?? '/', 'http://runner');
  const handler = ROUTES[`${request.method ?? 'GET'} ${pathname}`];
  if (handler !== undefined) {
    await handler(service, request, response);
    return;
  }
  const attempt = /^\/agents\/([^/]+)\/transcript$/.exec(pathname)?.[1];
  if (attempt === undefined || request.method !== 'GET') throw notFound('route', pathname.slice(0, 100));
  await sendTranscript(service, { attempt: decodeURIComponent(attempt), request }, response);
}

async function sendTranscript(
  service: RunnerService,
  what: { readonly attempt: string; readonly request: IncomingMessage },
  response: ServerResponse,
): Promise<void> {
  const from = Number(new URL(what.request.url ?? '/', 'http://runner').searchParams.get('from') ?? '0');
  const offset = Number.isSafeInteger(from) && from >= 0 ? from : 0;
  const page = await readTranscript(transcriptFile(service.ctx.paths, pathSegment(what.attempt, 'an attempt')), offset);
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': page.text.length,
    'x-next-offset': String(page.next),
  });
  response.end(page.text);
}

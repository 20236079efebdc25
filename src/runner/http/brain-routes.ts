import { agentMessageSchema, cancelJobSchema, drainSchema, jobSchema } from '../../api/contract/runner.ts';
import { startAgentSchema, stopAgentSchema } from '../../api/contract/runner.ts';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { diffRequestSchema } from '../../api/contract/diff.ts';
import { conflict, notFound } from '../../core/errors.ts';
import { tell } from '../agents/message.ts';
import { acceptStart, report } from '../agents/start.ts';
import { stopAgent } from '../agents/stop.ts';
import { awaitOutput } from '../agents/output.ts';
import { workDiff } from '../git/diff.ts';
import { BODY_BYTES_MAX, BODY_START_BYTES_MAX } from '../limits.ts';
import { pathSegment } from '../paths.ts';
import type { RunnerService } from '../service.ts';
import { errorAnswer, parseJson, tooLong } from './wire.ts';

/** Attempts in one status question; the brain batches per runner. */
const REPORT_IDS_MAX = 500;

/** A call of the brain, over whatever line it came; whoever took it has checked who calls. */
export interface BrainRequest {
  readonly method: string;
  readonly path: string;
  /** Errors: `body_too_large`. */
  readonly body: (bytesMax: number) => Promise<string>;
}

type Handler = (service: RunnerService, call: BrainRequest) => Promise<unknown>;

const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /health': (service) => {
    service.brainSeen();
    return service.health();
  },
  'POST /agents': async (service, call) => {
    const start = parseJson(startAgentSchema, await call.body(BODY_START_BYTES_MAX));
    // A repeat of a start that was taken before is still answered as taken.
    if (service.draining && service.ctx.attempts.get(start.attempt) === null)
      throw conflict('draining', 'This runner takes no new agents.', 'Start it on another runner, or later.');
    return acceptStart(service.ctx, start);
  },
  'GET /agents': (service, call) => {
    const ids = (new URL(call.path, 'http://runner').searchParams.get('ids') ?? '')
      .split(',')
      .filter((id) => id !== '');
    return Promise.resolve({ items: report(service.ctx, ids.slice(0, REPORT_IDS_MAX)) });
  },
  'POST /agents/stop': async (service, call) =>
    stopAgent(service.ctx, parseJson(stopAgentSchema, await call.body(BODY_BYTES_MAX))),
  'POST /agents/messages': async (service, call) =>
    tell(service.ctx, parseJson(agentMessageSchema, await call.body(BODY_BYTES_MAX))),
  'POST /jobs': async (service, call) => service.jobs.post(parseJson(jobSchema, await call.body(BODY_BYTES_MAX))),
  'POST /jobs/cancel': async (service, call) => ({
    state: service.jobs.cancel(parseJson(cancelJobSchema, await call.body(BODY_BYTES_MAX)).key),
  }),
  'POST /diff': async (service, call) =>
    workDiff(service.ctx.repos, parseJson(diffRequestSchema, await call.body(BODY_BYTES_MAX))),
  'POST /drain': async (service, call) => {
    service.drain(parseJson(drainSchema, await call.body(BODY_BYTES_MAX)).graceMs ?? null);
    return service.health();
  },
  'POST /undrain': (service) => {
    service.undrain();
    return service.health();
  },
};

/** Carries out a call of the brain. Errors: `route_not_found`, and those of the calls. */
export async function brainCall(service: RunnerService, call: BrainRequest): Promise<WireAnswer> {
  const url = new URL(call.path, 'http://runner');
  const handler = ROUTES[`${call.method} ${url.pathname}`];
  if (handler !== undefined) {
    const body = JSON.stringify(await handler(service, call));
    return { status: 200, type: 'application/json', body, next: null };
  }
  const attempt = /^\/agents\/([^/]+)\/transcript$/.exec(url.pathname)?.[1];
  if (attempt === undefined || call.method !== 'GET') throw notFound('route', url.pathname.slice(0, 100));
  const page = await awaitOutput(service.ctx, pathSegment(decodeURIComponent(attempt), 'an attempt'), {
    from: wholeNumber(url.searchParams.get('from')),
    waitMs: wholeNumber(url.searchParams.get('waitMs')),
  });
  return { status: 200, type: 'text/plain; charset=utf-8', body: page.text.toString('utf8'), next: page.next };
}

/** The same as frames: errors are answers. */
export async function brainFrame(service: RunnerService, call: WireCall): Promise<WireAnswer> {
  const text = call.body ?? '';
  const body = (bytesMax: number): Promise<string> =>
    Buffer.byteLength(text) > bytesMax ? Promise.reject(tooLong(bytesMax)) : Promise.resolve(text);
  try {
    return await brainCall(service, { method: call.method, path: call.path, body });
  } catch (error) {
    return errorAnswer(error);
  }
}

export function wholeNumber(text: string | null): number {
  const value = Number(text ?? '0');
  return Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

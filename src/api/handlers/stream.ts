import { createRoute, z } from '@hono/zod-openapi';
import { precondition } from '../../core/errors.ts';
import { decodePlaces } from '../../core/places.ts';
import { name } from '../contract/common.ts';
import { outputFrameSchema, outputQuerySchema, streamFrameSchema, streamQuerySchema } from '../contract/stream.ts';
import { snapshotSchema } from '../contract/town.ts';
import { presentAgent, presentQueueEntry, presentStatus } from '../present.ts';
import { filterOf } from '../stream/filter.ts';
import { offsetOf } from '../stream/sse.ts';
import type { Streams } from '../stream/streams.ts';
import { attemptOf } from './town.ts';
import { answers, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

/** Below the 10 s in which the runner answers every call. */
const OUTPUT_WAIT_MS = 8_000;

const town = z.object({ town: name });
const events = (schema: z.ZodType, description: string) =>
  ({ 200: { description, content: { 'text/event-stream': { schema } } } }) as const;

const stream = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/stream`,
  security: ownerOnly,
  request: { params: town, query: streamQuerySchema },
  responses: events(streamFrameSchema, 'What happens, as it happens: each event is a frame; resumed by Last-Event-ID'),
});
const output = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agents/{name}/output`,
  security: ownerOnly,
  request: { params: z.object({ town: name, name }), query: outputQuerySchema },
  responses: events(outputFrameSchema, 'Output of an attempt as it comes; resumed by Last-Event-ID'),
});
const snapshot = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/snapshot`,
  security: ownerOnly,
  request: { params: town },
  responses: answers(snapshotSchema, 'The town, and the cursor from which the stream tells what changed since'),
});

export function registerStream(app: App, deps: Deps): void {
  const { gateway } = deps;
  app.openapi(stream, (c) => {
    const query = c.req.valid('query');
    const cursor = c.req.header('last-event-id') ?? query.after ?? null;
    if (cursor !== null) decodePlaces(cursor);
    return streamsOf(deps).deltas(c, { filter: filterOf(query), cursor });
  });
  app.openapi(output, async (c) => {
    const attempt = await attemptOf(gateway, c.req.valid('param').name);
    const from = offsetOf(attempt, c.req.header('last-event-id')) ?? c.req.valid('query').from ?? 0;
    return streamsOf(deps).output(c, {
      attempt,
      from,
      read: (at) => deps.transcript(attempt, at, OUTPUT_WAIT_MS),
      isLive: async () =>
        (await gateway.mayor.summary()).attempt === attempt ||
        (await gateway.listAgents()).some((agent) => agent.attemptId === attempt && agent.hookBeadId !== null),
    });
  });
  app.openapi(snapshot, async (c) => {
    // Read first: what happens between it and the rest is told again, never missed.
    const cursor = await gateway.stream.now();
    const [status, agents, queue] = await Promise.all([gateway.status(), gateway.listAgents(), gateway.listQueue()]);
    return c.json(
      {
        cursor,
        status: presentStatus(status),
        agents: agents.map(presentAgent),
        queue: queue.map(presentQueueEntry),
      },
      200,
    );
  });
}

/** Errors: `no_stream`. */
function streamsOf(deps: Deps): Streams {
  if (deps.streams !== undefined) return deps.streams;
  throw precondition(
    'no_stream',
    'Nothing is streamed here: this reads the databases of a town whose daemon does not run.',
    'Start it with "gt up", or read page by page with "gt feed".',
  );
}

import { createRoute, z } from '@hono/zod-openapi';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import { parseRigName } from '../../core/model/ids.ts';
import { MAYOR } from '../../core/model/mayor.ts';
import { versionTag } from '../../core/etag.ts';
import { precondition } from '../../core/errors.ts';
import { agentPageSchema, agentQuerySchema, agentSchema, transcriptQuerySchema } from '../contract/agents.ts';
import { queuePageSchema } from '../contract/beads.ts';
import { name, whySchema } from '../contract/common.ts';
import { addRigSchema, rigPageSchema, rigSchema } from '../contract/rigs.ts';
import { attentionPageSchema, feedQuerySchema, feedSchema, statusSchema } from '../contract/town.ts';
import {
  presentAgent,
  presentAttention,
  presentJournalEntry,
  presentQueueEntry,
  presentRig,
  presentStatus,
  presentWhy,
} from '../present.ts';
import { etag } from '../if-match.ts';
import { answers, jsonBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });
const security = ownerOnly;

const status = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/status`,
  security,
  request: { params: town },
  responses: answers(statusSchema, 'The whole town at a glance'),
});
const attention = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/attention`,
  security,
  request: { params: town },
  responses: answers(attentionPageSchema, 'What needs a person, worst first'),
});
const listRigs = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/rigs`,
  security,
  request: { params: town },
  responses: answers(rigPageSchema, 'All rigs'),
});
const addRig = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/rigs`,
  security,
  request: { params: town, ...jsonBody(addRigSchema) },
  responses: answers(rigSchema, 'The rig'),
});
const listAgents = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agents`,
  security,
  request: { params: town, query: agentQuerySchema },
  responses: answers(agentPageSchema, 'All agents'),
});
const oneAgent = z.object({ town: name, name });
const getAgent = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agents/{name}`,
  security,
  request: { params: oneAgent },
  responses: tagged(agentSchema, 'One agent, by identity, name or attempt'),
});
const transcript = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agents/{name}/transcript`,
  security,
  request: { params: oneAgent, query: transcriptQuerySchema },
  responses: {
    200: {
      description: 'Stored output; the header x-next-offset continues it',
      content: { 'text/plain': { schema: z.string() } },
    },
  },
});
const queue = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/mq`,
  security,
  request: { params: town, query: agentQuerySchema },
  responses: answers(queuePageSchema, 'The merge trains, in order'),
});
const feed = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/feed`,
  security,
  request: { params: town, query: feedQuerySchema },
  responses: answers(feedSchema, 'The journal from a cursor on'),
});
const why = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/why/{id}`,
  security,
  request: { params: z.object({ town: name, id: name }) },
  responses: answers(whySchema, 'What it waits for, and which rule says so'),
});

export function registerTown(app: App, deps: Deps): void {
  const { gateway } = deps;
  app.openapi(status, async (c) => c.json(presentStatus(await gateway.status()), 200));
  app.openapi(attention, async (c) =>
    c.json({ items: (await gateway.attention()).map(presentAttention), next: null }, 200),
  );
  app.openapi(listRigs, async (c) => c.json({ items: (await gateway.listRigs()).map(presentRig), next: null }, 200));
  app.openapi(addRig, async (c) => c.json(presentRig(await deps.addRig(c.req.valid('json'), c.get('caller'))), 200));
  app.openapi(queue, async (c) =>
    c.json({ items: (await gateway.listQueue(rigOf(c.req.valid('query')))).map(presentQueueEntry), next: null }, 200),
  );
  app.openapi(feed, async (c) => {
    const query = c.req.valid('query');
    const page =
      query.tail === undefined
        ? await gateway.feed(query.cursor ?? null, query.limit ?? PAGE_SIZE_DEFAULT)
        : await gateway.feedTail(query.since ?? 0, query.tail);
    return c.json({ items: page.items.map(presentJournalEntry), cursor: page.cursor }, 200);
  });
  app.openapi(why, async (c) => c.json(presentWhy(await gateway.why(c.req.valid('param').id)), 200));
}

export function registerAgents(app: App, deps: Deps): void {
  const { gateway } = deps;
  app.openapi(listAgents, async (c) =>
    c.json({ items: (await gateway.listAgents(rigOf(c.req.valid('query')))).map(presentAgent), next: null }, 200),
  );
  app.openapi(getAgent, async (c) => {
    const agent = await gateway.findAgent(c.req.valid('param').name);
    return c.json(presentAgent(agent), 200, etag(versionTag(agent)));
  });
  app.openapi(transcript, async (c) => {
    const attempt = await attemptOf(gateway, c.req.valid('param').name);
    const page = await deps.transcript(attempt, c.req.valid('query').from ?? 0);
    return c.text(page.text, 200, { 'x-next-offset': String(page.nextOffset) });
  });
}

/** The attempt that is meant: itself, or what the agent of this name runs now. Errors: `agent_not_found`, `no_attempt`. */
export async function attemptOf(gateway: Deps['gateway'], wanted: string): Promise<string> {
  if (wanted === 'mayor' || wanted === MAYOR) return mayorsAttempt(gateway);
  const agent = await gateway.findAgent(wanted);
  const attempt = wanted.startsWith('at-') ? wanted : agent.attemptId;
  if (attempt !== null) return attempt;
  throw precondition(
    'no_attempt',
    `${agent.id} runs nothing now.`,
    'Name an attempt instead: "gt bead show <id>" lists them.',
  );
}

const rigOf = (query: z.infer<typeof agentQuerySchema>): ReturnType<typeof parseRigName> | undefined =>
  query.rig === undefined ? undefined : parseRigName(query.rig);

/** Errors: `no_attempt`. */
async function mayorsAttempt(gateway: Deps['gateway']): Promise<string> {
  const { attempt } = await gateway.mayor.summary();
  if (attempt !== null) return attempt;
  throw precondition('no_attempt', 'The mayor has no session now.', 'What was said is in "gt mayor log".');
}

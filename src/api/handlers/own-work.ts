/** What an agent may do beside its bead: see where it stands, note follow-up work, say a word to its neighbours. */
import { createRoute, z } from '@hono/zod-openapi';
import { approveSchema, beadSchema, requestChangesSchema, reviewOf } from '../contract/beads.ts';
import { name } from '../contract/common.ts';
import { followUpSchema, ownNudgeSchema, ownStatusSchema } from '../contract/own-work.ts';
import { nudgeSchema } from '../contract/talk.ts';
import { capabilityFor } from '../auth.ts';
import { presentBead } from '../present.ts';
import { presentOwnStatus } from '../present-own-status.ts';
import { agentOnly, answers, jsonBody, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';
import { presentNudge } from './talk.ts';

const town = z.object({ town: name });

const status = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/status`,
  security: agentOnly,
  request: { params: town },
  responses: answers(ownStatusSchema, 'Where the agent stands'),
});
const followUp = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/beads`,
  security: agentOnly,
  request: { params: town, ...jsonBody(followUpSchema) },
  responses: answers(beadSchema, 'The follow-up bead: recorded, linked to the own bead, not started'),
});
const nudge = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/nudge`,
  security: agentOnly,
  request: { params: town, ...jsonBody(ownNudgeSchema) },
  responses: answers(nudgeSchema, 'What became of the nudge'),
});

const requestChanges = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/request-changes`,
  security: agentOnly,
  request: { params: town, ...jsonBody(requestChangesSchema) },
  responses: answers(beadSchema, 'The bead; a rework bead blocks its merge request'),
});
const approve = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/approve`,
  security: agentOnly,
  request: { params: town, ...jsonBody(approveSchema) },
  responses: answers(beadSchema, 'The bead; the word is on record'),
});

export function registerOwnWork(app: App, { gateway }: Deps): void {
  app.openapi(status, async (c) => {
    const capability = capabilityFor(c, 'status');
    const hook = await gateway.hook(capability);
    const [bead, agent, unread] = await Promise.all([
      gateway.getBead(capability.bead),
      gateway.findAgent(capability.agent),
      gateway.talk.ownMail(capability, true),
    ]);
    return c.json(presentOwnStatus({ hook, bead, agent, unreadMail: unread.length }), 200);
  });
  app.openapi(followUp, async (c) => {
    const { title, body, priority } = c.req.valid('json');
    const draft = { title, body: body ?? '', priority: priority ?? 'medium' } as const;
    return c.json(presentBead(await gateway.talk.followUp(capabilityFor(c, 'bead_create'), draft)), 200);
  });
  app.openapi(requestChanges, async (c) => {
    const { bead } = capabilityFor(c, 'request_changes');
    const review = c.req.valid('json');
    const command = { type: 'request_changes', bead, comment: reviewOf(review), head: review.head } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(approve, async (c) => {
    const { bead } = capabilityFor(c, 'review_approve');
    const command = { type: 'approve', bead, comment: c.req.valid('json').comment ?? '' } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(nudge, async (c) =>
    c.json(presentNudge(await gateway.talk.nudgeNeighbour(capabilityFor(c, 'nudge'), c.req.valid('json'))), 200),
  );
}

/** What an agent may do about escalations of its own bead: see them, and say that it takes care of one. */
import { createRoute, z } from '@hono/zod-openapi';
import { parseEscalationId } from '../../core/model/ids.ts';
import { capabilityFor } from '../auth.ts';
import { emptySchema, name } from '../contract/common.ts';
import { escalationPageSchema, escalationSchema } from '../contract/escalations.ts';
import { presentEscalation } from '../present-escalation.ts';
import { agentOnly, answers, optionalBody, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const path = `${TOWN_PATH}/agent/escalations`;

const list = createRoute({
  method: 'get',
  path,
  security: agentOnly,
  request: { params: z.object({ town: name }) },
  responses: answers(escalationPageSchema, 'Open escalations of the own bead'),
});
const ack = createRoute({
  method: 'post',
  path: `${path}/{id}/ack`,
  security: agentOnly,
  request: { params: z.object({ town: name, id: name }), ...optionalBody(emptySchema) },
  responses: answers(escalationSchema, 'The escalation, which rises no more'),
});

export function registerOwnEscalations(app: App, { gateway }: Deps): void {
  app.openapi(list, async (c) => {
    const items = await gateway.talk.ownEscalations(capabilityFor(c, 'escalate'));
    return c.json({ items: items.map(presentEscalation), next: null }, 200);
  });
  app.openapi(ack, async (c) => {
    const id = parseEscalationId(c.req.valid('param').id);
    return c.json(presentEscalation(await gateway.talk.acknowledge(capabilityFor(c, 'escalate'), id)), 200);
  });
}

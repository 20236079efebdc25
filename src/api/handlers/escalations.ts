import { createRoute, z } from '@hono/zod-openapi';
import type { Caller, EscalationCommand } from '../../core/commands.ts';
import { notFound } from '../../core/errors.ts';
import { escalationTag } from '../../core/etag.ts';
import { parseEscalationId } from '../../core/model/ids.ts';
import { emptySchema, name } from '../contract/common.ts';
import {
  decideEscalationSchema,
  escalationPageSchema,
  escalationQuerySchema,
  escalationSchema,
  resolveEscalationSchema,
} from '../contract/escalations.ts';
import type { EscalationItem } from '../contract/escalations.ts';
import { presentEscalation } from '../present-escalation.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const path = `${TOWN_PATH}/escalations`;
const one = z.object({ town: name, id: name });

const list = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: z.object({ town: name }), query: escalationQuerySchema },
  responses: answers(escalationPageSchema, 'Escalations; open ones unless `all`'),
});
const get = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  security: ownerOnly,
  request: { params: one },
  responses: tagged(escalationSchema, 'One escalation, with how it was told and what may be answered'),
});
const ack = createRoute({
  method: 'post',
  path: `${path}/{id}/ack`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(escalationSchema, 'The escalation, which rises no more'),
});
const resolve = createRoute({
  method: 'post',
  path: `${path}/{id}/resolve`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(resolveEscalationSchema) },
  responses: answers(escalationSchema, 'The escalation, resolved'),
});
const decide = createRoute({
  method: 'post',
  path: `${path}/{id}/decide`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(decideEscalationSchema) },
  responses: answers(escalationSchema, 'The escalation, after its answer was applied'),
});

export function registerEscalations(app: App, { gateway }: Deps): void {
  const command = async (id: string, what: EscalationCommand, caller: Caller): Promise<EscalationItem> =>
    presentEscalation(await gateway.commandEscalation(parseEscalationId(id), what, caller));
  app.openapi(list, async (c) => {
    const items = await gateway.listEscalations(c.req.valid('query').all !== 'true');
    return c.json({ items: items.map(presentEscalation), next: null }, 200);
  });
  app.openapi(get, async (c) => {
    const id = parseEscalationId(c.req.valid('param').id);
    const item = (await gateway.listEscalations(false)).find((escalation) => escalation.id === id);
    if (item === undefined) throw notFound('escalation', id);
    return c.json(presentEscalation(item), 200, etag(escalationTag(item)));
  });
  app.openapi(ack, async (c) => c.json(await command(c.req.valid('param').id, { type: 'ack' }, c.get('caller')), 200));
  app.openapi(resolve, async (c) => {
    const note = c.req.valid('json').note ?? '';
    return c.json(await command(c.req.valid('param').id, { type: 'resolve', note }, c.get('caller')), 200);
  });
  app.openapi(decide, async (c) => {
    const { option } = c.req.valid('json');
    return c.json(await command(c.req.valid('param').id, { type: 'decide', option }, c.get('caller')), 200);
  });
}

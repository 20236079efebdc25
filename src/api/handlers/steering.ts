/** What a person or the mayor does when an agent is the wrong one, or on the wrong way. */
import { createRoute, z } from '@hono/zod-openapi';
import { parseBeadId } from '../../core/model/ids.ts';
import { beadSchema, reassignSchema } from '../contract/beads.ts';
import { emptySchema, name } from '../contract/common.ts';
import { answerSchema } from '../contract/talk.ts';
import { presentBead } from '../present.ts';
import { ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const reassign = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/beads/{id}/reassign`,
  security: ownerOnly,
  request: { params: z.object({ town: name, id: name }), ...ifMatch, ...jsonBody(reassignSchema) },
  responses: answers(beadSchema, 'The bead, for that agent only'),
});
const reset = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agents/{name}/reset`,
  security: ownerOnly,
  request: { params: z.object({ town: name, name }), ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(answerSchema, 'The session ends; a fresh one goes on without the checkpoint'),
});

export function registerSteering(app: App, { gateway }: Deps): void {
  app.openapi(reassign, async (c) => {
    const bead = parseBeadId(c.req.valid('param').id);
    const command = { type: 'reassign', bead, agent: c.req.valid('json').agent } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(reset, async (c) => {
    const caller = c.get('caller');
    const agent = await gateway.findAgent(c.req.valid('param').name);
    const request = {
      agent: agent.id,
      action: 'restart',
      requestedBy: caller.actor,
      timestamp: null,
      note: '',
    } as const;
    return c.json({ answer: await gateway.talk.lifecycle(request, caller) }, 200);
  });
}

import { createRoute, z } from '@hono/zod-openapi';
import type { Caller, RigCommand } from '../../core/commands.ts';
import { rigAmong } from '../../core/etag.ts';
import { parseRigName } from '../../core/model/ids.ts';
import { emptySchema, name } from '../contract/common.ts';
import {
  pauseTrainSchema,
  removeRigSchema,
  resumeTrainSchema,
  rigRemovalSchema,
  rigSchema,
  rigSettingsSchema,
} from '../contract/rigs.ts';
import { presentRig } from '../present.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const one = z.object({ town: name, rig: name });
const path = `${TOWN_PATH}/rigs/{rig}`;

const get = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: one },
  responses: tagged(rigSchema, 'One rig; its ETag is of its settings and of which trains people stopped'),
});
const verb = (word: string, description: string) =>
  createRoute({
    method: 'post',
    path: `${path}/${word}`,
    security: ownerOnly,
    request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
    responses: answers(rigSchema, description),
  });
const park = verb('park', 'The rig; nothing new of it is started');
const unpark = verb('unpark', 'The rig; its work goes on');
const retry = verb('retry', 'The rig; what could not be started there is tried again now');
const config = createRoute({
  method: 'post',
  path: `${path}/config`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(rigSettingsSchema) },
  responses: answers(rigSchema, 'The rig with its settings changed'),
});
const pause = createRoute({
  method: 'post',
  path: `${path}/mq/pause`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(pauseTrainSchema) },
  responses: answers(rigSchema, 'The rig; the merge train begins nothing more, what it is at ends'),
});
const resume = createRoute({
  method: 'post',
  path: `${path}/mq/resume`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(resumeTrainSchema) },
  responses: answers(rigSchema, 'The rig; the merge train goes on'),
});
const remove = createRoute({
  method: 'post',
  path: `${path}/remove`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(removeRigSchema) },
  responses: answers(rigRemovalSchema, 'Removed, or what is still waited for'),
});

export function registerRigs(app: App, deps: Deps): void {
  app.openapi(get, async (c) => {
    const rig = rigAmong(await deps.gateway.listRigs(), parseRigName(c.req.valid('param').rig));
    return c.json(presentRig(rig), 200, etag(rig.tag));
  });
  app.openapi(park, async (c) =>
    c.json(
      presentRig(await deps.changeRig(parseRigName(c.req.valid('param').rig), { parked: true }, c.get('caller'))),
      200,
    ),
  );
  app.openapi(unpark, async (c) =>
    c.json(
      presentRig(await deps.changeRig(parseRigName(c.req.valid('param').rig), { parked: false }, c.get('caller'))),
      200,
    ),
  );
  const order = async (rig: string, command: RigCommand, caller: Caller) =>
    presentRig(await deps.gateway.rigCommand(parseRigName(rig), command, caller));
  app.openapi(retry, async (c) =>
    c.json(await order(c.req.valid('param').rig, { type: 'retry' }, c.get('caller')), 200),
  );
  app.openapi(pause, async (c) => {
    const { target = null, reason } = c.req.valid('json');
    const { rig } = c.req.valid('param');
    return c.json(await order(rig, { type: 'pause_train', target, reason }, c.get('caller')), 200);
  });
  app.openapi(resume, async (c) => {
    const { target = null } = c.req.valid('json');
    const { rig } = c.req.valid('param');
    return c.json(await order(rig, { type: 'resume_train', target }, c.get('caller')), 200);
  });
  app.openapi(config, async (c) =>
    c.json(
      presentRig(await deps.changeRig(parseRigName(c.req.valid('param').rig), c.req.valid('json'), c.get('caller'))),
      200,
    ),
  );
  app.openapi(remove, async (c) => {
    const rig = parseRigName(c.req.valid('param').rig);
    const {
      waitingForPeople,
      unsent: _unsent,
      waitsFor,
      ...rest
    } = await deps.removeRig(rig, c.req.valid('json').drain ?? false, c.get('caller'));
    return c.json({ ...rest, waiting_for_people: waitingForPeople, waits_for: [...waitsFor] }, 200);
  });
}

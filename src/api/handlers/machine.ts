/** Calls of the machine itself: agents with their attempt's capability, the runner with its secret. */
import { createRoute, z } from '@hono/zod-openapi';
import { parseAttemptId, parseBeadId, parseRigName } from '../../core/model/ids.ts';
import { MAYOR_SCOPE } from '../../core/model/mayor.ts';
import { capabilityFor, runnerOf } from '../auth.ts';
import {
  checkpointSchema,
  factsSchema,
  hookSchema,
  liveSchema,
  primeSchema,
  recordedSchema,
  savedSchema,
} from '../contract/agents.ts';
import { beadDetailSchema } from '../contract/beads.ts';
import { name } from '../contract/common.ts';
import { confirmStartSchema, factSchema, verdictRequestSchema, verdictSchema } from '../contract/runner.ts';
import { forbidden } from '../errors.ts';
import { presentBeadDetail, presentHook } from '../present.ts';
import { agentOnly, answers, jsonBody, runnerOnly, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });

const hook = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/hook`,
  security: agentOnly,
  request: { params: town },
  responses: answers(hookSchema, 'The one bead on the hook'),
});
const prime = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/prime`,
  security: agentOnly,
  request: { params: town },
  responses: answers(primeSchema, 'What to do and how'),
});
const checkpoint = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/agent/checkpoint`,
  security: agentOnly,
  request: { params: town, ...jsonBody(checkpointSchema) },
  responses: answers(savedSchema, 'Saved for the next attempt'),
});
const ownBead = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/agent/bead/{id}`,
  security: agentOnly,
  request: { params: z.object({ town: name, id: name }) },
  responses: answers(beadDetailSchema, 'The own bead'),
});

export function registerAgentCalls(app: App, { gateway }: Deps): void {
  app.openapi(hook, async (c) => c.json(presentHook(await gateway.hook(capabilityFor(c, 'hook'))), 200));
  app.openapi(prime, async (c) => {
    const capability = capabilityFor(c, 'prime');
    const view = await gateway.talk.prime(capability);
    return c.json({ agent: view.agent, bead: view.bead.id, prompt: view.prompt, checkpoint: view.checkpoint }, 200);
  });
  app.openapi(checkpoint, async (c) => {
    await gateway.checkpoint(capabilityFor(c, 'checkpoint'), JSON.stringify(c.req.valid('json').data));
    return c.json({ saved: true }, 200);
  });
  app.openapi(ownBead, async (c) => {
    const capability = capabilityFor(c, 'bead');
    const id = parseBeadId(c.req.valid('param').id);
    // The source of a rework bead is the same lineage: its text is on the hook anyway.
    const isOwn = id === capability.bead || id === (await gateway.hook(capability)).source.id;
    if (!isOwn)
      throw forbidden('not_your_bead', `${id} is not on your hook.`, 'Work on the bead that "gt hook" shows.');
    return c.json(presentBeadDetail(await gateway.getBead(id)), 200);
  });
}

const facts = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runner/facts`,
  security: runnerOnly,
  request: { params: town, ...jsonBody(factsSchema(factSchema)) },
  responses: answers(recordedSchema, 'Keys that are safe to forget'),
});
const confirm = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runner/confirm`,
  security: runnerOnly,
  request: { params: town, ...jsonBody(confirmStartSchema) },
  responses: answers(liveSchema, 'Whether the attempt is still the live one'),
});
const verdict = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runner/verdict`,
  security: runnerOnly,
  request: { params: town, ...jsonBody(verdictRequestSchema) },
  responses: answers(verdictSchema, 'What became of a claim'),
});

export function registerRunnerCalls(app: App, { gateway }: Deps): void {
  app.openapi(facts, async (c) =>
    c.json({ recorded: [...(await gateway.recordFacts(c.req.valid('json').facts, runnerOf(c)))] }, 200),
  );
  app.openapi(confirm, async (c) => {
    const input = c.req.valid('json');
    return c.json(
      {
        live: await gateway.confirmStart({
          rig: input.rig === MAYOR_SCOPE ? input.rig : parseRigName(input.rig),
          attempt: parseAttemptId(input.attempt),
          epoch: input.epoch,
          runner: runnerOf(c),
        }),
      },
      200,
    );
  });
  app.openapi(verdict, async (c) => {
    const input = c.req.valid('json');
    return c.json(
      await gateway.verdict(parseRigName(input.rig), parseAttemptId(input.attempt), input.epoch, input.waitMs),
      200,
    );
  });
}

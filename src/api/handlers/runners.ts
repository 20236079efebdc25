/** The registry of runners, for the owner. */
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { AppEnv } from '../auth.ts';
import { runnerTag } from '../../core/etag.ts';
import type { Meant } from '../../ports/runner-gateway.ts';
import type { Runner } from '../../core/model/runner.ts';
import { name } from '../contract/common.ts';
import { newSerial, parseRunnerName, tokenOf } from '../contract/runner-auth.ts';
import {
  addRunnerSchema,
  drainRunnerSchema,
  removedRunnerSchema,
  removeRunnerSchema,
  runnerPageSchema,
  runnerSchema,
  runnerTokenSchema,
  type RunnerItem,
} from '../contract/runners.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });
const one = z.object({ town: name, id: name });
const security = ownerOnly;

const list = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/runners`,
  security,
  request: { params: town },
  responses: answers(runnerPageSchema, 'All runners'),
});
const add = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runners`,
  security,
  request: { params: town, ...jsonBody(addRunnerSchema) },
  responses: answers(runnerTokenSchema, 'The runner and its token, which is shown once'),
});
const show = createRoute({
  method: 'get',
  path: `${TOWN_PATH}/runners/{id}`,
  security,
  request: { params: one },
  responses: tagged(runnerSchema, 'One runner'),
});
const rotate = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runners/{id}/rotate`,
  security,
  request: { params: one, ...ifMatch },
  responses: answers(runnerTokenSchema, 'A new token; the old one ends with its first use'),
});
const remove = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runners/{id}/remove`,
  security,
  request: { params: one, ...ifMatch, ...optionalBody(removeRunnerSchema) },
  responses: answers(removedRunnerSchema, 'Its rights are gone'),
});
const drain = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runners/{id}/drain`,
  security,
  request: { params: one, ...ifMatch, ...optionalBody(drainRunnerSchema) },
  responses: answers(runnerSchema, 'Takes nothing new'),
});
const undrain = createRoute({
  method: 'post',
  path: `${TOWN_PATH}/runners/{id}/undrain`,
  security,
  request: { params: one, ...ifMatch },
  responses: answers(runnerSchema, 'Takes work again'),
});

export function registerRunners(app: App, deps: Deps & { readonly auth: { readonly capabilityKey: string } }): void {
  const { gateway } = deps;
  const { runners } = gateway;
  const token = async (runner: string, serial: string): Promise<string> =>
    (await tokenOf(deps.auth.capabilityKey, { town: gateway.id, runner, serial })).token;
  const present = async (runner: Runner): Promise<RunnerItem> =>
    presentRunner(runner, await runners.busy(runner.id), deps.runnerLine.unmet?.(runner.id) ?? null);
  app.openapi(list, async (c) =>
    c.json({ items: await Promise.all((await runners.list()).map(present)), next: null }, 200),
  );
  app.openapi(add, async (c) => {
    const body = c.req.valid('json');
    const id = parseRunnerName(body.name);
    const serial = newSerial(random);
    const runner = await runners.add({ id, url: body.url ?? null, serial });
    return c.json({ runner: await present(runner), token: await token(id, serial) }, 200);
  });
  app.openapi(show, async (c) => {
    const runner = await runners.get(c.req.valid('param').id);
    return c.json(await present(runner), 200, etag(runnerTag(runner)));
  });
  app.openapi(rotate, async (c) => {
    const id = c.req.valid('param').id;
    const serial = newSerial(random);
    const runner = await runners.rotate(id, serial, meantBy(c));
    return c.json({ runner: await present(runner), token: await token(id, serial) }, 200);
  });
  app.openapi(remove, async (c) => {
    const id = c.req.valid('param').id;
    await runners.remove(id, c.req.valid('json')?.lost === true, meantBy(c));
    return c.json({ removed: id }, 200);
  });
  app.openapi(drain, async (c) => {
    const id = c.req.valid('param').id;
    const graceMs = c.req.valid('json')?.grace_ms ?? null;
    const runner = await runners.drain(id, true, { ...meantBy(c), graceMs });
    await deps.runnerLine.drain(id, true, graceMs);
    return c.json(await present(runner), 200);
  });
  app.openapi(undrain, async (c) => {
    const id = c.req.valid('param').id;
    const runner = await runners.drain(id, false, meantBy(c));
    await deps.runnerLine.drain(id, false, null);
    return c.json(await present(runner), 200);
  });
}

const meantBy = (c: Context<AppEnv>): Meant => ({ ifMatch: c.get('caller').ifMatch });

const random = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

function presentRunner(runner: Runner, agents: number, unmet: string | null): RunnerItem {
  return {
    id: runner.id,
    status: runner.state,
    instance: runner.instance,
    url: runner.url,
    unmet,
    last_seen_at: runner.lastSeenAtMs,
    capacity: runner.capacity,
    labels: [...runner.labels],
    versions: { ...runner.versions },
    draining: runner.draining,
    rotating: runner.rotating,
    agents,
    created_at: runner.createdAtMs,
  };
}

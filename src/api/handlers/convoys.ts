import { createRoute, z } from '@hono/zod-openapi';
import { usage } from '../../core/errors.ts';
import { versionTag } from '../../core/etag.ts';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import type { Caller, ConvoyChange, ConvoyPlan, CreateConvoy, UpdateConvoy } from '../../core/commands.ts';
import { parseBeadId, parseConvoyId, parseRigName } from '../../core/model/ids.ts';
import type { TownGateway } from '../../ports/town-gateway.ts';
import { emptySchema, name } from '../contract/common.ts';
import {
  addToConvoySchema,
  closeConvoySchema,
  convoyDetailSchema,
  convoyPageSchema,
  convoyQuerySchema,
  createConvoySchema,
  removeFromConvoySchema,
  updateConvoySchema,
} from '../contract/convoys.ts';
import type { ConvoyDetailItem, ConvoyPlanBody, CreateConvoyBody } from '../contract/convoys.ts';
import { presentConvoy, presentConvoyDetail } from '../present.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });
const one = z.object({ town: name, id: name });
const path = `${TOWN_PATH}/convoys`;

const list = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: town, query: convoyQuerySchema },
  responses: answers(convoyPageSchema, 'Convoys, newest first'),
});
const create = createRoute({
  method: 'post',
  path,
  security: ownerOnly,
  request: { params: town, ...jsonBody(createConvoySchema) },
  responses: answers(convoyDetailSchema, 'The new convoy'),
});
const get = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  security: ownerOnly,
  request: { params: one },
  responses: tagged(convoyDetailSchema, 'One convoy with its beads'),
});
const start = createRoute({
  method: 'post',
  path: `${path}/{id}/start`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(convoyDetailSchema, 'The convoy, started'),
});
const add = createRoute({
  method: 'post',
  path: `${path}/{id}/add`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(addToConvoySchema) },
  responses: answers(convoyDetailSchema, 'The convoy with the beads that joined: all of them, or an error and none'),
});
const remove = createRoute({
  method: 'post',
  path: `${path}/{id}/remove`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(removeFromConvoySchema) },
  responses: answers(convoyDetailSchema, 'The convoy without these beads, which go on by themselves'),
});
const update = createRoute({
  method: 'post',
  path: `${path}/{id}/update`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(updateConvoySchema) },
  responses: answers(convoyDetailSchema, 'The convoy with its new title or policy'),
});
const close = createRoute({
  method: 'post',
  path: `${path}/{id}/close`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(closeConvoySchema) },
  responses: answers(convoyDetailSchema, 'The convoy, cancelled; what was merged stays merged'),
});

const revert = createRoute({
  method: 'post',
  path: `${path}/{id}/revert`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(convoyDetailSchema, 'The convoy with one revert for each branch that it landed on'),
});

export function registerConvoys(app: App, { gateway }: Deps): void {
  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const page = await gateway.listConvoys(query.limit ?? PAGE_SIZE_DEFAULT, query.after);
    return c.json({ items: page.items.map(presentConvoy), next: page.next }, 200);
  });
  app.openapi(create, async (c) => {
    const input = toCreateConvoy(c.req.valid('json'));
    await checkBeads(gateway, input);
    return c.json(presentConvoyDetail(await gateway.createConvoy(input, c.get('caller'))), 200);
  });
  app.openapi(get, async (c) => {
    const convoy = await gateway.getConvoy(parseConvoyId(c.req.valid('param').id));
    return c.json(presentConvoyDetail(convoy), 200, etag(versionTag(convoy)));
  });
  app.openapi(start, async (c) =>
    c.json(
      presentConvoyDetail(await gateway.startConvoy(parseConvoyId(c.req.valid('param').id), c.get('caller'))),
      200,
    ),
  );
  registerChanges(app, gateway);
}

/** A convoy that names a bead which does not exist is refused before anything is recorded. Errors: `bead_not_found`. */
async function checkBeads(gateway: TownGateway, input: ConvoyPlan): Promise<void> {
  const named = [...input.beads, ...input.tasks.flatMap((task) => task.dependsOn)];
  for (const id of new Set(named)) {
    if (typeof id === 'string') await gateway.getBead(id);
  }
}

function registerChanges(app: App, gateway: TownGateway): void {
  const change = async (id: string, what: ConvoyChange, caller: Caller): Promise<ConvoyDetailItem> =>
    presentConvoyDetail(await gateway.changeConvoy(parseConvoyId(id), what, caller));
  app.openapi(add, async (c) => {
    const plan = toPlan(c.req.valid('json'));
    await checkBeads(gateway, plan);
    return c.json(await change(c.req.valid('param').id, { type: 'add', plan }, c.get('caller')), 200);
  });
  app.openapi(remove, async (c) => {
    const beads = c.req.valid('json').beads.map(parseBeadId);
    return c.json(await change(c.req.valid('param').id, { type: 'remove', beads }, c.get('caller')), 200);
  });
  app.openapi(update, async (c) => {
    const body = c.req.valid('json');
    if (body.title === undefined && body.on_failure === undefined && body.landing_order === undefined)
      throw usage(
        'nothing_to_change',
        'There is nothing to change.',
        'Give a title, on_failure or landing_order.',
        'title',
      );
    const what = { type: 'update', update: updateOf(body) } as const;
    return c.json(await change(c.req.valid('param').id, what, c.get('caller')), 200);
  });
  app.openapi(close, async (c) => {
    const note = c.req.valid('json').note ?? '';
    return c.json(await change(c.req.valid('param').id, { type: 'close', note }, c.get('caller')), 200);
  });
  app.openapi(revert, async (c) =>
    c.json(await change(c.req.valid('param').id, { type: 'revert' }, c.get('caller')), 200),
  );
}

function updateOf(body: z.infer<typeof updateConvoySchema>): UpdateConvoy {
  return { title: body.title, onFailure: body.on_failure, landingOrder: body.landing_order?.map(parseRigName) };
}

function toCreateConvoy(input: CreateConvoyBody): CreateConvoy {
  return {
    title: input.title,
    ...toPlan(input),
    mergeMode: input.merge_mode ?? 'review-and-merge',
    onFailure: input.on_failure ?? 'hold',
    landingOrder: (input.landing_order ?? []).map(parseRigName),
    staged: input.staged ?? false,
  };
}

function toPlan(input: ConvoyPlanBody): ConvoyPlan {
  const tasks = input.tasks ?? [];
  const beads = input.beads ?? [];
  if (tasks.length === 0 && beads.length === 0)
    throw usage('empty_convoy', 'A convoy needs tasks or beads.', 'Give tasks, or ids of beads that exist.', 'tasks');
  if (tasks.length > 0 && beads.length > 0)
    throw usage(
      'mixed_convoy',
      'Give new tasks or beads that exist, not both at once.',
      'Leave one of them out.',
      'beads',
    );
  if (new Set(beads).size !== beads.length)
    throw usage('duplicate_bead', 'The same bead is listed twice.', 'List each bead once.', 'beads');
  return {
    tasks: tasks.map((task, position) => ({
      rig: parseRigName(task.rig),
      title: task.title,
      body: task.body ?? '',
      priority: task.priority ?? 'medium',
      runtime: task.runtime ?? null,
      model: task.model ?? null,
      dependsOn: (task.depends_on ?? []).map((reference) =>
        typeof reference === 'number' ? inPlan(reference, position, tasks.length) : parseBeadId(reference),
      ),
    })),
    beads: beads.map(parseBeadId),
  };
}

function inPlan(reference: number, position: number, size: number): number {
  if (reference >= size || reference === position) {
    throw usage(
      'bad_dependency',
      `Task ${String(position)} depends on position ${String(reference)}, which is not another task of the plan.`,
      'Positions count from 0.',
      `tasks.${String(position)}.depends_on`,
    );
  }
  return reference;
}

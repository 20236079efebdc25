import { createRoute, z } from '@hono/zod-openapi';
import { checkBranch } from '../../core/branch-name.ts';
import { usage } from '../../core/errors.ts';
import { versionTag } from '../../core/etag.ts';
import { PAGE_SIZE_DEFAULT } from '../../core/limits.ts';
import { BEAD_STATUSES } from '../../core/model/bead.ts';
import type { BeadStatus } from '../../core/model/bead.ts';
import type { BeadChanges, CreateBead, SlingBead } from '../../core/commands.ts';
import { parseBeadId, parseConvoyId, parseRigName } from '../../core/model/ids.ts';
import type { BeadId } from '../../core/model/ids.ts';
import { makeFormula } from '../../core/model/molecule.ts';
import type { BeadFilter } from '../../core/queries.ts';
import {
  approveSchema,
  beadDetailSchema,
  beadPageSchema,
  beadQuerySchema,
  beadSchema,
  closeSchema,
  createBeadSchema,
  holdSchema,
  requestChangesSchema,
  reviewOf,
  updateBeadSchema,
  slingSchema,
} from '../contract/beads.ts';
import type { CreateBeadBody, SlingBody, UpdateBeadBody } from '../contract/beads.ts';
import { emptySchema, name } from '../contract/common.ts';
import { presentBead, presentBeadDetail } from '../present.ts';
import { etag, ifMatch } from '../if-match.ts';
import { answers, jsonBody, optionalBody, ownerOnly, tagged, TOWN_PATH } from './shared.ts';
import type { App, Deps } from './shared.ts';

const town = z.object({ town: name });
const one = z.object({ town: name, id: name });
const path = `${TOWN_PATH}/beads`;

const list = createRoute({
  method: 'get',
  path,
  security: ownerOnly,
  request: { params: town, query: beadQuerySchema },
  responses: answers(beadPageSchema, 'Beads, oldest first unless asked otherwise'),
});
const create = createRoute({
  method: 'post',
  path,
  security: ownerOnly,
  request: { params: town, ...jsonBody(createBeadSchema) },
  responses: answers(beadSchema, 'The new bead'),
});
const get = createRoute({
  method: 'get',
  path: `${path}/{id}`,
  security: ownerOnly,
  request: { params: one },
  responses: tagged(beadDetailSchema, 'One bead with its story'),
});
const sling = createRoute({
  method: 'post',
  path: `${path}/{id}/sling`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(slingSchema) },
  responses: answers(beadSchema, 'The bead, ready to run'),
});
const close = createRoute({
  method: 'post',
  path: `${path}/{id}/close`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(closeSchema) },
  responses: answers(beadSchema, 'The bead, closed or closing'),
});
const hold = createRoute({
  method: 'post',
  path: `${path}/{id}/hold`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(holdSchema) },
  responses: answers(beadSchema, 'The bead, held'),
});
const release = createRoute({
  method: 'post',
  path: `${path}/{id}/release`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(beadSchema, 'The bead, released'),
});
const retry = createRoute({
  method: 'post',
  path: `${path}/{id}/retry`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(beadSchema, 'The bead, tried again'),
});

const reopen = createRoute({
  method: 'post',
  path: `${path}/{id}/reopen`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(beadSchema, 'The bead that takes the place of the one that ended'),
});
const unsling = createRoute({
  method: 'post',
  path: `${path}/{id}/unsling`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(emptySchema) },
  responses: answers(beadSchema, 'The bead, recorded but not slung'),
});
const requestChanges = createRoute({
  method: 'post',
  path: `${path}/{id}/request-changes`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(requestChangesSchema) },
  responses: answers(beadSchema, 'The bead; a rework bead blocks its merge request'),
});

const approve = createRoute({
  method: 'post',
  path: `${path}/{id}/approve`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...optionalBody(approveSchema) },
  responses: answers(beadSchema, 'The bead; the word is on record'),
});
const update = createRoute({
  method: 'post',
  path: `${path}/{id}/update`,
  security: ownerOnly,
  request: { params: one, ...ifMatch, ...jsonBody(updateBeadSchema) },
  responses: answers(beadSchema, 'The bead, changed'),
});

/** Verbs without anything to say beside the bead. */
const PLAIN_VERBS = [
  { route: release, type: 'release' },
  { route: retry, type: 'retry' },
  { route: reopen, type: 'reopen' },
  { route: unsling, type: 'unsling' },
] as const;

export function registerBeads(app: App, { gateway }: Deps): void {
  app.openapi(list, async (c) => {
    const page = await gateway.listBeads(filterOf(c.req.valid('query')));
    return c.json({ items: page.items.map(presentBead), next: page.next }, 200);
  });
  app.openapi(create, async (c) =>
    c.json(presentBead(await gateway.createBead(toCreateBead(c.req.valid('json')), c.get('caller'))), 200),
  );
  app.openapi(get, async (c) => {
    const bead = await gateway.getBead(parseBeadId(c.req.valid('param').id));
    return c.json(presentBeadDetail(bead), 200, etag(versionTag(bead)));
  });
  app.openapi(sling, async (c) => {
    const command = {
      type: 'sling',
      sling: toSling(parseBeadId(c.req.valid('param').id), c.req.valid('json')),
    } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(close, async (c) => {
    const input = c.req.valid('json');
    const command = {
      type: 'close',
      bead: parseBeadId(c.req.valid('param').id),
      reason: input.reason ?? 'cancelled',
      note: input.note ?? '',
    } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(hold, async (c) => {
    const command = {
      type: 'hold',
      bead: parseBeadId(c.req.valid('param').id),
      note: c.req.valid('json').note ?? '',
    } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  for (const { route, type } of PLAIN_VERBS) {
    app.openapi(route, async (c) => {
      const command = { type, bead: parseBeadId(c.req.valid('param').id) };
      return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
    });
  }
  app.openapi(update, async (c) => {
    const command = {
      type: 'update',
      bead: parseBeadId(c.req.valid('param').id),
      changes: toChanges(c.req.valid('json')),
    } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(approve, async (c) => {
    const comment = c.req.valid('json').comment ?? '';
    const command = { type: 'approve', bead: parseBeadId(c.req.valid('param').id), comment } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
  app.openapi(requestChanges, async (c) => {
    const command = {
      type: 'request_changes',
      bead: parseBeadId(c.req.valid('param').id),
      comment: reviewOf(c.req.valid('json')),
      head: c.req.valid('json').head,
    } as const;
    return c.json(presentBead(await gateway.beadCommand(command, c.get('caller'))), 200);
  });
}

function toCreateBead(input: CreateBeadBody): CreateBead {
  return {
    rig: parseRigName(input.rig),
    title: input.title,
    body: input.body ?? '',
    priority: input.priority ?? 'medium',
    dependsOn: (input.depends_on ?? []).map(parseBeadId),
    runtime: input.runtime ?? null,
    model: input.model ?? null,
    targetBranch: input.target_branch === undefined ? null : checkBranch(input.target_branch, 'target_branch'),
    sling: input.sling ?? false,
    pinnedAgent: input.agent ?? null,
    parentId: input.parent_id === undefined ? null : parseBeadId(input.parent_id),
    formula: input.formula === undefined ? null : makeFormula(input.formula.name, input.formula.steps),
  };
}

function toChanges({ target_branch: branch, ...plain }: UpdateBeadBody): BeadChanges {
  return branch === undefined ? plain : { ...plain, targetBranch: checkBranch(branch, 'target_branch') };
}

function toSling(bead: BeadId, input: SlingBody): SlingBead {
  return { bead, runtime: input.runtime ?? null, model: input.model ?? null, pinnedAgent: input.agent ?? null };
}

function filterOf(query: z.infer<typeof beadQuerySchema>): BeadFilter {
  return {
    rig: query.rig === undefined ? undefined : parseRigName(query.rig),
    statuses: query.status === undefined ? undefined : query.status.split(',').map(parseStatus),
    convoy: query.convoy === undefined ? undefined : parseConvoyId(query.convoy),
    includeMergeRequests: query.merge_requests === 'true',
    isNewestFirst: query.order === 'newest',
    limit: query.limit ?? PAGE_SIZE_DEFAULT,
    after: query.after,
  };
}

function parseStatus(text: string): BeadStatus {
  const found = BEAD_STATUSES.find((status) => status === text);
  if (found === undefined)
    throw usage(
      'bad_status',
      `${JSON.stringify(text)} is not a status of a bead.`,
      `Use one or more of: ${BEAD_STATUSES.join(', ')}.`,
      'status',
    );
  return found;
}

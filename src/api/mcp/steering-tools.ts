/** Tools that coordinate the town: of the mayor, and of people's own assistants. */
import { z } from 'zod';
import { usage } from '../../core/errors.ts';
import { BEAD_STATUSES } from '../../core/model/bead.ts';
import { createBeadSchema, slingSchema, updateBeadSchema } from '../contract/beads.ts';
import { cursor, name, reason } from '../contract/common.ts';
import { addToConvoySchema, createConvoySchema, removeFromConvoySchema } from '../contract/convoys.ts';
import { query, segment, toolCall, type ToolCall } from './tool-call.ts';

const nothing = z.strictObject({});
const bead = name.describe('Id of the bead, for example app-7k3qf');
const convoy = name.describe('Id of the convoy');
const page = {
  limit: z.number().int().min(1).max(200).optional().describe('At most so many'),
  after: cursor.optional().describe('The "next" of an earlier page'),
};

const sling = toolCall(
  z.strictObject({
    ...slingSchema.shape,
    bead: bead.optional().describe('A bead that exists; or give title and rig for a new task'),
    title: createBeadSchema.shape.title.optional(),
    rig: name.optional(),
    body: createBeadSchema.shape.body.describe('What is to be done, and why'),
    priority: createBeadSchema.shape.priority,
    depends_on: createBeadSchema.shape.depends_on,
  }),
  (caller, { bead: id, title, rig, body, priority, depends_on: dependsOn, ...how }) => {
    if (id !== undefined && title === undefined) return caller.ask('POST', `beads/${segment(id)}/sling`, how);
    if (id !== undefined || title === undefined || rig === undefined)
      throw usage('bad_field', 'Give either bead, or title and rig.', 'Call it again with one of them.', 'bead');
    return caller.ask('POST', 'beads', { rig, title, body, priority, depends_on: dependsOn, ...how, sling: true });
  },
);

const slingBatch = toolCall(createConvoySchema, (caller, plan) => caller.ask('POST', 'convoys', plan));

const listBeads = toolCall(
  z.strictObject({
    rig: name.optional(),
    status: z.array(z.enum(BEAD_STATUSES)).optional(),
    convoy: convoy.optional(),
    ...page,
  }),
  (caller, { status, ...rest }) => caller.ask('GET', `beads${query({ ...rest, status: status?.join(',') })}`),
);

const listAgents = toolCall(z.strictObject({ rig: name.optional() }), (caller, { rig }) =>
  caller.ask('GET', `agents${query({ rig })}`),
);

const convoyClose = toolCall(
  z.strictObject({ id: convoy, note: reason.optional().describe('Why, for the record') }),
  (caller, { id, note }) => caller.ask('POST', `convoys/${segment(id)}/close`, note === undefined ? {} : { note }),
);

const ACTIONS = ['hold', 'release', 'retry', 'close'] as const;

const beadUpdate = toolCall(
  z.strictObject({
    id: bead,
    ...updateBeadSchema.shape,
    action: z.enum(ACTIONS).optional().describe('Instead of a change: hold, release, retry, or close (cancel) it'),
    note: reason.optional().describe('Why; for hold and close'),
  }),
  (caller, { id, action, note, ...changes }) => {
    const path = `beads/${segment(id)}`;
    const isChange = Object.values(changes).some((value) => value !== undefined);
    if (isChange === (action !== undefined))
      throw usage('bad_field', 'Give either changes, or one action.', 'Call it again with one of them.', 'action');
    if (action === undefined) return caller.ask('POST', `${path}/update`, changes);
    const says = note !== undefined && (action === 'hold' || action === 'close');
    return caller.ask('POST', `${path}/${action}`, says ? { note } : {});
  },
);

/** A tool with one id and nothing else. */
const byId = (id: z.ZodString, method: 'GET' | 'POST', path: (id: string) => string): ToolCall =>
  toolCall(z.strictObject({ id }), (caller, input) =>
    caller.ask(method, path(segment(input.id)), method === 'POST' ? {} : undefined),
  );

export const STEERING_CALLS: Readonly<Record<string, ToolCall>> = {
  gt_sling: sling,
  gt_sling_batch: slingBatch,
  gt_list_rigs: toolCall(nothing, (caller) => caller.ask('GET', 'rigs')),
  gt_list_beads: listBeads,
  gt_list_agents: listAgents,
  gt_list_convoys: toolCall(z.strictObject(page), (caller, input) => caller.ask('GET', `convoys${query(input)}`)),
  gt_convoy_status: byId(convoy, 'GET', (id) => `convoys/${id}`),
  gt_convoy_start: byId(convoy, 'POST', (id) => `convoys/${id}/start`),
  gt_convoy_close: convoyClose,
  gt_convoy_add_bead: toolCall(z.strictObject({ id: convoy, ...addToConvoySchema.shape }), (caller, { id, ...plan }) =>
    caller.ask('POST', `convoys/${segment(id)}/add`, plan),
  ),
  gt_convoy_remove_bead: toolCall(
    z.strictObject({ id: convoy, ...removeFromConvoySchema.shape }),
    (caller, { id, ...beads }) => caller.ask('POST', `convoys/${segment(id)}/remove`, beads),
  ),
  gt_bead_update: beadUpdate,
  gt_bead_reassign: toolCall(
    z.strictObject({ id: bead, agent: name.describe('Identity, or name in the rig of the bead') }),
    (caller, { id, agent }) => caller.ask('POST', `beads/${segment(id)}/reassign`, { agent }),
  ),
  gt_agent_reset: toolCall(z.strictObject({ agent: name.describe('Its identity or name') }), (caller, { agent }) =>
    caller.ask('POST', `agents/${segment(agent)}/reset`, {}),
  ),
  gt_escalation_acknowledge: byId(name.describe('Id of the escalation'), 'POST', (id) => `escalations/${id}/ack`),
  gt_why: byId(name.describe('Id of anything, or _ for the whole town'), 'GET', (id) => `why/${id}`),
};

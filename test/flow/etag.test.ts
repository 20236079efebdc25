/** Versions of what may be changed: each has an ETag, each change honours If-Match, and a stale one changes no row. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { silentLog } from '../../src/ports/log.ts';
import { refuseStaleRig } from '../../src/core/etag.ts';
import { TownFile } from '../../src/settings/town-file.ts';
import { human, newBead, newTask, openTown } from '../support/town-story.ts';

const base = '/api/v1/towns/{town}';

/** Changes that are not of one thing's version, each with its reason. */
const WITHOUT_VERSION: Readonly<Record<string, string>> = {
  'post /rigs': 'makes one',
  'post /beads': 'makes one',
  'post /convoys': 'makes one',
  'post /runners': 'makes one',
  'post /mail': 'makes one',
  'post /settings/reload': 'reads what somebody wrote already',
  'post /mail/{id}/read': 'says that somebody looked',
  'post /agents/{name}/nudge': 'words to whoever runs now',
  'post /lifecycle': 'a request of another system, told apart by its own time',
  'post /sign-in-links': 'makes one',
  'post /mayor/start': 'once or twice, it is there',
  'post /mayor/stop': 'ends whatever session there is',
  'post /mayor/messages': 'adds to a conversation',
};

interface Operation {
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>>;
}

const isOwners = (one: Operation): boolean => one.security?.some((kind) => 'owner' in kind) ?? false;
const honours = (one: Operation): boolean =>
  one.parameters?.some((parameter) => parameter.in === 'header' && parameter.name === 'if-match') ?? false;

async function world() {
  const town = await openTown();
  const { service } = town;
  let text = `[town]\nname = "shop"\n\n[rigs.api]\nurl = "/repos/api.git"\nprefix = "api"\ntarget_branch = "main"\n`;
  const store = { read: () => text, write: (next: string) => void (text = next) };
  const file = new TownFile({ store, town: service, env: {}, refuses: () => [] });
  const app = createApp({
    gateway: service,
    auth: { owner: 'owner-secret', brainCalls: 'x', capabilityKey: 'k'.repeat(43), ownerActor: 'human/owner' },
    clock: { now: () => town.nowMs },
    log: silentLog,
    loopbackOnly: false,
    ready: () => true,
    addRig: () => Promise.reject(new Error('not here')),
    changeRig: (name, settings, caller) =>
      file.changeRig(name, settings, async () => refuseStaleRig(caller, await service.listRigs(), name)),
    removeRig: async (name, drain, caller) => {
      refuseStaleRig(caller, await service.listRigs(), name);
      return file.removeRig(name, drain, caller);
    },
    settings: {
      state: () => Promise.resolve(file.state()),
      change: (changes, meant) => file.change(changes, meant),
      replace: (wanted, meant) => file.replace(wanted, meant),
      reload: () => file.reload(),
    },
    transcript: () => Promise.resolve({ text: '', nextOffset: 0 }),
    runnerLine: { drain: () => Promise.resolve() },
  });
  const ask = async (method: string, path: string, about: { tag?: string; body?: unknown; key?: string } = {}) => {
    const response = await app.request(`${base.replace('{town}', '_')}${path}`, {
      method: method.toUpperCase(),
      headers: {
        authorization: 'Bearer owner-secret',
        'content-type': 'application/json',
        ...(about.tag === undefined ? {} : { 'if-match': about.tag }),
        ...(about.key === undefined ? {} : { 'idempotency-key': about.key }),
      },
      ...(about.body === undefined ? {} : { body: JSON.stringify(about.body) }),
    });
    const json = (await response.json()) as Record<string, unknown>;
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      tag: response.headers.get('etag'),
      json,
    };
  };
  /** Every row of every actor, and the town's file. */
  const rows = (): string =>
    JSON.stringify([
      text,
      [...town.databases].map(([address, sql]) => [
        address,
        sql
          .all(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`)
          .map((table) => sql.inner.all(`SELECT * FROM ${String(table['name'])}`)),
      ]),
    ]);
  const document = (await (await app.request('/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path: path.replace(base, ''), operation })),
  );
  return { town, ask, rows, operations };
}

/** A thing of each kind, and a body for each change of it. */
async function things({ town, ask }: Awaited<ReturnType<typeof world>>) {
  const { service } = town;
  const bead = (await service.createBead(newBead('edited', { sling: false }), human)).id;
  const convoy = (
    await service.createConvoy(
      {
        title: 'two',
        tasks: [newTask('api', 'a'), newTask('api', 'b')],
        beads: [],
        mergeMode: 'review-and-merge',
        onFailure: 'hold',
        staged: true,
      },
      human,
    )
  ).id;
  await service.createBead(newBead('runs'), human);
  await town.settle();
  await service.runners.add({ id: 'far', url: null, serial: 's'.repeat(22) });
  const agent = (await service.listAgents())[0]?.id ?? '';
  const budget = await ask('put', '/budgets', { body: { scope: 'town', unit: 'tokens', amount: 5_000, kind: 'hard' } });
  const escalation = await raise(town);
  const ids: Readonly<Record<string, string>> = {
    '/beads/{id}': bead,
    '/convoys/{id}': convoy,
    '/rigs/{rig}': 'api',
    '/agents/{name}': encodeURIComponent(agent),
    '/budgets/{id}': encodeURIComponent(String(budget.json['id'])),
    '/runners/{id}': 'far',
    '/escalations/{id}': escalation,
    '/settings': '',
  };
  return { ids, budget: budget.json };
}

/** The agent that works asks a person. */
async function raise(town: Awaited<ReturnType<typeof openTown>>): Promise<string> {
  const live = (await town.service.listBeads({ limit: 50, includeMergeRequests: false })).items.find(
    (one) => one.agentId !== null,
  );
  if (live?.agentId === null || live === undefined) throw new Error('nothing runs');
  const { attemptList } = await town.service.getBead(live.id);
  const attempt = attemptList.at(-1);
  if (attempt === undefined) throw new Error('no attempt');
  await town.service.talk.escalate(
    {
      town: 'town-test',
      rig: live.rig,
      agent: attempt.agentId,
      bead: live.id,
      attempt: attempt.id,
      epoch: attempt.epoch,
      verbs: ['escalate'],
      expiresAtMs: town.nowMs + 60_000,
    },
    { severity: 'high', message: 'what now?' },
  );
  await town.settle();
  return (await town.service.listEscalations(true))[0]?.id ?? '';
}

const BODIES: Readonly<Record<string, unknown>> = {
  '/beads/{id}/update': { title: 'mine' },
  '/beads/{id}/reassign': { agent: 'nux' },
  '/beads/{id}/request-changes': { comment: 'no' },
  '/beads/{id}/formula': { name: 'f', steps: [{ title: 's', instructions: 'i' }] },
  '/convoys/{id}/add': { tasks: [{ rig: 'api', title: 'c' }] },
  '/convoys/{id}/remove': { beads: ['api-00000'] },
  '/convoys/{id}/update': { title: 'mine' },
  '/rigs/{rig}/config': { polecats_max: 3 },
  '/rigs/{rig}/mq/pause': { reason: 'mine' },
  '/escalations/{id}/decide': { option: 'retry' },
  'post /settings': { changes: [{ key: 'rigs.api.polecats_max', value: 3 }] },
  'put /settings': { text: '[town]\nname = "shop"\n' },
  '/budgets': { scope: 'town', unit: 'tokens', amount: 9_000, kind: 'hard' },
};

const resourceOf = (path: string): string => {
  if (path.startsWith('/settings')) return '/settings';
  return path === '/budgets' ? '/budgets/{id}' : path.split('/').slice(0, 3).join('/');
};

describe('the document of the API', () => {
  it('says for each change of a thing that it honours If-Match, and for the thing that it has an ETag', async () => {
    const { operations } = await world();
    const changes = operations.filter(({ method, operation }) => method !== 'get' && isOwners(operation));
    const without = changes.filter((one) => !honours(one.operation)).map(({ method, path }) => `${method} ${path}`);
    expect(without.toSorted()).toEqual(Object.keys(WITHOUT_VERSION).toSorted());
    const kept = changes.filter((one) => honours(one.operation));
    expect(kept.length).toBeGreaterThan(35);
    for (const { path } of kept) {
      const thing = operations.find((one) => one.method === 'get' && one.path === resourceOf(path));
      expect([path, Object.keys(thing?.operation.responses['200']?.headers ?? {})]).toEqual([path, ['ETag']]);
    }
  });
});

describe('a change', () => {
  it('with a stale ETag is answered with 412 and the next step, and no row changes', async () => {
    const here = await world();
    const { ids } = await things(here);
    const before = here.rows();
    let tried = 0;
    for (const { method, path, operation } of here.operations) {
      if (method === 'get' || !honours(operation)) continue;
      const resource = resourceOf(path);
      const target =
        path === '/budgets' ? path : path.replace(resource, resource.replace(/\{[^}]+\}/, ids[resource] ?? '?'));
      const body = BODIES[`${method} ${path}`] ?? BODIES[path] ?? (method === 'post' ? {} : undefined);
      const answer = await here.ask(method, target, { tag: '"of-yesterday"', body });
      expect([method, path, answer.status, answer.json['code'], answer.type]).toEqual([
        method,
        path,
        412,
        'stale',
        'application/problem+json',
      ]);
      expect(String(answer.json['next'])).toMatch(/Read it again/);
      tried += 1;
    }
    expect(tried).toBeGreaterThan(35);
    expect(here.rows()).toBe(before);
  });

  it('with the ETag that was read goes through once: the second of two who read the same is told', async () => {
    const here = await world();
    const { ids } = await things(here);
    const once = async (resource: string, method: string, path: string, body: unknown): Promise<void> => {
      const at = resource.replace(/\{[^}]+\}/, ids[resource] ?? '');
      const { status, tag } = await here.ask('get', at);
      expect([resource, status, tag]).toEqual([resource, 200, expect.stringMatching(/^"[^"]+"$/)]);
      const target = path === '' ? at : path.startsWith('/') ? path : `${at}/${path}`;
      const mine = { tag: tag ?? '', body, key: `mine-${resource}` };
      expect([resource, (await here.ask(method, target, mine)).status]).toEqual([resource, 200]);
      expect((await here.ask(method, target, { tag: tag ?? '', body, key: `hers-${resource}` })).status).toBe(412);
      // A repeat of what went through is no second change.
      expect((await here.ask(method, target, mine)).status).toBe(resource === '/settings' ? 412 : 200);
    };
    await once('/beads/{id}', 'post', 'update', { title: 'mine' });
    await once('/convoys/{id}', 'post', 'update', { title: 'mine' });
    await once('/rigs/{rig}', 'post', 'mq/pause', { reason: 'freeze' });
    await once('/budgets/{id}', 'put', '/budgets', BODIES['/budgets']);
    await once('/escalations/{id}', 'post', 'ack', {});
    await once('/settings', 'post', '', BODIES['post /settings']);
    const far = await here.ask('get', '/runners/far');
    expect((await here.ask('post', '/runners/far/drain', { tag: far.tag ?? '', body: {} })).status).toBe(200);
    expect((await here.ask('post', '/runners/far/remove', { tag: far.tag ?? '', body: {} })).status).toBe(412);
  });

  it('of any version is meant by *, and a header that could not be kept is refused', async () => {
    const here = await world();
    const { ids } = await things(here);
    const path = `/beads/${ids['/beads/{id}'] ?? ''}/update`;
    expect((await here.ask('post', path, { tag: '*', body: { title: 'a' } })).status).toBe(200);
    expect((await here.ask('post', path, { tag: '"0", "2"', body: { title: 'b' } })).status).toBe(200);
    for (const tag of ['W/"3"', '3', '"', ''])
      expect([tag, (await here.ask('post', path, { tag, body: { title: 'c' } })).json['code']]).toEqual([
        tag,
        'bad_if_match',
      ]);
    const made = await here.ask('post', '/beads', { tag: '"1"', body: { rig: 'api', title: 'd' } });
    expect([made.status, made.json['code']]).toEqual([400, 'no_if_match_here']);
  });
});

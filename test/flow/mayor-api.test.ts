/** What a session of the mayor may call with its token: its conversation, the list of its rights, and nothing else. */
import { describe, expect, it } from 'vitest';
import { createApp } from '../../src/api/app.ts';
import { mintCapability } from '../../src/api/capability.ts';
import { MAYOR_RIGHTS, mayorRight } from '../../src/api/mayor-rights.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { MAYOR_VERBS, type MayorVerb } from '../../src/core/queries.ts';
import { silentLog } from '../../src/ports/log.ts';
import { human, newBead } from '../support/town-story.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const KEY = 'k'.repeat(43);
const base = '/api/v1/towns/_';

async function world() {
  const virtual = new VirtualTown();
  const config = { runtime: 'command', model: null, command: 'x', wallClockMs: 600_000, ownerEmail: 'o@example.org' };
  await virtual.service.start([rigConfig('api')]);
  await virtual.service.configureMayor(config);
  const bead = await virtual.service.createBead(newBead('one'), human);
  await virtual.service.mayor.message('hello', human);
  await virtual.settle();
  const request = [...virtual.runner.processes.values()].find((one) => one.request.agent === 'mayor/')?.request;
  if (request === undefined) throw new Error('no session');
  const token = (verbs: readonly MayorVerb[] = MAYOR_VERBS, epoch = request.epoch): Promise<string> =>
    mintCapability(
      {
        role: 'mayor',
        town: 'town-test',
        attempt: trusted.attempt(request.attempt),
        epoch,
        sitting: request.round,
        verbs,
        expiresAtMs: virtual.nowMs + 3_600_000,
      },
      KEY,
    );
  const app = createApp({
    gateway: virtual.service,
    auth: { owner: 'owner-secret', brainCalls: 'runner-secret', capabilityKey: KEY, ownerActor: 'human/owner' },
    clock: { now: () => virtual.nowMs },
    log: silentLog,
    loopbackOnly: false,
    ready: () => true,
    addRig: () => Promise.reject(new Error('not here')),
    changeRig: () => Promise.reject(new Error('not here')),
    removeRig: () => Promise.reject(new Error('not here')),
    transcript: () => Promise.resolve({ text: '', nextOffset: 0 }),
    runnerLine: { drain: () => Promise.resolve() },
  });
  const ask = async (
    method: string,
    path: string,
    credential: string | { token: string; key: string },
    body?: unknown,
  ) => {
    const { token: shown, key } = typeof credential === 'string' ? { token: credential, key: undefined } : credential;
    const response = await app.request(path.startsWith('/') ? path : `${base}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${shown}`,
        'content-type': 'application/json',
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json = (await response.json()) as Record<string, unknown>;
    return { status: response.status, code: json['code'], json };
  };
  /** Every row of every actor. */
  const rows = (): string =>
    JSON.stringify(
      [...virtual.databases].map(([address, sql]) => [
        address,
        sql
          .all(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`)
          .map((table) => sql.inner.all(`SELECT * FROM ${String(table['name'])}`)),
      ]),
    );
  return { virtual, ask, token, rows, bead: bead.id, app };
}

describe('the token of the mayor', () => {
  it('opens exactly its rights and its conversation; every other route is 403 and changes no row', async () => {
    const { virtual, ask, token, rows, bead, app } = await world();
    const document = (await (await app.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>>;
    };
    const own = await token();
    let refused = 0;
    for (const [path, verbs] of Object.entries(document.paths))
      for (const [verb, operation] of Object.entries(verbs)) {
        const method = verb.toUpperCase();
        const url = path.replace('{town}', '_').replace('{id}', bead).replace('{name}', 'nux');
        const kind = Object.keys(operation.security?.[0] ?? {})[0];
        const right = mayorRight(method, url.slice(`${base}/`.length));
        if (kind === 'mayor' || (kind === 'owner' && right !== null)) continue;
        const before = rows();
        const answer = await ask(method, url, own, method === 'POST' ? {} : undefined);
        expect(answer.status, `${method} ${url}`).toBe(403);
        await virtual.settle();
        expect(rows(), `${method} ${url}`).toBe(before);
        refused += 1;
      }
    expect(refused).toBeGreaterThan(20);
  });

  it('has a route behind each of its rights', async () => {
    const { app } = await world();
    const document = (await (await app.request('/openapi.json')).json()) as { paths: Record<string, object> };
    const known = Object.entries(document.paths).flatMap(([path, verbs]) =>
      Object.keys(verbs).map(
        (verb) => `${verb.toUpperCase()} ${path.replace('/api/v1/towns/{town}/', '').replaceAll(/\{\w+\}/g, '*')}`,
      ),
    );
    expect(MAYOR_RIGHTS.map((right) => `${right.method} ${right.path}`).filter((one) => !known.includes(one))).toEqual(
      [],
    );
    expect(new Set(MAYOR_RIGHTS.map((right) => right.verb)).size).toBe(MAYOR_VERBS.length - 1);
  });

  it('without a verb, of another epoch, or of an ended session opens nothing', async () => {
    const { virtual, ask, token } = await world();
    const few = await token(['status']);
    expect(await ask('GET', 'status', few)).toMatchObject({ status: 200 });
    expect(await ask('GET', 'beads', few)).toMatchObject({ status: 403, code: 'verb_not_allowed' });
    expect(await ask('POST', 'mayor/session/reply', few, { text: 'x' })).toMatchObject({ status: 403 });
    expect(await ask('GET', 'status', await token(MAYOR_VERBS, 99))).toMatchObject({ status: 409, code: 'superseded' });
    const own = await token();
    await virtual.service.mayor.stop(human);
    await virtual.settle();
    expect(await ask('GET', 'status', own)).toMatchObject({ status: 409, code: 'superseded' });
    expect(await ask('POST', 'mayor/session/reply', own, { text: 'late' })).toMatchObject({ status: 409 });
  });

  it('slings a plan with dependencies once per key and sitting, as the mayor', async () => {
    const { virtual, ask, token } = await world();
    const own = await token();
    const plan = {
      title: 'plan',
      tasks: [
        { rig: 'api', title: 'a' },
        { rig: 'api', title: 'b', depends_on: [0] },
      ],
    };
    // Its rigs answer only while turns run.
    const ready = async (work: Promise<{ status: number; json: Record<string, unknown> }>) => {
      await virtual.settle();
      return work;
    };
    const first = await ready(ask('POST', 'convoys', { token: own, key: 'k1' }, plan));
    const second = await ready(ask('POST', 'convoys', { token: own, key: 'k1' }, plan));
    expect(first).toMatchObject({ status: 200, json: { created_by: 'mayor/', total_beads: 2 } });
    expect(second.json['id']).toBe(first.json['id']);
    // The same key of a person is another one.
    const persons = await ready(ask('POST', 'convoys', { token: 'owner-secret', key: 'k1' }, plan));
    expect(persons.json['id']).not.toBe(first.json['id']);
  });

  it('reassigns a bead, resets an agent, and is told apart from people in the journal', async () => {
    const { virtual, ask, token, bead } = await world();
    const own = await token();
    const before = (await virtual.service.getBead(bead)).attemptList[0];
    expect(await ask('POST', `beads/${bead}/reassign`, own, { agent: 'zed' })).toMatchObject({ status: 200 });
    await virtual.settle();
    const after = await virtual.service.getBead(bead);
    expect(after).toMatchObject({ pinnedAgent: 'api/polecats/zed', agentId: 'api/polecats/zed', failures: 0 });
    expect(after.attemptList.find((row) => row.id === before?.id)).toMatchObject({ outcome: 'evicted' });
    expect(await ask('POST', `beads/${bead}/reassign`, own, { agent: 'web/polecats/nux' })).toMatchObject({
      status: 400,
      code: 'bad_agent',
    });
    // The same holds where a bead is made or slung for one agent.
    for (const [path, body] of [
      ['beads', { rig: 'api', title: 'x', sling: true }],
      [`beads/${bead}/sling`, {}],
    ] as const)
      expect(await ask('POST', path, own, { ...body, agent: '../../x' })).toMatchObject({
        status: 400,
        code: 'bad_agent',
      });
    expect(await ask('POST', 'agents/zed/reset', own, {})).toMatchObject({ status: 200 });
    await virtual.settle();
    expect((await virtual.service.getBead(bead)).attemptList.at(-1)).toMatchObject({ agentId: 'api/polecats/zed' });
    const { items } = await virtual.service.feed(null, 200);
    expect(items.find((row) => row.action === 'command_reassign')?.reason).toBe('by mayor/');
  });

  it('is worth nothing for the conversation of people, and theirs nothing for its own', async () => {
    const { ask, token } = await world();
    expect(await ask('POST', 'mayor/messages', await token(), { text: 'to myself' })).toMatchObject({ status: 403 });
    expect(await ask('POST', 'mayor/session/reply', 'owner-secret', { text: 'x' })).toMatchObject({
      status: 403,
      code: 'wrong_credential',
    });
  });
});

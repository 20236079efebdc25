import { describe, expect, it } from 'vitest';
import type { Caller } from '../core/commands.ts';
import { TownError } from '../core/errors.ts';
import { trusted } from '../core/model/ids.ts';
import type { BeadSummary, Capability, HookView } from '../core/queries.ts';
import { silentLog } from '../ports/log.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { createApp } from './app.ts';
import type { AppOptions } from './app.ts';
import { AGENT_VERBS } from '../core/queries.ts';
import { mintCapability } from './capability.ts';

const KEY = 'k'.repeat(43);
const NOW_MS = 1_795_000_000_000;
const BEAD = trusted.bead('app-7k3qf');
const capability: Capability = {
  town: 'town-1',
  rig: trusted.rig('app'),
  agent: trusted.agent('app/polecats/nux'),
  bead: BEAD,
  attempt: trusted.attempt('at-0123456789abcdef'),
  epoch: 3,
  verbs: [...AGENT_VERBS],
  expiresAtMs: NOW_MS + 60_000,
};

const bead: BeadSummary = {
  id: BEAD,
  type: 'issue',
  kind: 'task',
  title: 'T',
  body: '',
  origin: 'human',
  priority: 'medium',
  status: 'open',
  hold: null,
  holdReason: null,
  parentId: null,
  branchOf: null,
  convoyId: null,
  branch: null,
  targetBranch: 'main',
  baseSha: null,
  openBlockers: 0,
  failedBlockers: 0,
  notBeforeMs: 0,
  failures: 0,
  startFailures: 0,
  lastSignature: null,
  escalated: false,
  reopens: null,
  reopenedAs: null,
  runtime: null,
  model: null,
  pinnedAgent: null,
  createdBy: 'human/owner',
  closeReason: null,
  evidence: null,
  cancelRequestedAtMs: null,
  version: 1,
  createdAtMs: 1,
  updatedAtMs: 2,
  closedAtMs: null,
  rig: trusted.rig('app'),
  phase: 'ready',
  agentId: null,
  attempts: 0,
};
const why = {
  id: BEAD,
  state: 'ready',
  sentence: 'It can run.',
  rule: 'assign-work',
  sinceMs: 1,
  next: null,
  wakeAtMs: null,
};

interface Called {
  readonly verb: string;
  readonly args: readonly unknown[];
}

/** A town that records what it is asked and knows one bead. */
function world(change: Partial<AppOptions> = {}) {
  const calls: Called[] = [];
  let stale = false;
  const answer =
    <T>(verb: string, value: T) =>
    (...args: readonly unknown[]): Promise<T> => {
      calls.push({ verb, args });
      return Promise.resolve(value);
    };
  const gateway = {
    id: 'town-1',
    name: 'shop',
    createBead: answer('createBead', bead),
    beadCommand: answer('beadCommand', bead),
    listBeads: answer('listBeads', { items: [bead], next: null }),
    getBead: answer('getBead', {
      ...bead,
      blockers: [],
      attemptList: [],
      review: null,
      reworkBeads: [],
      molecule: null,
      why,
    }),
    createConvoy: answer('createConvoy', null),
    listRigs: answer('listRigs', []),
    status: () => Promise.reject(new Error('secret detail')),
    hook: answer<HookView>('hook', {
      agent: capability.agent,
      attempt: capability.attempt,
      epoch: 3,
      round: 0,
      bead,
      source: bead,
      checkpoint: null,
      prompt: 'Do it.',
    }),
    checkpoint: answer('checkpoint', undefined),
    recordFacts: answer('recordFacts', ['k1']),
    checkCapability: () =>
      stale
        ? Promise.reject(
            new TownError('conflict', 'superseded', { message: 'Another attempt is live.', next: 'Stop.' }),
          )
        : Promise.resolve(),
  } as unknown as TownGateway;
  const app = createApp({
    gateway,
    auth: { owner: 'owner-secret', brainCalls: 'runner-secret', capabilityKey: KEY, ownerActor: 'human/owner' },
    clock: { now: () => NOW_MS },
    log: silentLog,
    loopbackOnly: false,
    ready: () => true,
    addRig: () => Promise.reject(new Error('not here')),
    changeRig: () => Promise.reject(new Error('not here')),
    removeRig: () => Promise.reject(new Error('not here')),
    transcript: () => Promise.resolve({ text: 'out', nextOffset: 3 }),
    runnerLine: { drain: () => Promise.resolve() },
    ...change,
  });
  const ask = async (
    method: string,
    path: string,
    options: { token?: string; body?: string; headers?: Record<string, string> } = {},
  ) => {
    const headers: Record<string, string> = { host: 'localhost', ...options.headers };
    if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
    if (options.body !== undefined) headers['content-type'] ??= 'application/json';
    const response = await app.request(path, {
      method,
      headers,
      ...(options.body === undefined ? {} : { body: options.body }),
    });
    const text = await response.text();
    let json: Record<string, unknown> = {};
    try {
      json = JSON.parse(text);
    } catch {
      // Not JSON.
    }
    return { status: response.status, text, json, headers: response.headers };
  };
  return {
    app,
    calls,
    ask,
    makeStale: () => {
      stale = true;
    },
  };
}

const base = '/api/v1/towns/_';
const post = (value: unknown) => ({ token: 'owner-secret', body: JSON.stringify(value) });

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly kind: string;
}

async function operations(): Promise<readonly Operation[]> {
  const document = (await world().ask('GET', '/openapi.json')).json as {
    paths: Record<string, Record<string, { security?: Record<string, unknown>[] }>>;
  };
  return Object.entries(document.paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path: path.replace('{town}', '_').replace('{id}', BEAD).replace('{name}', 'nux'),
      kind: Object.keys(operation.security?.[0] ?? {})[0] ?? 'none',
    })),
  );
}

describe('authentication', () => {
  it('refuses every route of the document without and with wrong credentials', async () => {
    const all = await operations();
    expect(all.length).toBeGreaterThan(25);
    const { ask, calls } = world();
    const agent = await mintCapability(capability, KEY);
    const tokens: Record<string, string> = { owner: 'owner-secret', runner: 'runner-secret', agent };
    for (const { method, path, kind } of all) {
      const body = method === 'POST' ? '{}' : undefined;
      const options = body === undefined ? {} : { body };
      expect(kind, `${method} ${path} names its credential`).toMatch(/^(owner|runner|agent|mayor)$/);
      expect((await ask(method, path, options)).status, `${method} ${path} without`).toBe(401);
      for (const token of ['nonsense', 'owner-secre', `${agent}x`])
        expect((await ask(method, path, { ...options, token })).status, `${method} ${path} with ${token}`).toBe(401);
      for (const [other, token] of Object.entries(tokens)) {
        if (other === kind) continue;
        const reply = await ask(method, path, { ...options, token });
        expect([reply.status, reply.json['code']], `${method} ${path} as ${other}`).toEqual([403, 'wrong_credential']);
      }
    }
    expect(calls).toEqual([]);
  });

  it('refuses paths that do not exist as well', async () => {
    const { ask } = world();
    expect((await ask('GET', '/api/v1/nothing')).status).toBe(401);
    expect((await ask('GET', `${base}/nothing`, { token: 'owner-secret' })).status).toBe(404);
  });

  it('answers health without a credential and without detail', async () => {
    const { ask } = world({ ready: () => false });
    expect((await ask('GET', '/livez')).json).toEqual({ status: 'ok' });
    for (const path of ['/readyz', '/healthz']) {
      const reply = await ask('GET', path);
      expect([reply.status, reply.json]).toEqual([503, { status: 'unavailable' }]);
    }
  });

  it('is ready but not healthy while something it needs is down', async () => {
    for (const [state, ready, healthy, status] of [
      ['ok', 200, 200, 'ok'],
      ['suspect', 200, 200, 'ok'],
      ['down', 200, 503, 'degraded'],
    ] as const) {
      const gateway = { health: () => Promise.resolve([{ subject: 'runner', state }]) } as unknown as TownGateway;
      const { ask } = world({ gateway });
      const replies = [await ask('GET', '/readyz'), await ask('GET', '/healthz')];
      expect(replies.map((reply) => [reply.status, reply.json])).toEqual([
        [ready, { status }],
        [healthy, { status }],
      ]);
    }
  });

  it('refuses tokens of another town, another key, another algorithm, and expired ones', async () => {
    const { ask } = world();
    const none = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify({ ...capability, exp: 9e9 }))}.`.replaceAll('=', '');
    const wrong = [
      await mintCapability({ ...capability, town: 'town-2' }, KEY),
      await mintCapability(capability, 'x'.repeat(43)),
      await mintCapability({ ...capability, expiresAtMs: NOW_MS - 1_000 }, KEY),
      none,
    ];
    for (const token of wrong) expect((await ask('GET', `${base}/agent/hook`, { token })).status).toBe(401);
    expect((await ask('GET', `${base}/agent/hook`, { token: wrong[2] ?? '' })).json['code']).toBe('capability_expired');
  });

  it('refuses an agent whose attempt is not the live one', async () => {
    const { ask, makeStale, calls } = world();
    const token = await mintCapability(capability, KEY);
    expect((await ask('GET', `${base}/agent/hook`, { token })).status).toBe(200);
    makeStale();
    const reply = await ask('GET', `${base}/agent/hook`, { token });
    expect([reply.status, reply.json['code']]).toEqual([409, 'superseded']);
    expect(calls).toHaveLength(1);
  });

  it('lets an agent see its own bead only, and only with the verb', async () => {
    const { ask } = world();
    const token = await mintCapability(capability, KEY);
    expect((await ask('GET', `${base}/agent/bead/${BEAD}`, { token })).status).toBe(200);
    const other = await ask('GET', `${base}/agent/bead/app-00000`, { token });
    expect([other.status, other.json['code']]).toEqual([403, 'not_your_bead']);
    const few = await mintCapability({ ...capability, verbs: ['hook'] }, KEY);
    const reply = await ask('GET', `${base}/agent/prime`, { token: few });
    expect([reply.status, reply.json['code']]).toEqual([403, 'verb_not_allowed']);
  });

  it('checks Host and Origin where browsers can reach it', async () => {
    const { ask } = world({ loopbackOnly: true });
    for (const host of ['localhost', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST:1'])
      expect((await ask('GET', '/livez', { headers: { host } })).status, host).toBe(200);
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example', ''])
      expect((await ask('GET', '/livez', { headers: { host } })).status, host).toBe(403);
    expect(
      (await ask('GET', '/livez', { headers: { host: '127.0.0.1:80', origin: 'http://evil.example' } })).status,
    ).toBe(403);
    expect(
      (await ask('GET', '/livez', { headers: { host: '127.0.0.1:80', origin: 'http://127.0.0.1:80' } })).status,
    ).toBe(200);
  });
});

describe('requests', () => {
  it.each([
    ['missing rig', { title: 'a' }, 'bad_field'],
    ['unknown field', { rig: 'app', title: 'a', tilte: 'b' }, 'unknown_field'],
    ['a prototype', JSON.parse('{"rig":"app","title":"a","__proto__":{"x":1}}'), 'unknown_field'],
    ['blank title', { rig: 'app', title: '   ' }, 'bad_field'],
    ['NUL in the title', { rig: 'app', title: 'a\0b' }, 'bad_field'],
    ['a newline in the title', { rig: 'app', title: 'a\nb' }, 'bad_field'],
    ['an escape in the rig', { rig: 'app\u001B[0m', title: 'a' }, 'bad_field'],
    ['path traversal', { rig: '../etc', title: 'a' }, 'bad_rig_name'],
    ['an option', { rig: '--upload-pack=x', title: 'a' }, 'bad_rig_name'],
    ['NUL in the body', { rig: 'app', title: 'a', body: 'x\0' }, 'bad_field'],
    ['bad priority', { rig: 'app', title: 'a', priority: 'urgent' }, 'bad_field'],
    ['bad dependency', { rig: 'app', title: 'a', depends_on: ['nope'] }, 'bad_bead_id'],
    ['a number as title', { rig: 'app', title: 5 }, 'bad_field'],
    ['an array', [], 'bad_field'],
    ['null', null, 'bad_field'],
  ])('refuse %s and change nothing', async (_name, value, code) => {
    const { ask, calls } = world();
    const reply = await ask('POST', `${base}/beads`, post(value));
    expect([reply.status, reply.json['code']]).toEqual([400, code]);
    expect(reply.json['next']).toBeTruthy();
    expect(reply.headers.get('content-type')).toBe('application/problem+json');
    expect(calls).toEqual([]);
  });

  it('refuse text that is not JSON, and nothing at all', async () => {
    const { ask, calls } = world();
    for (const body of ['{', '', 'rig=app', '{"rig":"app","title":"a"}x'])
      expect((await ask('POST', `${base}/beads`, { token: 'owner-secret', body })).status, body).toBe(400);
    expect((await ask('POST', `${base}/beads`, { token: 'owner-secret' })).status).toBe(400);
    expect(
      (
        await ask('POST', `${base}/beads`, {
          token: 'owner-secret',
          body: '{}',
          headers: { 'content-type': 'text/plain' },
        })
      ).status,
    ).toBe(400);
    expect(calls).toEqual([]);
  });

  it('are bounded: 1 MiB, and 2 MiB of facts', async () => {
    const { ask, calls } = world();
    const reply = await ask('POST', `${base}/beads`, post({ rig: 'app', title: 'a', body: 'x'.repeat(1024 * 1024) }));
    expect([reply.status, reply.json['code']]).toEqual([400, 'body_too_large']);
    const facts = JSON.stringify({ facts: [] }) + ' '.repeat(1_500_000);
    expect((await ask('POST', `${base}/runner/facts`, { token: 'runner-secret', body: facts })).status).toBe(200);
    expect(
      (await ask('POST', `${base}/runner/facts`, { token: 'runner-secret', body: facts + ' '.repeat(1_000_000) })).json[
        'code'
      ],
    ).toBe('body_too_large');
    expect(calls.map((call) => call.verb)).toEqual(['recordFacts']);
  });

  it('survive deep JSON', async () => {
    const { ask } = world();
    const token = await mintCapability(capability, KEY);
    const deep = `{"data":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    const reply = await ask('POST', `${base}/agent/checkpoint`, { token, body: deep });
    expect(reply.status).toBe(400);
  });

  it('refuse unknown and malformed query fields', async () => {
    const { ask, calls } = world();
    for (const query of [
      '?stauts=open',
      '?status=opne',
      '?limit=0',
      '?limit=501',
      '?limit=-1',
      '?limit=x',
      '?rig=..',
      '?convoy=x',
      '?rig=a&rig=b',
    ]) {
      expect((await ask('GET', `${base}/beads${query}`, { token: 'owner-secret' })).status, query).toBe(400);
    }
    expect(calls).toEqual([]);
    expect(
      (await ask('GET', `${base}/beads?status=open,closed&limit=5&rig=app`, { token: 'owner-secret' })).status,
    ).toBe(200);
    expect(calls[0]?.args[0]).toMatchObject({ statuses: ['open', 'closed'], limit: 5, rig: 'app' });
  });

  it('pass the idempotency key and who asks', async () => {
    const { ask, calls } = world();
    const reply = await ask('POST', `${base}/beads`, {
      ...post({ rig: 'app', title: 'a', sling: true }),
      headers: { 'idempotency-key': 'abc' },
    });
    expect(reply.status).toBe(200);
    expect(calls[0]?.args[1]).toEqual({
      actor: 'human/owner',
      origin: 'human',
      idempotencyKey: 'owner POST /beads abc',
    });
    expect(
      (
        await ask('POST', `${base}/beads`, {
          ...post({ rig: 'app', title: 'a' }),
          headers: { 'idempotency-key': 'a b' },
        })
      ).json['code'],
    ).toBe('bad_idempotency_key');
  });

  it('take a key on another route for another order, and not for one by another name of the town', async () => {
    const { ask, calls } = world();
    const headers = { 'idempotency-key': 'abc' };
    for (const town of ['_', 'shop'])
      await ask('POST', `/api/v1/towns/${town}/beads`, { ...post({ rig: 'app', title: 'a' }), headers });
    await ask('POST', `${base}/beads/${BEAD}/close`, { ...post({ reason: 'cancelled', note: '' }), headers });
    const keys = calls.map(({ args }) => (args[1] as Caller).idempotencyKey);
    expect(keys).toEqual(['owner POST /beads abc', 'owner POST /beads abc', `owner POST /beads/${BEAD}/close abc`]);
  });

  it('answer another town with 404, its own by id, name or _', async () => {
    const { ask } = world();
    for (const town of ['_', 'town-1', 'shop'])
      expect((await ask('GET', `/api/v1/towns/${town}/beads`, { token: 'owner-secret' })).status).toBe(200);
    expect((await ask('GET', '/api/v1/towns/other/beads', { token: 'owner-secret' })).json['code']).toBe(
      'town_not_found',
    );
  });

  it('hide what went wrong inside', async () => {
    const reply = await world().ask('GET', `${base}/status`, { token: 'owner-secret' });
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret detail');
  });

  it('speak snake_case', async () => {
    const reply = await world().ask('GET', `${base}/beads/${BEAD}`, { token: 'owner-secret' });
    const keys = [...reply.text.matchAll(/"([A-Za-z_]+)":/g)].map((match) => match[1] ?? '');
    expect(keys.filter((key) => key !== key.toLowerCase())).toEqual([]);
    expect(reply.json).toMatchObject({ id: BEAD, created_at: 1, target_branch: 'main', agent: null });
  });

  it.each([
    [{ title: 'c' }, 400, 'empty_convoy'],
    [{ title: 'c', tasks: [{ rig: 'app', title: 'a' }], beads: [BEAD] }, 400, 'mixed_convoy'],
    [{ title: 'c', beads: [BEAD, BEAD] }, 400, 'duplicate_bead'],
    [{ title: 'c', tasks: [{ rig: 'app', title: 'a', depends_on: [0] }] }, 400, 'bad_dependency'],
    [{ title: 'c', tasks: [{ rig: 'app', title: 'a', depends_on: [7] }] }, 400, 'bad_dependency'],
    [{ title: 'c', tasks: [{ rig: 'app', title: 'a', depends_on: [-1] }] }, 400, 'bad_field'],
    [{ title: 'c', beads: [BEAD], merge_mode: 'all-at-once' }, 400, 'bad_field'],
    [{ title: 'c', beads: [BEAD], on_failure: 'maybe' }, 400, 'bad_field'],
  ])('refuse the convoy %#', async (value, status, code) => {
    const { ask, calls } = world();
    const reply = await ask('POST', `${base}/convoys`, post(value));
    expect([reply.status, reply.json['code']]).toEqual([status, code]);
    expect(calls).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { silentLog } from '../ports/log.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import { createApp } from './app.ts';
import { ROLES, type Role } from './contract/roles.ts';
import { cookieName, mayRole, mintSession } from './session.ts';
import { noFigures } from '../../test/support/no-figures.ts';
import { SignIn } from './sign-in.ts';

const KEY = 'k'.repeat(43);
const NOW_MS = 1_795_000_000_000;
const HOST = '127.0.0.1:4000';
const never = (): Promise<never> => Promise.reject(new Error('not here'));

function world(isLoopback = true) {
  let nowMs = NOW_MS;
  const signIn = new SignIn(() => nowMs);
  const app = createApp({
    gateway: { id: 'town-1', name: 'shop', listRigs: () => Promise.resolve([]) } as unknown as TownGateway,
    auth: { owner: 'owner-secret', brainCalls: 'runner-secret', capabilityKey: KEY, ownerActor: 'human/owner' },
    clock: { now: () => nowMs },
    log: silentLog,
    loopbackOnly: isLoopback,
    ready: () => true,
    addRig: never,
    changeRig: never,
    removeRig: never,
    transcript: never,
    runnerLine: { drain: never },
    web: { signIn, file: () => Promise.resolve(null), figures: noFigures },
  });
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const body = method === 'GET' ? {} : { body: '{}' };
    const response = await app.request(`http://${HOST}${path}`, {
      method,
      headers: { host: HOST, 'content-type': 'application/json', ...headers },
      ...body,
    });
    const text = await response.text();
    return { status: response.status, text, cookie: response.headers.get('set-cookie'), headers: response.headers };
  };
  return { ask, signIn, wait: (ms: number) => (nowMs += ms) };
}

const session = (role: Role, town = 'town-1', key = KEY): Promise<string> =>
  mintSession({ town, role, expiresAtMs: NOW_MS + 60_000 }, key);
const RIGS = '/api/v1/towns/_/rigs';
const cookieOf = (value: string): Record<string, string> => ({ cookie: `${cookieName('town-1')}=${value}` });

describe('signing in', () => {
  it('works once per link, within its time', async () => {
    const { ask, signIn, wait } = world();
    const { code } = signIn.make('owner');
    const first = await ask(`/sign-in/${code}`);
    expect(first.status).toBe(200);
    expect(first.cookie).toMatch(/^gt_town_1=gts1\.[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await ask(`/sign-in/${code}`)).status).toBe(410);
    const late = signIn.make('owner').code;
    wait(5 * 60_000);
    expect((await ask(`/sign-in/${late}`)).status).toBe(410);
    expect((await ask('/sign-in/nonsense')).cookie).toBeNull();
  });

  it('keeps no more links than it may', () => {
    const signIn = new SignIn(() => NOW_MS);
    const codes = Array.from({ length: 150 }, () => signIn.make('viewer').code);
    expect(codes.filter((code) => signIn.use(code) !== null).length).toBeLessThanOrEqual(100);
  });

  it('makes links for the owner only', async () => {
    const { ask } = world();
    for (const role of ROLES) {
      const headers = { authorization: `Bearer ${await session(role)}` };
      const { status } = await ask('/api/v1/towns/_/sign-in-links', headers, 'POST');
      expect([role, status]).toEqual([role, role === 'owner' ? 200 : 403]);
    }
  });
});

describe('a session', () => {
  it('is of one town, one key and one time', async () => {
    const { ask, wait } = world();
    const good = await session('viewer');
    const of = async (token: string): Promise<number> => (await ask(RIGS, { authorization: `Bearer ${token}` })).status;
    expect(await of(good)).toBe(200);
    expect(await of(await session('owner', 'town-2'))).toBe(401);
    expect(await of(await session('owner', 'town-1', 'x'.repeat(43)))).toBe(401);
    expect(await of(`${good}x`)).toBe(401);
    expect(await of('gts1.')).toBe(401);
    wait(120_000);
    expect((await ask(RIGS, { authorization: `Bearer ${good}` })).text).toContain('session_expired');
  });

  it('in a cookie counts for the own page only, and nowhere but where browsers come', async () => {
    const { ask } = world();
    const cookie = cookieOf(await session('owner'));
    const origin = `http://${HOST}`;
    expect((await ask(RIGS, cookie)).status).toBe(200);
    expect((await ask(RIGS, { ...cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    for (const site of ['same-site', 'cross-site'])
      expect((await ask(RIGS, { ...cookie, 'sec-fetch-site': site })).status).toBe(403);
    const link = '/api/v1/towns/_/sign-in-links';
    expect((await ask(link, cookie, 'POST')).status).toBe(403);
    expect((await ask(link, { ...cookie, origin: 'http://127.0.0.1:4001' }, 'POST')).status).toBe(403);
    expect((await ask(link, { ...cookie, origin }, 'POST')).status).toBe(200);
    expect((await ask(RIGS, { ...cookie, host: 'evil.example' })).status).toBe(403);
    expect((await world(false).ask(RIGS, cookie)).status).toBe(401);
  });

  it('of a viewer changes nothing; of an operator no settings', () => {
    const changes = [
      'beads',
      'beads/app-7k3qf/close',
      'convoys',
      'escalations/e/ack',
      'agents/nux/nudge',
      'rigs/app/mq/pause',
    ];
    const settings = [
      'rigs',
      'rigs/app',
      'rigs/app/config',
      'runners',
      'runners/r/rotate',
      'settings',
      'sign-in-links',
    ];
    expect(changes.map((path) => mayRole('viewer', 'POST', path))).toEqual(changes.map(() => false));
    expect(changes.map((path) => mayRole('operator', 'POST', path))).toEqual(changes.map(() => true));
    expect(settings.map((path) => mayRole('operator', 'POST', path))).toEqual(settings.map(() => false));
    expect(settings.map((path) => mayRole('owner', 'POST', path))).toEqual(settings.map(() => true));
    expect(mayRole('viewer', 'GET', 'stream')).toBe(true);
    expect(mayRole('operator', 'GET', 'transfer')).toBe(false);
  });
});

describe('the page', () => {
  it('says how to build it where it is not built, under a strict policy', async () => {
    const { ask } = world();
    const { status, text, headers } = await ask('/beads/app-7k3qf');
    expect([status, text.includes('npm run build:web')]).toEqual([503, true]);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect((await ask('/assets/none.js')).status).toBe(404);
    expect((await ask('/api/v1/nothing')).status).toBe(401);
    expect((await world(false).ask('/')).status).toBe(404);
  });
});

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, expect, it } from 'vitest';

import { bearerToRunner } from '../../api/lines/called-wire.ts';
import { PROTOCOL_VERSION } from '../../api/contract/protocol.ts';
import type { Runner, RunnerHello } from '../../core/model/runner.ts';
import { silentLog } from '../../ports/log.ts';
import { beginWatch } from '../../runner/http/watch.ts';
import { RunnerLines } from './runner-lines.ts';

const TOWN = { town: 'town-1', key: 'key of the town' };
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A town that calls one runner, which listens; what it takes and says is the test's. */
async function calledRunner() {
  const serials: { current: string; next: string | null } = { current: 's1', next: null };
  const runner = { serial: 's1', instance: 'i1' };
  const health = () => ({
    instance: runner.instance,
    pid: 1,
    town: TOWN.town,
    startedAtMs: 1,
    draining: false,
    live: [],
    jobsRunning: 0,
    freeDiskBytes: null,
    freeMemoryBytes: 1,
    versions: {},
    protocol: PROTOCOL_VERSION,
  });
  const never = (): never => {
    throw new Error('not here');
  };
  const seen: RunnerHello[] = [];
  const gateway = {
    list: () => Promise.resolve([record]),
    get: never,
    busy: never,
    add: never,
    remove: never,
    rotate: never,
    drain: never,
    troubled: never,
    keptFor: () => Promise.resolve(null),
    attempts: never,
    ofAttempt: never,
    serials: () => Promise.resolve({ ...serials }),
    rotated: () => {
      Object.assign(serials, { current: serials.next, next: null });
      return Promise.resolve();
    },
    seen: (_id: string, hello: RunnerHello) => {
      seen.push(hello);
      return Promise.resolve(record);
    },
    away: () => Promise.resolve(),
  };
  const door = { ...TOWN, gateway: () => gateway };
  const answer = async (path: string, bearer: string, response: ServerResponse): Promise<void> => {
    if (bearer !== `Bearer ${await bearerToRunner(door, 'box', runner.serial)}`) response.writeHead(401).end('{}');
    else if (path === '/health/watch') beginWatch(response, { instance: runner.instance, beats: true });
    else response.end(JSON.stringify(health()));
  };
  const server = createServer((request, response) => {
    void answer(request.url ?? '', request.headers.authorization ?? '', response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const record: Runner = {
    id: 'box',
    instance: null,
    state: 'healthy',
    draining: false,
    drainUntilMs: null,
    rotating: false,
    capacity: null,
    labels: [],
    versions: {},
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    lastSeenAtMs: 1,
    createdAtMs: 1,
  };
  const lines = new RunnerLines({ ...door, fetch: never, log: silentLog, clock: { now: Date.now } });
  closers.push(() => {
    lines.stop();
    server.closeAllConnections();
    server.close();
  });
  await lines.start();
  await expect.poll(() => seen.map(({ instance }) => instance)).toEqual(['i1']);
  return { lines, serials, runner, seen };
}

it('a runner that listens goes on over a rotation of its token, under the same line', async () => {
  const { lines, serials, runner, seen } = await calledRunner();
  serials.next = 's2';
  await lines.wire('box')?.health();
  expect(serials.current).toBe('s1');
  // Its file is read at each call.
  runner.serial = 's2';
  await lines.wire('box')?.health();
  expect(serials).toEqual({ current: 's2', next: null });
  expect(seen).toHaveLength(1);
});

it('another process that answers at the same address is met anew, although the call to the first never ended', async () => {
  const { lines, runner, seen } = await calledRunner();
  runner.instance = 'i2';
  await lines.wire('box')?.health();
  await expect.poll(() => seen.map(({ instance }) => instance), { timeout: 8_000 }).toEqual(['i1', 'i2']);
});

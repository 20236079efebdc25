import { errorMonitor, type EventEmitter } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { NONCE_HEADER, PROOF_SCHEME, PROTOCOL_HEADER, RUNNER_HEADER } from '../../api/contract/frames.ts';
import { PROTOCOL_VERSION } from '../../api/contract/protocol.ts';
import { prove, readToken, tokenOf } from '../../api/contract/runner-auth.ts';
import { TWIN_REASON } from '../../api/lines/twin.ts';
import type { Runner } from '../../core/model/runner.ts';
import { silentLog } from '../../ports/log.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import { dial } from '../../runner/dial.ts';
import { RunnerLines } from './runner-lines.ts';

const KEY = 'key of the town';
const SERIAL = { town: 'town-1', runner: 'box', serial: 's1' };
const HEALTH = {
  instance: 'i1',
  pid: 1,
  town: 'town-1',
  startedAtMs: 1,
  draining: false,
  live: [],
  jobsRunning: 0,
  freeDiskBytes: null,
  freeMemoryBytes: 1,
  versions: {},
  protocol: PROTOCOL_VERSION,
};
const RECORD: Runner = {
  id: 'box',
  instance: null,
  state: 'healthy',
  draining: false,
  drainUntilMs: null,
  rotating: false,
  capacity: null,
  labels: [],
  versions: {},
  url: null,
  lastSeenAtMs: 1,
  createdAtMs: 1,
};
const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** A town's door with one registered runner; nothing behind it is asked for. */
async function door(watch?: (socket: EventEmitter) => void, over: Partial<RunnerGateway> = {}): Promise<string> {
  const never = (): never => {
    throw new Error('not here');
  };
  const gateway: RunnerGateway = {
    list: () => Promise.resolve([]),
    get: never,
    busy: never,
    add: never,
    remove: never,
    rotate: never,
    drain: never,
    rotated: never,
    seen: never,
    away: never,
    troubled: never,
    keptFor: () => Promise.resolve(null),
    attempts: never,
    ofAttempt: never,
    serials: (id) => Promise.resolve(id === 'box' ? { current: 's1', next: null } : null),
    ...over,
  };
  const lines = new RunnerLines({
    town: 'town-1',
    key: KEY,
    gateway: () => gateway,
    fetch: never,
    log: silentLog,
    clock: { now: Date.now },
  });
  const server = createServer();
  lines.attach(server);
  if (watch !== undefined) server.on('connection', watch);
  open.push(() => {
    lines.stop();
  });
  return listen(server);
}

/** A town at which processes with one token dial in: whom it met, what people are told, and what the refused ones say. */
async function rivals(over: Partial<RunnerGateway> = {}) {
  const [met, told, said]: [string[], string[], string[]] = [[], [], []];
  const url = await door(undefined, {
    away: () => Promise.resolve(),
    seen: (_id, { instance }) => {
      met.push(instance);
      return Promise.resolve(RECORD);
    },
    troubled: (id, trouble) => {
      told.push(`${id} ${trouble}`);
      return Promise.resolve();
    },
    ...over,
  });
  const { token } = await tokenOf(KEY, SERIAL);
  const hung = new Set<string>();
  const enter = (instance: string): void => {
    const body = JSON.stringify({ ...HEALTH, instance });
    const hangUp = dial({
      url,
      token: () => readToken(token),
      serve: () =>
        hung.has(instance)
          ? Promise.reject(new Error('it hangs'))
          : Promise.resolve({ status: 200, type: 'application/json', body, next: null }),
      onLink: () => undefined,
      log: { ...silentLog, error: (_text, fields) => said.push(String(fields?.['cause'])) },
    });
    open.push(() => void hangUp());
  };
  return { enter, hang: (instance: string) => hung.add(instance), met, told, said };
}

interface Refusal {
  readonly status: number | undefined;
  readonly protocol: unknown;
}

async function knock(url: string, over: Record<string, string> = {}): Promise<Refusal> {
  const { verifier } = await tokenOf(KEY, SERIAL);
  const about = { town: 'town-1', runner: 'box', runnerNonce: 'n'.repeat(20), townNonce: '' };
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    authorization: `${PROOF_SCHEME} ${await prove(verifier, 'hello', about)}`,
    [RUNNER_HEADER]: 'box',
    [NONCE_HEADER]: about.runnerNonce,
    [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    ...over,
  };
  return new Promise((resolve, reject) => {
    const call = request(`${url}/api/v1/towns/_/runner/connect`, { headers });
    call.on('response', (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, protocol: answer.headers[PROTOCOL_HEADER] });
    });
    call.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode, protocol: null });
    });
    call.on('error', reject);
    call.end();
  });
}

/** What a runner that dials there says when it is refused. */
async function saidAt(url: string, serial = SERIAL): Promise<string> {
  const { token } = await tokenOf(KEY, serial);
  return new Promise((resolve) => {
    const hangUp = dial({
      url,
      token: () => readToken(token),
      serve: () => Promise.reject(new Error('not here')),
      onLink: () => undefined,
      log: {
        ...silentLog,
        error: (_text, fields) => {
          resolve(String(fields?.['cause']));
          void hangUp();
        },
      },
    });
  });
}

describe('the door for runners', () => {
  it('opens a socket for a proof of the present token, and for nothing else', async () => {
    const url = await door();
    expect(await knock(url)).toMatchObject({ status: 101 });
    const wrong = ['', 'Bearer x', `${PROOF_SCHEME} ${'x'.repeat(43)}`];
    for (const authorization of wrong) expect(await knock(url, { authorization })).toMatchObject({ status: 401 });
    expect(await knock(url, { [RUNNER_HEADER]: 'other' })).toMatchObject({ status: 401 });
    expect(await knock(url, { [NONCE_HEADER]: 'm'.repeat(20) })).toMatchObject({ status: 401 });
  });

  it('outlives a caller that asks for a socket and cuts the connection', async () => {
    let problems = 0;
    let ended = 0;
    const url = await door((socket) => {
      // This only looks: without a listener of its own an error would end the process, here the run of the tests.
      socket.on(errorMonitor, () => (problems += 1)).on('close', () => (ended += 1));
    });
    const tries = 20;
    for (let sent = 0; sent < tries; sent += 1) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n', () =>
        socket.resetAndDestroy(),
      );
    }
    await expect.poll(() => ended).toBe(tries);
    expect(problems).toBeGreaterThan(0);
    expect(await knock(url)).toMatchObject({ status: 101 });
  });

  it('keeps one of two lines of a runner that come at once, and hangs up the other', async () => {
    const answers: (() => void)[] = [];
    let seen = 0;
    const url = await door(undefined, {
      away: () => Promise.resolve(),
      seen: () => {
        seen += 1;
        return Promise.resolve(RECORD);
      },
    });
    const { token } = await tokenOf(KEY, SERIAL);
    const cut: number[] = [];
    for (const which of [0, 1]) {
      const hangUp = dial({
        url,
        token: () => readToken(token),
        serve: () =>
          new Promise((resolve) => {
            answers.push(() => {
              resolve({ status: 200, type: 'application/json', body: JSON.stringify(HEALTH), next: null });
            });
          }),
        onLink: (link) => {
          if (link === null) cut.push(which);
        },
        log: silentLog,
      });
      open.push(() => void hangUp());
    }
    // Both are asked who they are before either is in use.
    await expect.poll(() => answers.length).toBe(2);
    for (const answer of answers.splice(0)) answer();
    await expect.poll(() => seen).toBe(2);
    // The other dials again, as every runner does.
    await expect.poll(() => cut.length).toBeGreaterThan(0);
  });

  it('keeps to the process that it has while that answers: another one with its token is refused, and told', async () => {
    const { enter, hang, met, told, said } = await rivals();
    enter('i1');
    await expect.poll(() => met).toEqual(['i1']);
    enter('i2');
    await expect.poll(() => told.length).toBeGreaterThan(0);
    expect(told[0]).toBe('box twin');
    expect(met).toEqual(['i1']);
    await expect.poll(() => said).toEqual([`the town ended the line: ${TWIN_REASON}`]);
    // The first one does not answer any more: who asks for its place gets it.
    hang('i1');
    await expect.poll(() => met, { timeout: 8_000 }).toEqual(['i1', 'i2']);
  });

  it('without a line in use keeps it for the process that had it, while people are told of two', async () => {
    const { enter, hang, met, told } = await rivals({ keptFor: () => Promise.resolve('i1') });
    enter('i2');
    await expect.poll(() => told).toEqual(['box twin']);
    enter('i1');
    await expect.poll(() => met).toEqual(['i1']);
    // It does not answer for a while: that proves the loss of nothing.
    hang('i1');
    const refused = told.length;
    await expect.poll(() => told.length, { timeout: 8_000 }).toBeGreaterThan(refused);
    expect(met).toEqual(['i1']);
  });

  it('names its own protocol when it refuses another one', async () => {
    const refused = { status: 426, protocol: String(PROTOCOL_VERSION) };
    const url = await door();
    for (const protocol of ['99', '0', 'x', ''])
      expect(await knock(url, { [PROTOCOL_HEADER]: protocol })).toEqual(refused);
  });

  it('is told to people in words: which versions both sides speak, or that the token is not known', async () => {
    const other = createServer();
    other.on('upgrade', (_request, socket) => {
      socket.end(`HTTP/1.1 426 Upgrade Required\r\n${PROTOCOL_HEADER}: 7 to 9\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await saidAt(await listen(other))).toContain(
      `the town speaks protocol 7 to 9, this runner speaks ${String(PROTOCOL_VERSION)} (426)`,
    );
    const unknown = await saidAt(await door(), { ...SERIAL, serial: 's2' });
    expect(unknown).toContain('does not know this runner or its token (401)');
    expect(unknown).toContain('gt runner rotate');
  });
});

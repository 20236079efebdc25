import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { reachOf } from './addresses.ts';
import { WAY_SOCKET, WayOut } from './way-out.ts';

const HALF_OPEN_MS = 100;
let folder = '';
let model: Server;
let port = 0;
let refused: string[] = [];
let way: WayOut | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gt-way-'));
  refused = [];
  model = createServer((request, response) => {
    response.end(`${request.method ?? ''} ${request.url ?? ''} for ${request.headers.host ?? ''}`);
  });
  await new Promise<void>((done) => model.listen(0, '127.0.0.1', done));
  port = (model.address() as AddressInfo).port;
});
afterEach(async () => {
  await way?.close();
  way = null;
  model.closeAllConnections();
  await new Promise((done) => model.close(done));
  rmSync(folder, { recursive: true });
});

async function open(...entries: readonly string[]): Promise<void> {
  way = await WayOut.open(folder, entries, { onRefused: (target) => refused.push(target), halfOpenMs: HALF_OPEN_MS });
}

/** What the proxy answers to these words, to the end. */
function say(words: string, then = ''): Promise<string> {
  return new Promise((done, failed) => {
    let said = '';
    const socket = connect({ path: join(folder, WAY_SOCKET) });
    socket.on('error', failed);
    socket.on('data', (chunk: Buffer) => {
      const isFirst = said === '';
      said += chunk.toString('latin1');
      if (isFirst && then !== '' && said.startsWith('HTTP/1.1 200')) socket.write(then);
    });
    socket.on('close', () => {
      done(said);
    });
    socket.write(words);
  });
}

const tunnel = (target: string, then = ''): Promise<string> =>
  say(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`, then);

describe('the way out of a sandbox', () => {
  it('leads to what is listed, by CONNECT and by a full address, and nowhere else', async () => {
    await open(`127.0.0.1:${String(port)}`);
    const get = 'GET /x HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n';
    expect(await tunnel(`127.0.0.1:${String(port)}`, get)).toMatch(/^HTTP\/1.1 200 [^]*GET \/x for model$/);
    const plain = `GET http://127.0.0.1:${String(port)}/y?z HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n`;
    expect(await say(plain)).toContain(`GET /y?z for 127.0.0.1:${String(port)}`);
    expect(refused).toEqual([]);
    for (const target of ['evil.example:443', '127.0.0.1:1', '169.254.169.254:80', `localhost:${String(port)}`])
      expect(await tunnel(target)).toMatch(/^HTTP\/1.1 403 [^]*network_refused/);
    expect(await tunnel('evil.example:443')).toMatch(/^HTTP\/1.1 403 /);
    expect(refused).toEqual(['evil.example:443', '127.0.0.1:1', '169.254.169.254:80', `localhost:${String(port)}`]);
  });

  it('does not lead to a private address by a name that has one, unless that is allowed', async () => {
    await open(`localhost:${String(port)}`);
    expect(await tunnel(`localhost:${String(port)}`)).toMatch(/^HTTP\/1.1 403 [^]*not a public address/);
    await way?.close();
    await open(`private:localhost:${String(port)}`);
    const get = 'GET /x HTTP/1.1\r\nHost: model\r\nConnection: close\r\n\r\n';
    expect(await tunnel(`localhost:${String(port)}`, get)).toContain('GET /x for model');
  });

  it('never leads to where clouds keep keys, whatever the list says', async () => {
    await open('169.254.169.254:80', '[fd00:ec2::254]:80', 'private:100.100.100.200:80');
    for (const target of ['169.254.169.254:80', '[fd00:ec2::254]:80', '100.100.100.200:80'])
      expect(await tunnel(target)).toMatch(/^HTTP\/1.1 403 /);
  });

  it('answers rubbish and goes on', async () => {
    await open('a.invalid');
    expect(await say('nonsense\r\n\r\n')).toBe('');
    expect(await say('GET /x HTTP/1.1\r\nHost: a.invalid\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await say('GET ftp://a.invalid/ HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await tunnel('a.invalid')).toMatch(/^HTTP\/1.1 400 /);
    expect(await tunnel('a.invalid:443')).toMatch(/^HTTP\/1.1 502 [^]*no address/);
  });

  // Any of these ended the runner, and with it all its agents, or hung for ever.
  it.each([
    ['no status', 'HTTP/1.1 042 x\r\nContent-Length: 2\r\n\r\nhi', /^HTTP\/1.1 502 [^]*status that is none/],
    ['another protocol', 'HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', /^HTTP\/1.1 50[12] /],
    ['no HTTP at all', 'SSH-2.0-x\r\n', /^HTTP\/1.1 502 /],
    ['nothing', '', /^HTTP\/1.1 502 [^]*broke off/],
    ['half of what it promised', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf', /^HTTP\/1.1 200 [^]*half$/],
    ['a header that is none', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nhi', /^HTTP\/1.1 (?:200|502) /],
  ])('says so of a host that answers with %s, and goes on', async (_what, answer, said) => {
    const odd = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer, 'latin1'));
    });
    await new Promise<void>((done) => odd.listen(0, '127.0.0.1', done));
    try {
      const here = `127.0.0.1:${String((odd.address() as AddressInfo).port)}`;
      await open(here, `127.0.0.1:${String(port)}`);
      expect(await say(`GET http://${here}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(said);
      const well = `GET http://127.0.0.1:${String(port)}/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
      expect(await say(well)).toContain('GET /y');
    } finally {
      odd.close();
    }
  });

  it('ends a tunnel whose host is deaf to its end, some time after the client is gone', async () => {
    const deaf: Socket[] = [];
    const host = createTcpServer({ allowHalfOpen: true }, (socket) => {
      deaf.push(socket.resume());
    });
    await new Promise<void>((done) => host.listen(0, '127.0.0.1', done));
    try {
      const here = `127.0.0.1:${String((host.address() as AddressInfo).port)}`;
      await open(here);
      const client = connect({ path: join(folder, WAY_SOCKET), allowHalfOpen: true });
      client.write(`CONNECT ${here} HTTP/1.1\r\nHost: ${here}\r\n\r\n`);
      await new Promise((done) => client.once('data', done));
      const heard = new Promise((done) => deaf[0]?.once('end', done));
      client.end();
      await heard;
      const gone = new Promise((done) => client.once('close', done));
      client.resume();
      await gone;
    } finally {
      for (const socket of deaf) socket.destroy();
      host.close();
    }
  });

  it('works in a folder whose name is longer than that of a socket may be, and leaves nothing open', async () => {
    const deep = join(folder, 'd'.repeat(120));
    mkdirSync(deep);
    way = await WayOut.open(deep, ['a.invalid'], { onRefused: () => undefined });
    symlinkSync(deep, join(folder, 'short'));
    const idle = connect({ path: join(folder, 'short', WAY_SOCKET) });
    await new Promise((done) => idle.once('connect', done));
    const gone = new Promise((done) => idle.once('close', done));
    idle.resume();
    await way?.close();
    way = null;
    await gone;
  });
});

it.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::1', 'public'],
  ['10.1.2.3', 'private'],
  ['127.0.0.1', 'private'],
  ['::1', 'private'],
  ['fd12::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['::ffff:169.254.169.254', 'never'],
  ['169.254.169.254', 'never'],
  ['64:ff9b::a9fe:a9fe', 'never'],
  ['fe80::1', 'never'],
  ['0.0.0.0', 'never'],
  ['255.255.255.255', 'never'],
])('%s is %s', (address, reach) => {
  expect(reachOf(address)).toBe(reach);
});

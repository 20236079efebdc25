import { createServer as createHttp } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { beginWatch } from '../../runner/http/watch.ts';
import { held } from './held.ts';

/** What the client of `held` says first to a server behind an address of this protocol. */
async function firstByte(protocol: 'http' | 'https'): Promise<number | undefined> {
  const stop = new AbortController();
  const server = createServer();
  const first = new Promise<number | undefined>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        resolve(data[0]);
        socket.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await held({ url: `${protocol}://127.0.0.1:${String(port)}` }, 'token', stop.signal);
  server.close();
  return first;
}

describe('a held call', () => {
  it('begins with a TLS handshake where the address is https, and in the clear elsewhere', async () => {
    const TLS_HANDSHAKE = 0x16;
    expect(await firstByte('https')).toBe(TLS_HANDSHAKE);
    expect(await firstByte('http')).toBe('G'.charCodeAt(0));
  });

  it('ends when it is told to, and when nobody answers', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const stop = new AbortController();
    const call = held({ url: `http://127.0.0.1:${String(port)}` }, 'token', stop.signal);
    stop.abort();
    await call;
    server.close();
    await held({ socketPath: '/nonexistent/socket' }, 'token', new AbortController().signal);
  });

  it('over a network ends with the silence of its machine, and not while that gives signs of life', async () => {
    const BEAT_MS = 20;
    const runner = createHttp((request, response) => {
      beginWatch(response, { instance: 'i1', beats: request.headers['x-gt-beat'] !== undefined }, BEAT_MS);
    });
    await new Promise<void>((resolve) => runner.listen(0, '127.0.0.1', resolve));
    // Between both; a machine that loses power ends no connection.
    let lost = false;
    const way = createServer((near) => {
      const far = connect((runner.address() as AddressInfo).port, '127.0.0.1');
      near.on('error', () => undefined).on('close', () => far.destroy());
      far.on('error', () => undefined);
      near.on('data', (data) => lost || far.write(data));
      far.on('data', (data) => lost || near.write(data));
    });
    await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${String((way.address() as AddressInfo).port)}`;
    let isOver = false;
    const limits = { answerMs: 5_000, silenceMs: 40 * BEAT_MS };
    const call = held({ url }, 'token', new AbortController().signal, limits).then(() => {
      isOver = true;
    });
    await new Promise((resolve) => {
      setTimeout(resolve, 1.25 * limits.silenceMs);
    });
    expect(isOver).toBe(false);
    lost = true;
    await call;
    // Nothing is answered at all: the machine is off already.
    await held({ url }, 'token', new AbortController().signal, { answerMs: BEAT_MS, silenceMs: 60_000 });
    runner.closeAllConnections();
    runner.close();
    way.close();
  });
});

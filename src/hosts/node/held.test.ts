import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
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
});

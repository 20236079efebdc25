import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, it } from 'vitest';

import { HttpRunnerClient } from '../hosts/node/runner-client.ts';
import { HttpBrainWire } from './brain-wire.ts';
import { hostOf } from './host-of.ts';

it('a host is what sockets take, without the brackets of an address', () => {
  const hosts = ['http://[::1]:1', 'https://town.example.com', 'http://127.0.0.1:80'];
  expect(hosts.map((url) => hostOf(new URL(url)))).toEqual(['::1', 'town.example.com', '127.0.0.1']);
});

it('town and runner find each other on an IPv6 address, either way', async (test) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('{}');
  });
  const port = await new Promise<number | null>((resolve) => {
    server.once('error', () => {
      resolve(null);
    });
    server.listen(0, '::1', () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
  if (port === null) test.skip('this machine has no IPv6');
  const url = `http://[::1]:${String(port)}`;
  const wire = new HttpBrainWire({ url }, () => Promise.resolve('secret'));
  const client = new HttpRunnerClient({ to: { url }, token: () => Promise.resolve('secret'), instance: () => null });
  await wire.call({ method: 'GET', path: '/brain', authorization: null, timeoutMs: 2_000 });
  await client.cancelJob('k').catch(() => undefined);
  wire.close();
  client.close();
  server.close();
  expect(asked).toEqual(['/brain', '/jobs/cancel']);
});

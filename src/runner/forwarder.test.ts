import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { TownError } from '../core/errors.ts';
import { townMoved } from '../core/town-moved.ts';
import { toProblem } from '../api/errors.ts';
import type { Fact } from '../api/contract/runner.ts';
import { silentLog } from '../ports/log.ts';
import { Brain } from './brain.ts';
import { HttpBrainWire } from './brain-wire.ts';
import { Forwarder } from './forwarder.ts';
import { DEFAULT_TIMINGS } from './limits.ts';
import { RunnerDb } from './store/db.ts';
import { FactStore } from './store/facts.ts';

interface Reply {
  readonly status: number;
  readonly body: string;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const fact = (n: number): Fact => ({
  type: 'agent_no_change',
  key: `done:at-x:${String(n)}`,
  rig: 'app',
  attempt: 'at-x',
  epoch: 1,
  reason: 'nothing to do',
  atMs: 1,
});

/** A runner's facts, and a town that answers each batch as the test says, over real HTTP. */
async function lineTo(answer: (keys: readonly string[]) => Reply) {
  const batches: (readonly string[])[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const keys = (JSON.parse(body) as { facts: Fact[] }).facts.map(({ key }) => key);
      batches.push(keys);
      const reply = answer(keys);
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const wire = new HttpBrainWire({ url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }, () =>
    Promise.resolve('secret'),
  );
  const facts = new FactStore(new RunnerDb(':memory:'));
  const timings = { ...DEFAULT_TIMINGS, retryMsMin: 1, retryMsMax: 5 };
  const forwarder = new Forwarder({
    facts,
    brain: new Brain({ wire, town: 'tn', callMs: 5_000 }),
    timings,
    log: silentLog,
  });
  closers.push(async () => {
    await forwarder.stop();
    wire.close();
    server.close();
  });
  return { facts, forwarder, batches };
}

const recorded = (keys: readonly string[]): Reply => ({ status: 200, body: JSON.stringify({ recorded: keys }) });
const refused = (error: TownError): Reply => {
  const { problem, status } = toProblem(error);
  return { status, body: JSON.stringify(problem) };
};
const error = (kind: 'usage' | 'conflict' | 'precondition', code: string): TownError =>
  new TownError(kind, code, { message: 'No.', next: 'Wait.' });

it.each([
  ['a town that is held', refused(townMoved())],
  ['a held town of an older version', { status: 422, body: JSON.stringify({ code: 'town_moved' }) }],
  ['a conflict that passes', refused(error('conflict', 'superseded'))],
  ['a precondition that passes', refused(error('precondition', 'not_now'))],
  ['a proxy without a code', { status: 400, body: '<html>Bad Request</html>' }],
  ['a proxy that takes no large body', { status: 413, body: 'Request Entity Too Large' }],
])('%s is waited for: no fact is set aside, and each arrives afterwards', async (_name, reply) => {
  let isAway = true;
  const { facts, forwarder, batches } = await lineTo((keys) => (isAway ? reply : recorded(keys)));
  for (const n of [1, 2]) facts.record(fact(n));
  forwarder.wake();
  await expect.poll(() => batches.length).toBeGreaterThan(3);
  expect(facts.counts()).toEqual({ waiting: 2, rejected: 0 });
  isAway = false;
  await expect.poll(() => facts.counts()).toEqual({ waiting: 0, rejected: 0 });
});

it('what is wrong in itself is set aside alone, and offered again by the next start', async () => {
  let isNewer = false;
  const { facts, forwarder } = await lineTo((keys) =>
    !isNewer && keys.includes('done:at-x:2') ? refused(error('usage', 'unknown_field')) : recorded(keys),
  );
  for (const n of [1, 2, 3]) facts.record(fact(n));
  forwarder.wake();
  await expect.poll(() => facts.counts()).toEqual({ waiting: 0, rejected: 1 });
  isNewer = true;
  expect(facts.retryRejected()).toBe(1);
  forwarder.wake();
  await expect.poll(() => facts.counts()).toEqual({ waiting: 0, rejected: 0 });
});

it('a batch that is too much for the way goes one by one', async () => {
  const { facts, forwarder, batches } = await lineTo((keys) =>
    keys.length > 1 ? { status: 413, body: 'Request Entity Too Large' } : recorded(keys),
  );
  for (const n of [1, 2, 3]) facts.record(fact(n));
  forwarder.wake();
  await expect.poll(() => facts.counts()).toEqual({ waiting: 0, rejected: 0 });
  expect(batches.map((keys) => keys.length)).toEqual([3, 1, 1, 1]);
});

/** A real daemon tells a real receiver about an escalation, and a person answers it and changes a convoy with `gt`. */
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Place, until } from './cli-support.ts';

const SECRET = `whsec_${Buffer.from('a key of twenty-four byt').toString('base64')}`;

interface Item {
  readonly id: string;
  readonly status: string;
  readonly severity: string;
  readonly acknowledged_by: string | null;
  readonly resolution: string | null;
  readonly routes: readonly { readonly route: string; readonly status: string; readonly error: string | null }[];
}

interface Convoy {
  readonly id: string;
  readonly status: string;
  readonly title: string;
  readonly on_failure: string;
  readonly total_beads: number;
  readonly cancelled_beads: number;
  readonly beads: readonly { readonly id: string }[];
}

const place = new Place();
const verified: unknown[] = [];
const refused: string[] = [];
let server: Server;
let town = '';
let bead = '';
const at = (args: readonly string[]): string[] => [...args, '--town', town];
const json = <T>(args: readonly string[]): Promise<T> => place.json<T>(at(args), { env: { HOOK_SECRET: SECRET } });

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
      try {
        verified.push(new Webhook(SECRET).verify(Buffer.concat(chunks), headers));
      } catch (error) {
        refused.push(String(error));
      }
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  town = place.path('town');
  await place.json(['init', town]);
  const { port } = server.address() as AddressInfo;
  appendFileSync(
    place.path('town', 'gastown.toml'),
    `\n[escalation.webhook]\nurl = "http://127.0.0.1:${String(port)}/hook"\nsecret = "env:HOOK_SECRET"\n`,
  );
  await json(['rig', 'add', 'app', place.origin('app')]);
  await json(['up']);
});

afterAll(async () => {
  await place.gt(at(['down']));
  await new Promise((resolve) => {
    server.close(resolve);
  });
  place.remove();
});

const only = async (): Promise<Item | undefined> =>
  (await json<{ items: Item[] }>(['escalation', 'list', '--all'])).items[0];

describe('an escalation of a real town', () => {
  it('reaches the webhook with a valid signature, and shows what became of each route', async () => {
    const recipe =
      '```gt-script\necho x > x.txt\ngt escalate "Data loss in migration 7" --severity high\nsleep 300\n```\n';
    const body = place.file('escalate.md', recipe);
    bead = (await json<{ id: string }>(['bead', 'create', 'Escalates', '--rig', 'app', '--body-file', body, '--sling']))
      .id;
    const item = await until(async () => {
      const found = await only();
      return found?.routes.some((route) => route.route === 'webhook' && route.status === 'sent') === true
        ? found
        : null;
    }, 'the webhook');
    expect(refused).toEqual([]);
    expect(verified).toMatchObject([
      {
        type: 'escalation.raised',
        data: { id: item.id, severity: 'high', message: expect.stringContaining('Data loss in migration 7') },
      },
    ]);
    expect(item.routes.find((route) => route.route === 'email')).toMatchObject({
      status: 'off',
      error: '[escalation.email] is not set up',
    });
  });

  it('is acknowledged, and its answer stops the agent and ends the bead', async () => {
    const { id } = (await only()) ?? { id: '' };
    expect(await json<Item>(['escalation', 'ack', id])).toMatchObject({
      status: 'acknowledged',
      acknowledged_by: 'human/owner',
      options: [
        { key: 'A', name: 'retry' },
        { key: 'B', name: 'cancel' },
      ],
    });
    expect((await place.gt(at(['escalation', 'decide', id, 'explode']))).code).toBe(2);
    expect(await json<Item>(['escalation', 'decide', id, 'B'])).toMatchObject({
      status: 'resolved',
      decision: 'cancel',
      resolution: 'decided: cancel',
    });
    expect(await json(['bead', 'show', bead])).toMatchObject({ status: 'closed', close_reason: 'cancelled' });
    expect((await place.gt(at(['escalation', 'list']))).out).toContain('Nothing is escalated.');
    expect((await place.gt(at(['escalation', 'resolve', 'hq-esc-00000000']))).code).toBe(4);
  });
});

it('a convoy of a real town is added to, changed, closed, and takes nothing after that', async () => {
  const ids: string[] = [];
  for (const title of ['one', 'two', 'three'])
    ids.push((await json<{ id: string }>(['bead', 'create', title, '--rig', 'app'])).id);
  const [one = '', two = '', three = ''] = ids;
  const made = await json<Convoy>(['convoy', 'create', 'Three', '--bead', one, '--staged']);
  expect(await json<Convoy>(['convoy', 'add', made.id, '--bead', two, '--bead', three])).toMatchObject({
    total_beads: 3,
    status: 'staged',
  });
  expect((await json<Convoy>(['convoy', 'remove', made.id, three])).beads.map((bead) => bead.id)).toEqual([one, two]);
  expect(await json<Convoy>(['convoy', 'update', made.id, '--title', 'Two', '--on-failure', 'skip'])).toMatchObject({
    title: 'Two',
    on_failure: 'skip',
  });
  await json(['convoy', 'close', made.id, '--note', 'not needed']);
  await until(
    async () => ((await json<Convoy>(['convoy', 'show', made.id])).cancelled_beads === 2 ? true : null),
    'the beads to be cancelled',
  );
  const late = await place.gt(at(['convoy', 'add', made.id, '--bead', three, '--json']));
  expect([late.code, JSON.parse(late.err).error.code]).toEqual([5, 'convoy_ended']);
  expect((await json<{ convoy_id: string | null; status: string }>(['bead', 'show', three])).convoy_id).toBeNull();
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutputFrame } from '../../src/api/contract/stream.ts';
import type { FeedItem, JournalItem, SnapshotItem } from '../../src/api/contract/town.ts';
import { HttpStreamReader, placesOf } from '../support/stream-reader.ts';
import { isAlive, Place, until } from './cli-support.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

describe('the live stream of a real daemon', () => {
  const place = new Place();
  const town = place.path('town');
  const gt = (...args: readonly string[]) => place.gt([...args, '--town', town]);
  const json = <T>(...args: readonly string[]): Promise<T> => place.json<T>([...args, '--town', town]);
  let token = '';
  let receiver: Server | null = null;
  let traces = '';

  const url = (path = 'stream'): string =>
    `${String(JSON.parse(place.read('town', 'daemon', 'endpoint.json')).url)}/api/v1/towns/_/${path}`;
  const get = async <T>(path: string): Promise<T> =>
    (await (await fetch(url(path), { headers: { authorization: `Bearer ${token}` } })).json()) as T;
  const reader = (path?: string): HttpStreamReader => new HttpStreamReader(url(path), token);
  const work = async (title: string): Promise<string> => {
    const body = place.file(
      'body.md',
      `\`\`\`gt-script\necho "${title}" >> ${title.replaceAll(' ', '-')}.txt\necho worked\n\`\`\`\n`,
    );
    const bead = await json<{ id: string }>('bead', 'create', title, '--rig', 'app', '--body-file', body);
    expect((await gt('sling', bead.id)).code).toBe(0);
    return bead.id;
  };
  const closed = (id: string): Promise<true> =>
    until(async () => ((await json<{ status: string }>('bead', 'show', id)).status === 'closed' ? true : null), id);
  const journal = async (): Promise<readonly JournalItem[]> => {
    const all: JournalItem[] = [];
    for (let cursor = ''; ;) {
      const page = await get<FeedItem>(`feed?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`);
      if (page.items.length === 0) return all;
      all.push(...page.items);
      cursor = page.cursor;
    }
  };

  beforeAll(async () => {
    await place.gt(['init', 'town']);
    token = String(JSON.parse(place.read('town', '.gastown', 'secrets.json')).owner);
    expect((await gt('rig', 'add', 'app', place.origin('app'))).code).toBe(0);
    receiver = createServer((request, answer) => {
      request.setEncoding('utf8').on('data', (part: string) => (traces += part));
      request.on('end', () => answer.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const address = receiver.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${String(port)}` };
    await place.json(['up', '--town', town], { env });
  });

  afterAll(async () => {
    await gt('down');
    receiver?.close();
    place.remove();
  });

  it('is for those who may read the town', async () => {
    const statuses = await Promise.all(
      ['', 'x'.repeat(43)].map(async (other) => {
        const headers = other === '' ? {} : { authorization: `Bearer ${other}` };
        return (await fetch(url(), { headers })).status;
      }),
    );
    expect(statuses).toEqual([401, 401]);
    expect((await fetch(url('stream?after=nonsense'), { headers: { authorization: `Bearer ${token}` } })).status).toBe(
      400,
    );
  });

  it('is not all that tells: a bead that ended is one trace for OpenTelemetry', async () => {
    const id = await work('traced');
    await closed(id);
    await until(() => (traces.includes(id) ? true : null), 'a trace');
    const { resourceSpans } = JSON.parse(traces) as {
      resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
    };
    const names = resourceSpans[0]?.scopeSpans[0]?.spans.map(({ name }) => name);
    expect(names).toEqual(['bead', 'sling', 'attempt', 'dispatch', 'review', 'merge']);
    expect(traces).not.toContain('"traced"');
    const metrics = (): Promise<string> =>
      fetch(url().replace(/\/api\/.*/, '/metrics'), { headers: { authorization: `Bearer ${token}` } }).then((one) =>
        one.text(),
      );
    await until(async () => ((await metrics()).includes('gt_spans_sent_total 6') ? true : null), 'the span count');
  });

  it('tells what happens within a second, cut and resumed at any place without a lost or a doubled row', async () => {
    const snapshot = await get<SnapshotItem>('snapshot');
    const before = placesOf(await journal());
    const stream = reader(`stream?after=${snapshot.cursor}`);
    expect(await stream.open()).toBe(200);
    await until(() => (stream.frames.some((frame) => frame.type === 'ready') ? true : null), 'ready');
    const whole = reader(`stream?after=${snapshot.cursor}`);
    await whole.open();

    const beads: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const seen = whole.items.length;
      beads.push(await work(`round ${String(round)}`));
      await until(() => (whole.items.length > seen ? true : null), 'the first delta', 10_000);
      stream.cut();
      await new Promise((resolve) => setTimeout(resolve, 30 * round));
      expect(await stream.open()).toBe(200);
    }
    for (const id of beads) await closed(id);
    const expected = async (): Promise<readonly string[]> =>
      placesOf(await journal()).filter((row) => !before.includes(row));
    const all = await until(async () => {
      const rows = await expected();
      return whole.items.length === rows.length && stream.items.length === rows.length ? rows : null;
    }, 'both readers to be told everything');
    expect(placesOf(whole.items).toSorted()).toEqual([...all].toSorted());
    expect(placesOf(stream.items).toSorted()).toEqual([...all].toSorted());
    // A loaded machine may hold up one of them; a stream that polls would hold up most.
    expect(whole.lateMs.toSorted((a, b) => a - b)[Math.floor(whole.lateMs.length / 2)]).toBeLessThan(1_000);
    expect(inOrder(stream.items) && inOrder(whole.items)).toBe(true);
    stream.cut();
    whole.cut();
  });

  it('goes on after kill -9 of the daemon, over a new connection to a new process', async () => {
    const stream = reader();
    await stream.open();
    await until(() => stream.cursor, 'a cursor');
    const before = placesOf(await journal());
    const id = await work('killed');
    await until(() => (stream.items.length > 0 ? true : null), 'a delta');
    const { pid } = await json<{ pid: number }>('up');
    process.kill(pid, 'SIGKILL');
    await until(() => (isAlive(pid) ? null : true), 'the end of the daemon');
    await until(() => (stream.isOpen ? null : true), 'the end of the stream');
    await json('up');
    expect(await stream.open(url())).toBe(200);
    await closed(id);
    const all = await until(async () => {
      const rows = placesOf(await journal()).filter((row) => !before.includes(row));
      return stream.items.length === rows.length ? rows : null;
    }, 'everything to be told');
    expect(placesOf(stream.items).toSorted()).toEqual([...all].toSorted());
    stream.cut();
  });

  it('begins anew, and says so, for a cursor of another history', async () => {
    const stream = reader('stream?after=g1.t.zzzz');
    await stream.open();
    await until(() => (stream.frames.length >= 2 ? true : null), 'an answer');
    expect(stream.frames.slice(0, 2).map((frame) => frame.type)).toEqual(['reset', 'ready']);
    stream.cut();
  });

  it('streams the output of an attempt apart, from a byte on, to its end', async () => {
    const id = await work('loud');
    await closed(id);
    const { attempt_list } = await json<{ attempt_list: { id: string }[] }>('bead', 'show', id);
    const attempt = attempt_list.at(-1)?.id ?? '';
    const path = `agents/${attempt}/output`;
    const stream = reader(path);
    expect(await stream.open()).toBe(200);
    await until(() => (stream.isOpen ? null : true), 'the end of the output');
    const frames = stream.frames as unknown as readonly OutputFrame[];
    const text = frames.map((frame) => (frame.type === 'output' ? frame.text : '')).join('');
    expect(text).toBe((await gt('logs', attempt)).out);
    expect(text.length).toBeGreaterThan(0);
    expect(frames.at(-1)?.type).toBe('end');
    const rest = reader(`${path}?from=3`);
    await rest.open();
    await until(() => (rest.isOpen ? null : true), 'the rest');
    const again = (rest.frames as unknown as readonly OutputFrame[]).map((frame) =>
      frame.type === 'output' ? frame.text : '',
    );
    expect(again.join('')).toBe(Buffer.from(text).subarray(3).toString());
  });

  it('is what gt feed -f follows, also over a restart of the daemon', async () => {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', MAIN, 'feed', '-n', '1', '-f', '--json', '--town', town],
      {
        env: place.env(),
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    try {
      let out = '';
      child.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
      const lines = (): JournalItem[] =>
        out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as JournalItem]));
      await until(() => (lines().length > 0 ? true : null), 'the newest entry');
      const first = placesOf(lines());
      const before = placesOf(await journal());
      expect(before).toContain(first[0]);
      const one = await work('followed');
      await closed(one);
      await gt('daemon', 'stop');
      await json('up');
      const two = await work('followed again');
      await closed(two);
      const all = await until(async () => {
        const rows = placesOf(await journal()).filter((row) => !before.includes(row));
        return lines().length - 1 === rows.length ? rows : null;
      }, 'everything to be printed');
      expect(placesOf(lines().slice(1)).toSorted()).toEqual([...all].toSorted());
    } finally {
      child.kill('SIGKILL');
    }
  });
});

/** Per actor by its own numbers. */
function inOrder(items: readonly JournalItem[]): boolean {
  const last = new Map<string, number>();
  return items.every(({ actor, seq }) => {
    const isNext = seq > (last.get(actor) ?? 0);
    last.set(actor, seq);
    return isNext;
  });
}

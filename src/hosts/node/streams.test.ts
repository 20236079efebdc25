import { request } from 'node:http';
import { connect } from 'node:net';
import { Hono } from 'hono';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppEnv } from '../../api/auth.ts';
import { EVERYTHING } from '../../api/stream/filter.ts';
import { decodePlaces, encodePlaces } from '../../core/places.ts';
import type { JournalEntry } from '../../core/queries.ts';
import { silentLog } from '../../ports/log.ts';
import type { StreamGateway } from '../../ports/stream-gateway.ts';
import { HttpStreamReader } from '../../../test/support/stream-reader.ts';
import { listenOnLoopback, type Listener } from './http-server.ts';
import { NodeStreams } from './streams.ts';

/** One journal, with rows as long as a test wants them. */
function journal(reasonChars: number) {
  const rows: JournalEntry[] = [];
  const source: StreamGateway = {
    now: () => Promise.resolve(encodePlaces({ town: rows.length })),
    after: (cursor, limit) => {
      const at = decodePlaces(cursor)['town'] ?? 0;
      const items = rows.slice(at, at + limit);
      const next = encodePlaces({ town: at + items.length });
      return Promise.resolve({ items, cursor: next, isGap: false, isMore: items.length === limit });
    },
  };
  const write = (): void => {
    const seq = rows.length + 1;
    const text = { entity: 'bead:app-aaaaa', action: 'set', rule: 'test', from: null, to: null };
    rows.push({ ...text, actor: 'town', seq, tick: seq, atMs: Date.now(), reason: 'x'.repeat(reasonChars) });
  };
  return { rows, source, write };
}

const opened: { listener: Listener; streams: NodeStreams }[] = [];

async function serve(options: { readonly reasonChars?: number; readonly lifeMs?: number } = {}) {
  const { rows, source, write } = journal(options.reasonChars ?? 10);
  const streams = new NodeStreams({
    source,
    log: silentLog,
    ...(options.lifeMs === undefined ? {} : { lifeMs: options.lifeMs }),
  });
  const app = new Hono<AppEnv>();
  app.get('/stream', (c) =>
    streams.deltas(c, { filter: EVERYTHING, cursor: c.req.header('last-event-id') ?? c.req.query('after') ?? null }),
  );
  app.get('/plain', (c) => c.text('plain'));
  const listener = await listenOnLoopback((incoming, env) => app.fetch(incoming, env));
  opened.push({ listener, streams });
  const reader = (path = '/stream'): HttpStreamReader => new HttpStreamReader(`${listener.url ?? ''}${path}`, 'x');
  const say = (): void => {
    write();
    streams.changed('town');
  };
  return { rows, streams, reader, say, url: listener.url ?? '' };
}

const until = async (check: () => boolean, what: string): Promise<void> => {
  const endMs = Date.now() + 8_000;
  while (!check()) {
    if (Date.now() > endMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

afterEach(async () => {
  for (const { listener, streams } of opened.splice(0)) {
    streams.stop();
    await listener.close();
  }
});

describe('streams of the daemon', () => {
  it('drops a reader that takes nothing, goes on with the others, and gives it all when it comes again', async () => {
    const { reader, say, streams, rows } = await serve({ reasonChars: 150_000 });
    const [slow, quick] = [reader(), reader()];
    await slow.open();
    await quick.open();
    await until(() => slow.cursor !== null && quick.cursor !== null, 'both are live');
    slow.pause();
    // The kernel's buffers of a connection hold some megabytes before anything waits here.
    for (let sent = 0; streams.readers === 2 && sent < 2_000; sent += 1) {
      say();
      await until(() => quick.lateMs.length === rows.length, 'the quick one is told');
    }
    expect(streams.readers).toBe(1);
    slow.cut();
    expect(await slow.open()).toBe(200);
    await until(() => slow.items.length === rows.length, 'the slow one is told');
    expect(slow.items.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq));
  });

  it('sends a reader away after a while, which loses nothing by coming again', async () => {
    const { reader, say, rows } = await serve({ lifeMs: 50 });
    const one = reader();
    let lives = 0;
    for (; lives < 4; lives += 1) {
      await one.open();
      say();
      await until(() => !one.isOpen, 'it is sent away');
      expect(one.frames.at(-1)?.type).toBe('bye');
      say();
    }
    await one.open();
    await until(() => one.items.length >= rows.length, 'the rest');
    expect(one.items.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq));
  });

  it('keeps no place for a reader that was sent away and never hangs up', async () => {
    const { streams, url } = await serve({ lifeMs: 50 });
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    let said = '';
    socket.on('error', () => undefined).on('data', (part) => (said += part.toString()));
    socket.write('GET /stream HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => said.includes('bye'), 'it is sent away');
    await until(() => streams.readers === 0, 'its place is free');
    socket.destroy();
  });

  it('says good-bye when the daemon stops, and does not hold it up', async () => {
    const { reader, streams } = await serve();
    const readers = Array.from({ length: 20 }, () => reader());
    for (const one of readers) await one.open();
    await until(() => readers.every((one) => one.cursor !== null), 'all are live');
    const { listener } = opened[0]!;
    opened.splice(0);
    const beganMs = performance.now();
    streams.stop();
    await listener.close();
    expect(performance.now() - beganMs).toBeLessThan(1_000);
    await until(() => readers.every((one) => !one.isOpen), 'all have ended');
    expect(readers.every((one) => one.frames.at(-1)?.type === 'bye')).toBe(true);
  });

  it('keeps ordinary answers on other connections as they are', async () => {
    const { reader, url, say } = await serve();
    const one = reader();
    await one.open();
    say();
    const text = await new Promise<string>((resolve) => {
      request(`${url}/plain`, (answer) => {
        let all = '';
        answer
          .setEncoding('utf8')
          .on('data', (part: string) => (all += part))
          .on('end', () => resolve(all));
      }).end();
    });
    expect(text).toBe('plain');
    await until(() => one.items.length === 1, 'the row');
  });
});

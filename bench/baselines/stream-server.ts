/** A server with readers that never leave: ours, or one that does nothing but write. Says what its CPU was used for. */
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { Hono } from 'hono';
import type { AppEnv } from '../../src/api/auth.ts';
import { EVERYTHING } from '../../src/api/stream/filter.ts';
import { GATHER_MS } from '../../src/api/stream/hub.ts';
import { sseOfDelta } from '../../src/api/stream/sse.ts';
import { presentJournalEntry } from '../../src/api/present.ts';
import { decodePlaces, encodePlaces } from '../../src/core/places.ts';
import type { JournalEntry } from '../../src/core/queries.ts';
import { listenOnLoopback } from '../../src/hosts/node/http-server.ts';
import { chunkOf } from '../../src/hosts/node/sse-sink.ts';
import { NodeStreams } from '../../src/hosts/node/streams.ts';
import { silentLog } from '../../src/ports/log.ts';

const [kind, readers, updates] = [process.argv[2] ?? '', Number(process.argv[3]), Number(process.argv[4])];
const rows: JournalEntry[] = [];

function write(): JournalEntry {
  const seq = rows.length + 1;
  const row: JournalEntry = {
    actor: 'rig/app',
    seq,
    tick: seq,
    atMs: Date.now(),
    entity: 'bead:app-7k3qf',
    action: 'set_status',
    rule: 'assign-work',
    reason: 'an agent of the rig is free and nothing stands in its way',
    from: 'open',
    to: 'in_progress',
  };
  rows.push(row);
  return row;
}

interface Side {
  readonly url: string;
  readonly connected: () => number;
  readonly tell: () => void;
}

async function ours(): Promise<Side> {
  const streams = new NodeStreams({
    source: {
      now: () => Promise.resolve(encodePlaces({ 'rig/app': rows.length })),
      after: (cursor, limit) => {
        const at = decodePlaces(cursor)['rig/app'] ?? 0;
        const items = rows.slice(at, at + limit);
        const next = encodePlaces({ 'rig/app': at + items.length });
        return Promise.resolve({ items, cursor: next, isGap: false, isMore: items.length === limit });
      },
    },
    log: silentLog,
  });
  const app = new Hono<AppEnv>();
  app.get('/', (c) => streams.deltas(c, { filter: EVERYTHING, cursor: null }));
  const listener = await listenOnLoopback((request, env) => app.fetch(request, env));
  return {
    url: listener.url ?? '',
    connected: () => streams.readers,
    tell: () => {
      write();
      streams.changed('rig/app');
    },
  };
}

async function raw(): Promise<Side> {
  const sockets = new Set<Socket>();
  const server = createServer((_request, answer) => {
    answer.writeHead(200, { 'transfer-encoding': 'chunked' });
    answer.flushHeaders();
    if (answer.socket !== null) sockets.add(answer.socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    connected: () => sockets.size,
    tell: () => {
      // The same bytes, ready made: nothing is left out but the writes.
      for (const socket of sockets) socket.write(PIECE);
    },
  };
}

const PIECE = chunkOf(
  sseOfDelta({ type: 'delta', cursor: encodePlaces({ 'rig/app': 1 }), items: [presentJournalEntry(write())] }),
);
rows.length = 0;
const side = kind === 'ours' ? await ours() : await raw();
process.send?.({ url: side.url });
while (side.connected() < readers) await new Promise((resolve) => setTimeout(resolve, 10));
// The first ones pay for what is compiled.
for (let warm = 0; warm < 20; warm += 1) {
  side.tell();
  await new Promise((resolve) => setTimeout(resolve, 2 * GATHER_MS));
}
const before = process.cpuUsage();
for (let at = 0; at < updates; at += 1) {
  side.tell();
  await new Promise((resolve) => setTimeout(resolve, 2 * GATHER_MS));
}
const used = process.cpuUsage(before);
process.send?.({ cpuUs: used.user + used.system, bytes: PIECE.length });

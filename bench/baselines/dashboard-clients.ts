/**
 * Dashboards as one process: each has a live stream, and reads again what a change makes its page read again (`web/src/live.ts`).
 * `node dashboard-clients.ts <url> <token> <readers> <what: stream|page>`; orders come as messages, figures go back.
 */
import { Agent, request } from 'node:http';
import type { JournalItem } from '../../src/api/contract/town.ts';
import { HttpStreamReader } from '../../test/support/stream-reader.ts';

const [url = '', token = '', readers = '0', what = 'stream'] = process.argv.slice(2);

/** Of a hundred dashboards so many are on bad lines: they lose the connection, or take nothing for a while. */
const CUT_PERCENT = 10;
const SLOW_PERCENT = 5;
const TROUBLE_EVERY_MS = 700;
const SLOW_MS = 1_500;
/** As the page does it: changes within this time are read again together, and later when the town takes longer to answer. */
const GATHER_MS = 150;
const REST_MAX_MS = 5_000;

/** What the first screen shows, by the kind of entity that changed. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  bead: ['status', 'attention', 'mq', 'agents'],
  attempt: ['agents'],
  agent: ['agents', 'status'],
  train: ['mq'],
};
const EVERYWHERE = ['status', 'attention'];

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const rereadMs: number[] = [];
let rereadBytes = 0;

function read(path: string): Promise<void> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request(`${url}/api/v1/towns/_/${path}`, { headers, agent }, (answer) => {
      answer.on('data', (part: Buffer) => (rereadBytes += part.length));
      answer.on('end', () => {
        rereadMs.push(performance.now() - began);
        if (answer.statusCode === 200) resolve();
        else reject(new Error(`${path}: ${String(answer.statusCode)}`));
      });
      answer.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

let refusals = 0;
const refused = (): void => {
  refusals += 1;
};

/** One page: it never has two reads of the same thing under way. */
class Page {
  #stale = new Set<string>();
  #isWaiting = false;
  #tookMs = 0;

  touch(items: readonly JournalItem[]): void {
    for (const key of EVERYWHERE) this.#stale.add(key);
    for (const { entity } of items)
      for (const key of SHOWN[entity.slice(0, entity.indexOf(':'))] ?? []) this.#stale.add(key);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    setTimeout(() => void this.#readAgain(), GATHER_MS + Math.min(REST_MAX_MS, (1 + Math.random()) * this.#tookMs));
  }

  async #readAgain(): Promise<void> {
    const keys = [...this.#stale];
    this.#stale = new Set();
    const began = performance.now();
    await Promise.all(keys.map((key) => read(key).catch(refused)));
    this.#tookMs = performance.now() - began;
    this.#isWaiting = false;
    if (this.#stale.size > 0) this.touch([]);
  }
}

const streams = Array.from(
  { length: Number(readers) },
  () => new HttpStreamReader(`${url}/api/v1/towns/_/stream`, token),
);
const kindOf = (index: number): 'cut' | 'slow' | 'good' =>
  index % 100 < CUT_PERCENT ? 'cut' : index % 100 < CUT_PERCENT + SLOW_PERCENT ? 'slow' : 'good';
if (what === 'page')
  for (const stream of streams) {
    const page = new Page();
    stream.onItems = (items) => {
      page.touch(items);
    };
  }
await Promise.all(streams.map((stream) => stream.open()));
while (streams.some((stream) => stream.cursor === null)) await new Promise((resolve) => setTimeout(resolve, 10));
process.send?.({ ready: true });

let cuts = 0;
const trouble = setInterval(() => {
  for (const [index, stream] of streams.entries()) {
    const kind = kindOf(index);
    if (kind === 'cut' && stream.isOpen && Math.random() < 0.5) {
      stream.cut();
      cuts += 1;
      setTimeout(() => void stream.open().catch(refused), 50 * Math.random());
    } else if (kind === 'slow' && Math.random() < 0.3) {
      stream.pause();
      setTimeout(() => {
        stream.resume();
      }, SLOW_MS);
    }
  }
}, TROUBLE_EVERY_MS);

process.on('message', (places: readonly string[]) => {
  clearInterval(trouble);
  void finish(places);
});

/** Waits until everybody has come to the end, then compares with what the journals say. */
async function finish(expected: readonly string[]): Promise<void> {
  for (const stream of streams) stream.onItems = () => undefined;
  const wanted = new Set(expected);
  const got = (stream: HttpStreamReader): readonly string[] =>
    stream.items.map(({ actor, seq }) => `${actor}:${String(seq)}`).filter((place) => wanted.has(place));
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline && streams.some((stream) => got(stream).length < expected.length))
    await new Promise((resolve) => setTimeout(resolve, 100));
  let [lost, doubled] = [0, 0];
  for (const stream of streams) {
    const places = got(stream);
    const once = new Set(places);
    lost += expected.length - once.size;
    doubled += places.length - once.size;
  }
  const lateMs = streams.flatMap((stream, index) => (kindOf(index) === 'good' ? stream.lateMs : []));
  process.send?.({
    lost,
    doubled,
    cuts,

    deliveries: streams.reduce((sum, one) => sum + one.items.length, 0),
    lateMs,
    rereadMs,
    rereadBytes,
  });
  for (const stream of streams) stream.cut();
  agent.destroy();
  process.disconnect();
}

/** Traces of a virtual town, told to a real receiver on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { parseBeadId } from '../../src/core/model/ids.ts';
import { Telemetry, type TelemetryOptions } from '../../src/hosts/node/telemetry/exporter.ts';
import { traceTarget } from '../../src/hosts/node/telemetry/target.ts';
import { silentLog } from '../../src/ports/log.ts';
import { sha } from '../support/fake-runner.ts';
import { openTown, sling } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code: number };
}

/** Takes what an OpenTelemetry collector takes, and answers as it is told. */
class Receiver {
  readonly bodies: string[] = [];
  readonly headers: (string | undefined)[] = [];
  status = 200;
  url = '';
  #server: Server | null = null;

  async open(port = 0): Promise<void> {
    const server = createServer((request, answer) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        this.headers.push(request.headers['x-key'] as string | undefined);
        if (this.status === 200) this.bodies.push(text);
        answer.writeHead(request.url === '/v1/traces' ? this.status : 404).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const address = server.address();
    this.url = `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`;
    this.#server = server;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get spans(): readonly WireSpan[] {
    return this.bodies.flatMap((body) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans as WireSpan[]);
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(null));
    this.#server = null;
  }
}

describe('traces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gt-traces-'));
  const receiver = new Receiver();
  const opened: Telemetry[] = [];
  let files = 0;
  let heads = 0;
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
    await receiver.close();
    receiver.bodies.length = 0;
    receiver.status = 200;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const optionsOf = (town: VirtualTown, over: Partial<TelemetryOptions> = {}): TelemetryOptions => ({
    town: { id: 'town-test', name: 'test' },
    source: town.service.stream,
    getBead: (id) => town.service.getBead(id),
    target: { url: `${receiver.url}/v1/traces`, headers: { 'x-key': 'k' } },
    cursorFile: join(folder, `cursor-${String((files += 1))}`),
    log: silentLog,
    ...over,
  });
  const tell = async (options: TelemetryOptions): Promise<Telemetry> => {
    const telemetry = await Telemetry.start(options);
    opened.push(telemetry);
    return telemetry;
  };
  const until = async (look: () => boolean, what: string): Promise<void> => {
    const deadline = Date.now() + 30_000;
    while (!look()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  /** A bead whose whole way is gone: its agent is done, its gates are green, it is merged. */
  const merged = async (town: VirtualTown, title: string): Promise<string> => {
    const id = await sling(town, title, { body: 'SECRET-BODY' });
    const process = [...town.runner.processes.values()].findLast(({ request }) => request.bead === id);
    if (process === undefined) throw new Error('nothing runs');
    await town.advance(60_000);
    town.runner.done(process.request.attempt, sha(2_000 + (heads += 1)));
    await town.settle();
    town.runner.exit(process.request.attempt);
    await town.advance(60_000);
    expect(await town.service.getBead(id)).toMatchObject({ status: 'closed', closeReason: 'merged' });
    return id;
  };

  it('tell of sling, dispatch, attempt, review and merge as one, without what people wrote', async () => {
    await receiver.open();
    const town = await openTown();
    const telemetry = await tell(optionsOf(town));
    const id = await merged(town, 'SECRET-TITLE');
    telemetry.changed();
    await until(() => receiver.spans.length > 0, 'a trace');
    const { spans } = receiver;
    expect(spans.map(({ name }) => name)).toEqual(['bead', 'sling', 'attempt', 'dispatch', 'review', 'merge']);
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    const [root, slung, attempt, dispatch, review, merge] = spans;
    expect(root?.parentSpanId).toBeUndefined();
    for (const child of [slung, attempt, review, merge]) expect(child?.parentSpanId).toBe(root?.spanId);
    expect(dispatch?.parentSpanId).toBe(attempt?.spanId);
    for (const span of spans) {
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).toBe(true);
      expect(BigInt(span.startTimeUnixNano) >= BigInt(root?.startTimeUnixNano ?? 0)).toBe(true);
      expect(span.status.code).toBe(0);
    }
    expect(root?.attributes).toContainEqual({ key: 'gt.bead', value: { stringValue: id } });
    expect(receiver.bodies.join('')).not.toContain('SECRET');
    expect(receiver.headers).toContain('k');
    await until(() => telemetry.sent === 6, 'its answer');
  });

  it('are the same spans when they are told again, and begin where they ended', async () => {
    await receiver.open();
    const town = await openTown();
    const options = optionsOf(town);
    const first = await tell(options);
    await merged(town, 'one');
    first.changed();
    await until(() => receiver.spans.length === 6, 'the first');
    await until(() => first.sent === 6, 'its answer');
    await first.stop();
    const told = receiver.spans.map(({ spanId }) => spanId);
    const again = await tell(options);
    await merged(town, 'two');
    again.changed();
    await until(() => receiver.spans.length === 12, 'the second, and not the first again');
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(12);
    // Another exporter that knows nothing of it, from the beginning: the same ids.
    receiver.bodies.length = 0;
    await tell({
      ...options,
      cursorFile: join(folder, 'none'),
      source: { ...town.service.stream, now: () => Promise.resolve('g1') },
    });
    await until(() => receiver.spans.length === 12, 'all again');
    expect(receiver.spans.slice(0, 6).map(({ spanId }) => spanId)).toEqual(told);
  });

  it('wait for a receiver that is away or busy, and hold up nothing', async () => {
    await receiver.open();
    const { port } = receiver;
    const town = await openTown();
    const telemetry = await tell(optionsOf(town));
    await receiver.close();
    await merged(town, 'one');
    telemetry.changed();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect([telemetry.sent, telemetry.dropped]).toEqual([0, 0]);
    receiver.status = 503;
    await receiver.open(port);
    await until(() => receiver.headers.length > 0, 'another try');
    receiver.status = 200;
    await until(() => telemetry.sent === 6, 'the trace');
    expect(receiver.spans).toHaveLength(6);
    // A refusal for good is not tried for ever.
    receiver.status = 400;
    await merged(town, 'two');
    telemetry.changed();
    await until(() => telemetry.dropped === 6, 'what was refused');
  });

  it('keep a bounded number of spans, and count what they drop', async () => {
    await receiver.open();
    receiver.status = 503;
    const town = await openTown();
    const id = await merged(town, 'one');
    const bead = await town.service.getBead(parseBeadId(id));
    const row = (await town.service.feed(null, 500)).items.find(
      ({ entity, to }) => entity === `bead:${id}` && to === 'closed',
    );
    if (row === undefined) throw new Error('no row');
    const rows = Array.from({ length: 400 }, (_, at) => ({
      ...row,
      entity: `bead:api-${String(at).padStart(5, '0')}`,
    }));
    let isRead = false;
    const telemetry = await tell(
      optionsOf(town, {
        source: {
          now: () => Promise.resolve('g1'),
          after: () => {
            const items = isRead ? [] : rows;
            isRead = true;
            return Promise.resolve({ items, cursor: 'g1', isGap: false, isMore: false });
          },
        },
        getBead: (wanted) => Promise.resolve({ ...bead, id: wanted }),
      }),
    );
    await until(() => telemetry.dropped > 0, 'the oldest to go');
    expect(telemetry.dropped).toBe(400 * 6 - 2_000);
    receiver.status = 200;
    await until(() => telemetry.sent === 2_000, 'the others');
    expect(receiver.spans).toHaveLength(2_000);
  });

  it('are looked for once more after a receiver that hung, however often something changed meanwhile', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const folder = mkdtempSync(join(tmpdir(), 'gt-telemetry-'));
    try {
      let looks = 0;
      let goOn: () => void = () => undefined;
      const hung = new Promise<void>((done) => (goOn = done));
      const source = {
        now: () => Promise.resolve('0'),
        after: async () => {
          looks += 1;
          if (looks === 1) await hung;
          return { items: [], cursor: String(looks), isGap: false, isMore: false };
        },
      };
      const telemetry = await Telemetry.start({
        town: { id: 'tw-1', name: 'one' },
        source: source as unknown as TelemetryOptions['source'],
        getBead: () => Promise.reject(new Error('no bead')),
        target: { url: 'http://127.0.0.1:1', headers: {} },
        cursorFile: join(folder, 'cursor'),
        log: silentLog,
      });
      for (let second = 0; second < 60; second += 1) {
        telemetry.changed();
        await vi.advanceTimersByTimeAsync(1_000);
      }
      expect(looks).toBe(1);
      goOn();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(looks).toBe(2);
      await telemetry.stop();
    } finally {
      vi.useRealTimers();
      rmSync(folder, { recursive: true });
    }
  });

  it('go nowhere unless somebody says so', () => {
    expect(traceTarget(null, {})).toBeNull();
    // Empty is missing; what is no address is named, and the next one counts.
    const ignored: string[] = [];
    const odd = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' };
    expect(traceTarget('http://x:4318', odd, (name) => ignored.push(name))?.url).toBe('http://x:4318/v1/traces');
    expect(ignored).toEqual(['OTEL_EXPORTER_OTLP_ENDPOINT']);
    expect(traceTarget('http://x:4318', { OTEL_SDK_DISABLED: 'true' })).toBeNull();
    expect(traceTarget('ftp://x', {})).toBeNull();
    expect(traceTarget('http://x:4318/', {})?.url).toBe('http://x:4318/v1/traces');
    expect(traceTarget('http://x:4318', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://y' })?.url).toBe('http://y/v1/traces');
    expect(
      traceTarget(null, {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://z/in',
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20a, broken, x=%0d%0aevil, y=1',
      }),
    ).toEqual({ url: 'https://z/in', headers: { authorization: 'Bearer a', y: '1' } });
  });
});

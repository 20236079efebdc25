import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { AppEnv } from '../../api/auth.ts';
import type { OutputOrder, StreamOrder, Streams } from '../../api/stream/streams.ts';
import { StreamHub } from '../../api/stream/hub.ts';
import { SSE_HEARTBEAT, sseOfDelta, sseOfOutput } from '../../api/stream/sse.ts';
import { TownError } from '../../core/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { StreamGateway } from '../../ports/stream-gateway.ts';
import { chunkOf, SseSink } from './sse-sink.ts';

/** Below the shortest wait of usual proxies (30 s). */
const HEARTBEAT_MS = 15_000;
/** Then a reader must come again: its right is checked anew, and a connection that nobody ends does not stay for ever. */
const STREAM_LIFE_MS = 5 * 60_000;
/** After an answer without output, which usually took seconds already. */
const OUTPUT_PAUSE_MS = 250;
/** Each reader has a socket. A thousand dashboards are meant to work; a loop that opens connections is not. */
const READERS_MAX = 2_000;

/** The open connections of one daemon: deltas by one hub, output by one loop per reader. */
export class NodeStreams implements Streams {
  readonly #hub: StreamHub<Buffer>;
  readonly #log: Log;
  readonly #sinks = new Map<SseSink, (reason: string) => void>();
  readonly #heartbeat = chunkOf(SSE_HEARTBEAT);
  #timer: NodeJS.Timeout | null = null;
  readonly #lifeMs: number;
  #slowReaders = 0;

  constructor(options: { readonly source: StreamGateway; readonly log: Log; readonly lifeMs?: number }) {
    this.#log = options.log;
    this.#lifeMs = options.lifeMs ?? STREAM_LIFE_MS;
    this.#hub = new StreamHub({
      source: options.source,
      encode: (frame) => chunkOf(sseOfDelta(frame)),
      after: (delayMs, work) => {
        setTimeout(work, delayMs).unref();
      },
      failed: (error) => {
        this.#log.error('the stream could not be read', { cause: textOf(error) });
      },
    });
  }

  get readers(): number {
    return this.#sinks.size;
  }

  /** Readers that were cut for being slow, since the start. */
  get slowReaders(): number {
    return this.#slowReaders;
  }

  #send(sink: SseSink, frame: Buffer): boolean {
    const isSent = sink.write(frame);
    if (!isSent && sink.wasSlow) this.#slowReaders += 1;
    return isSent;
  }

  /** After each turn of an actor. */
  readonly changed = (address: string): void => {
    this.#hub.changed(address);
  };

  deltas(c: Context<AppEnv>, order: StreamOrder): Response {
    const sink = this.#open(c);
    const reader = {
      filter: order.filter,
      send: (frame: Buffer): boolean => this.#send(sink, frame),
      room: (): Promise<boolean> => sink.room(),
    };
    this.#sinks.set(sink, (reason) => {
      this.#hub.dismiss(reader, reason);
    });
    sink.onClose(() => {
      this.#hub.leave(reader);
    });
    this.#hub.join(reader, order.cursor).catch((error: unknown) => {
      this.#log.error('a reader could not be served', { cause: textOf(error) });
      sink.drop();
    });
    return RESPONSE_ALREADY_SENT;
  }

  output(c: Context<AppEnv>, order: OutputOrder): Response {
    const sink = this.#open(c);
    this.#sinks.set(sink, () => undefined);
    tellOutput(sink, order).catch((error: unknown) => {
      // The runner went away: the reader comes again, and is told then why not.
      this.#log.warn('output of an attempt could not be read', { attempt: order.attempt, cause: textOf(error) });
      sink.end();
    });
    return RESPONSE_ALREADY_SENT;
  }

  /** Says good-bye to every reader. */
  stop(): void {
    this.#hub.end('the daemon stops');
    for (const sink of this.#sinks.keys()) sink.end();
    this.#sinks.clear();
    this.#rest();
  }

  /** Errors: `no_stream`, `too_many_readers`. */
  #open(c: Context<AppEnv>): SseSink {
    if (this.#sinks.size >= READERS_MAX)
      throw new TownError('busy', 'too_many_readers', {
        message: `${String(READERS_MAX)} readers have streams of this town open.`,
        next: 'Close some dashboards, or try again later.',
      });
    const sink = SseSink.open(Reflect.get(Object(c.env), 'outgoing'));
    if (sink === null)
      throw new TownError('precondition', 'no_stream', {
        message: 'This connection can carry no stream.',
        next: 'Ask on a connection of its own, directly to the daemon.',
      });
    sink.onClose(() => {
      this.#sinks.delete(sink);
      if (this.#sinks.size === 0) this.#rest();
    });
    this.#timer ??= setInterval(
      () => {
        this.#beat();
      },
      Math.min(HEARTBEAT_MS, this.#lifeMs),
    ).unref();
    return sink;
  }

  #beat(): void {
    const oldest = performance.now() - this.#lifeMs;
    for (const [sink, dismiss] of this.#sinks) {
      // It was told to come again a beat ago, and does not hang up: its place is for others.
      if (!sink.isOpen) {
        sink.drop();
        continue;
      }
      if (sink.openedAtMs > oldest) {
        sink.write(this.#heartbeat);
        continue;
      }
      dismiss('come again');
      sink.end();
    }
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** Reads on only when what was read is handed over, so that a slow reader is never ahead of itself. */
async function tellOutput(sink: SseSink, order: OutputOrder): Promise<void> {
  const { attempt } = order;
  for (let from = order.from; sink.isOpen;) {
    // Asked first: what an agent says last must not be taken for nothing.
    const isLive = await order.isLive();
    const { text, nextOffset: next } = await order.read(from);
    if (text !== '') sink.write(chunkOf(sseOfOutput({ type: 'output', attempt, from, next, text })));
    else if (!isLive) {
      sink.write(chunkOf(sseOfOutput({ type: 'end', attempt, next })));
      sink.end();
    }
    from = next;
    // The process may be gone while its attempt is not closed yet: then the runner does not wait for more.
    if (text === '' && sink.isOpen) await pause(OUTPUT_PAUSE_MS);
    await sink.room();
  }
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

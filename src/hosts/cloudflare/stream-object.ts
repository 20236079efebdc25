import { DurableObject } from 'cloudflare:workers';
import { filterOf, type StreamFilter } from '../../api/stream/filter.ts';
import { GATHER_MS, StreamHub, type StreamReader } from '../../api/stream/hub.ts';
import { streamQuerySchema, type StreamFrame } from '../../api/contract/stream.ts';
import { decodePlaces } from '../../core/places.ts';
import type { StreamGateway } from '../../ports/stream-gateway.ts';
import type { DurableSocket, DurableState } from './durable.ts';
import { stubOf, type Env } from './env.ts';
import type { TownTarget } from './town-app.ts';
import { consoleLog } from './object-ports.ts';
import { remote, type StreamStub } from './rpc.ts';

/** A reader says how many frames it has; with so many more under way it is too slow, or has stopped saying so. */
const UNSAID_FRAMES_MAX = 200;
/** A reader that catches up gets the next page when it has said this much of the former ones. */
const UNSAID_FRAMES_ROOM = 20;
/** Then a reader must come again, so that its right is checked anew; looked at with each frame, since a timer would keep the object awake. */
const SOCKET_LIFE_MS = 60 * 60_000;
/** Close codes of our own: what a program may say ends below 1004 and goes on at 3000. */
const TOO_SLOW = 4_013;
const COME_AGAIN = 4_012;
const HEAD = 'head';

interface Attached {
  readonly filter: StreamFilter;
  readonly openedAtMs: number;
  readonly sent: number;
  readonly said: number;
  /** It has everything up to the head. Before that only this life of the object knows how far it is. */
  readonly isLive: boolean;
}

class SocketReader implements StreamReader<string> {
  readonly #socket: DurableSocket;
  #attached: Attached;
  #isOpen = true;
  /** The last frame that was sent in this life. */
  #last: string | null = null;
  #waiting: (() => void)[] = [];

  constructor(socket: DurableSocket, attached: Attached) {
    this.#socket = socket;
    this.#attached = attached;
  }

  get filter(): StreamFilter {
    return this.#attached.filter;
  }

  send(frame: string): boolean {
    if (!this.#isOpen) return false;
    const { sent, said, openedAtMs } = this.#attached;
    if (sent - said >= UNSAID_FRAMES_MAX) return this.#end(TOO_SLOW, 'too slow: go on from your cursor');
    this.#socket.send(frame);
    this.#last = frame;
    this.#attach({ ...this.#attached, sent: sent + 1 });
    return Date.now() - openedAtMs < SOCKET_LIFE_MS || this.comeAgain();
  }

  async room(): Promise<boolean> {
    while (this.#isOpen && this.#attached.sent - this.#attached.said > UNSAID_FRAMES_ROOM)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#isOpen;
  }

  /** It has everything up to the head, and gets what comes. */
  live(): void {
    if (this.#isOpen) this.#attach({ ...this.#attached, isLive: true });
  }

  get isLive(): boolean {
    return this.#attached.isLive;
  }

  /** Ends it for now. With a last frame that says so, unless nobody knows in this life how far the reader is. */
  comeAgain(): false {
    if (!this.#isOpen) return false;
    const last = this.#last === null ? null : (JSON.parse(this.#last) as StreamFrame);
    if (last !== null && last.type !== 'bye') {
      const bye: StreamFrame = { type: 'bye', cursor: last.cursor, reason: 'come again with your cursor' };
      this.#socket.send(JSON.stringify(bye));
    }
    return this.#end(COME_AGAIN, 'come again with your cursor');
  }

  /** It has so many frames. */
  says(count: number): void {
    this.#attach({ ...this.#attached, said: Math.max(this.#attached.said, Math.min(count, this.#attached.sent)) });
    this.#wake();
  }

  gone(): void {
    this.#isOpen = false;
    this.#wake();
  }

  #end(code: number, reason: string): false {
    if (this.#socket.readyState === 1) this.#socket.close(code, reason);
    this.gone();
    return false;
  }

  #attach(attached: Attached): void {
    this.#attached = attached;
    this.#socket.serializeAttachment(attached);
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/**
 * The readers of a town's stream, each on a socket that survives when this object is put away. An object of its own, so
 * that a town with a thousand watchers is as quick as one without; the actors tell it only while somebody reads.
 */
export class StreamDO extends DurableObject<DurableState, Env> implements StreamStub {
  readonly #readers = new Map<DurableSocket, SocketReader>();
  readonly #hub: StreamHub<string>;

  constructor(ctx: DurableState, env: Env) {
    super(ctx, env);
    this.#hub = new StreamHub({
      source: remote<StreamGateway>((path, args) => stubOf(env, 'town').call(['gateway', 'stream', ...path], args)),
      encode: (frame) => JSON.stringify(frame),
      after: (delayMs, work) => {
        setTimeout(work, delayMs);
      },
      failed: (error) => {
        consoleLog.error('the stream could not be read', { cause: String(error) });
        for (const reader of this.#readers.values()) if (reader.isLive) reader.comeAgain();
      },
    });
    const head = ctx.storage.kv.get(HEAD);
    const live: SocketReader[] = [];
    for (const socket of ctx.getWebSockets()) {
      const reader = new SocketReader(socket, socket.deserializeAttachment() as Attached);
      // How far one was that was catching up is known to nobody but itself: from the head on it would miss rows.
      if (typeof head !== 'string' || !reader.isLive) reader.comeAgain();
      else {
        this.#readers.set(socket, reader);
        live.push(reader);
      }
    }
    if (typeof head === 'string') this.#hub.restore(head, live);
  }

  /** The Worker has checked who asks, and that the cursor is one. */
  fetch(request: Request): Promise<Response> {
    const query = streamQuerySchema.parse(Object.fromEntries(new URL(request.url).searchParams));
    const { 0: theirs, 1: socket } = new WebSocketPair();
    const reader = new SocketReader(socket, {
      filter: filterOf(query),
      openedAtMs: Date.now(),
      sent: 0,
      said: 0,
      isLive: false,
    });
    this.ctx.acceptWebSocket(socket, []);
    this.#readers.set(socket, reader);
    this.look()
      .then(() => this.#hub.join(reader, query.after ?? null))
      .then(() => {
        this.#keepHead();
        reader.live();
      })
      .catch((error: unknown) => {
        consoleLog.error('a reader could not be served', { cause: String(error) });
        reader.comeAgain();
        this.#left(socket);
      });
    return Promise.resolve(new Response(null, { status: 101, webSocket: theirs }));
  }

  async changed(address: string): Promise<boolean> {
    if (this.#readers.size === 0) return false;
    this.#hub.changed(address);
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    await this.#hub.flush();
    this.#keepHead();
    return true;
  }

  async look(): Promise<void> {
    if (this.#readers.size === 0) return;
    const town = remote<TownTarget>((path, args) => stubOf(this.env, 'town').call(path, args));
    const addresses = Object.keys(decodePlaces(await town.gateway.stream.now()));
    await Promise.all(addresses.map((address) => stubOf(this.env, address).watch()));
  }

  webSocketMessage(socket: DurableSocket, message: unknown): void {
    const count = typeof message === 'string' && /^\d{1,15}$/.test(message) ? Number(message) : null;
    if (count !== null) this.#readers.get(socket)?.says(count);
  }

  webSocketClose(socket: DurableSocket): void {
    this.#left(socket);
  }

  webSocketError(socket: DurableSocket): void {
    this.#left(socket);
  }

  #left(socket: DurableSocket): void {
    const reader = this.#readers.get(socket);
    if (reader === undefined) return;
    reader.gone();
    this.#hub.leave(reader);
    this.#readers.delete(socket);
  }

  /** Where the live readers are, for the next life of this object. */
  #keepHead(): void {
    const { kv } = this.ctx.storage;
    if (this.#hub.head !== null && kv.get(HEAD) !== this.#hub.head) kv.put(HEAD, this.#hub.head);
  }
}

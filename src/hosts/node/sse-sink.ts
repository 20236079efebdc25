import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SSE_HEADERS, SSE_HELLO } from '../../api/stream/sse.ts';

/** What a reader may leave unread before it is dropped: some seconds of a very busy town. It comes again and goes on. */
const BACKLOG_BYTES_MAX = 1024 * 1024;

/** One piece of a body in chunks, made once for however many readers. */
export const chunkOf = (text: string): Buffer => {
  const bytes = Buffer.byteLength(text);
  return Buffer.from(`${bytes.toString(16)}\r\n${text}\r\n`);
};

const HELLO = chunkOf(SSE_HELLO);
const END = Buffer.from('0\r\n\r\n');

/** An answer that stays open. Writes go to the socket itself: a piece is encoded once and costs each reader one write. */
export class SseSink {
  readonly openedAtMs: number = performance.now();
  readonly #socket: Socket;
  #isOpen = true;
  #wasSlow = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Null where there is no connection of its own: a request that came over a runner's line, or behind another's answer. */
  static open(outgoing: unknown): SseSink | null {
    if (!isResponse(outgoing)) return null;
    const { socket } = outgoing;
    if (socket === null || socket.destroyed) return null;
    outgoing.writeHead(200, { ...SSE_HEADERS, 'transfer-encoding': 'chunked', connection: 'close' });
    outgoing.flushHeaders();
    const sink = new SseSink(socket);
    socket.once('close', () => {
      sink.#isOpen = false;
    });
    sink.write(HELLO);
    return sink;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** It was cut because it left too much unread. */
  get wasSlow(): boolean {
    return this.#wasSlow;
  }

  onClose(work: () => void): void {
    if (this.#isOpen) this.#socket.once('close', work);
    else work();
  }

  /** False: the reader is gone, or left too much unread and was dropped. */
  write(piece: Buffer): boolean {
    if (!this.#isOpen) return false;
    if (this.#socket.writableLength > BACKLOG_BYTES_MAX) {
      this.#wasSlow = true;
      this.drop();
      return false;
    }
    this.#socket.write(piece);
    return true;
  }

  /** Resolves when all was handed over, false when the reader is gone. */
  room(): Promise<boolean> {
    if (!this.#isOpen || !this.#socket.writableNeedDrain) return Promise.resolve(this.#isOpen);
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve(this.#isOpen);
      };
      this.#socket.once('drain', done).once('close', done);
    });
  }

  /** Ends the answer; what was written is still sent. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.end(END);
  }

  /** Cuts the connection at once. */
  drop(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }
}

const isResponse = (value: unknown): value is ServerResponse =>
  typeof value === 'object' && value !== null && 'flushHeaders' in value && 'writeHead' in value;

/** Reads a live stream over HTTP as a browser does, and says what it was told, so that a test can compare it with the journal. */
import { request, type IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import type { StreamFrame } from '../../src/api/contract/stream.ts';
import type { JournalItem } from '../../src/api/contract/town.ts';

export class HttpStreamReader {
  readonly frames: StreamFrame[] = [];
  cursor: string | null = null;
  /** How long after it was recorded each row of a live stream came, in milliseconds. */
  readonly lateMs: number[] = [];
  status = 0;
  /** Called with the rows of each frame. */
  onItems: (items: readonly JournalItem[]) => void = () => undefined;
  #answer: IncomingMessage | null = null;
  #ended = false;
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  get isOpen(): boolean {
    return this.#answer !== null && !this.#ended;
  }

  get items(): readonly JournalItem[] {
    return this.frames.flatMap((frame) => (frame.type === 'delta' ? frame.items : []));
  }

  /** Opens it where it ended; resolves with the status of the answer. */
  open(url: string = this.#url): Promise<number> {
    this.#ended = false;
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${this.#token}`,
        ...(this.cursor === null ? {} : { 'last-event-id': this.cursor }),
      };
      const call = request(url, { headers, agent: false }, (answer) => {
        this.#answer = answer;
        this.status = answer.statusCode ?? 0;
        this.#take(answer);
        resolve(this.status);
      });
      call.once('error', reject);
      call.end();
    });
  }

  #take(answer: IncomingMessage): void {
    const parser = createParser({
      onEvent: ({ id, data }) => {
        const frame = JSON.parse(data) as StreamFrame;
        const isLive = this.frames.some(({ type }) => type === 'ready');
        if (isLive && frame.type === 'delta') this.lateMs.push(...frame.items.map(({ at }) => Date.now() - at));
        this.frames.push(frame);
        this.cursor = id ?? this.cursor;
        if (frame.type === 'delta') this.onItems(frame.items);
      },
    });
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      if (this.#answer === answer) parser.feed(text);
    });
    for (const end of ['end', 'error', 'close'] as const)
      answer.on(end, () => {
        if (this.#answer === answer) this.#ended = true;
      });
  }

  /** Takes nothing any more from the connection, which stays open. */
  pause(): void {
    this.#answer?.pause();
  }

  resume(): void {
    this.#answer?.resume();
  }

  /** The connection breaks, in the middle of whatever is on its way. */
  cut(): void {
    const answer = this.#answer;
    this.#ended = true;
    this.#answer = null;
    answer?.destroy();
  }
}

/** `actor:seq` of each row, as it came. */
export const placesOf = (items: readonly JournalItem[]): readonly string[] =>
  items.map((item) => `${item.actor}:${String(item.seq)}`);

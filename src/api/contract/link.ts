import { z } from 'zod';

import { FRAME_BYTES_MAX, HEAD_CHARS_MAX, frameSchema, type Frame, type WireAnswer, type WireCall } from './frames.ts';

/** Calls of the other side that are worked on at once; more are told to come back. */
const SERVED_AT_ONCE_MAX = 64;

/** The connection ended, or the answer did not come in time: nobody knows whether the call happened. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
}

export interface LinkOptions {
  readonly send: (text: string) => void;
  /** Carries out a call of the other side. A throw is answered as 500, without its text. */
  readonly serve: (call: WireCall) => Promise<WireAnswer>;
  /** Ends the connection for a frame that breaks the protocol; called at most once. */
  readonly abort: (reason: string) => void;
  /** Of the host: runs `work` after a time; the answer cancels it. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Of a host that forgets while the connection stays: an id that this connection never had. */
  readonly nextId?: () => number;
}

interface Waiting {
  readonly resolve: (answer: WireAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly cancel: () => void;
}

/** One side of a proven connection: calls and answers, matched by id. Knows no host; both sides are the same. */
export class Link {
  readonly #options: LinkOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #served = new Map<number, Promise<WireAnswer>>();
  #serving = 0;
  #lastId = 0;
  #ended: string | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** What no frame can carry is refused here: sent, it would end the line for all others. Errors: `LinkLost`. */
  call(call: WireCall, timeoutMs: number): Promise<WireAnswer> {
    if (this.#ended !== null) return Promise.reject(new LinkLost(this.#ended));
    const id = this.#options.nextId?.() ?? ++this.#lastId;
    const frame = { t: 'call', id, ...call } satisfies Frame;
    if (!frameSchema.safeParse(frame).success) return Promise.resolve(headTooLarge());
    const text = JSON.stringify(frame);
    // A character has at most three bytes; refused here, it costs one call and not the connection.
    if (text.length * 3 > FRAME_BYTES_MAX && bytes(text) > FRAME_BYTES_MAX)
      return Promise.reject(new LinkLost('the call is too large for one frame'));
    return new Promise((resolve, reject) => {
      const cancel = this.#options.after(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(new LinkLost(`no answer within ${String(timeoutMs)} ms`));
      });
      this.#waiting.set(id, { resolve, reject, cancel });
      this.#options.send(text);
    });
  }

  /** Takes one frame of the other side. */
  receive(text: string): void {
    if (this.#ended !== null) return;
    const frame = readFrame(text);
    if (frame?.t === 'answer') this.#answered(frame);
    else if (frame?.t === 'call') this.#serve(frame);
    else if (frame === null) this.#unread(text);
    else this.#break(`"${frame.t}" came after the greeting`);
  }

  /** The connection is gone. */
  end(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) {
      one.cancel();
      one.reject(new LinkLost(reason));
    }
  }

  /** A call of a newer side, or a wrong one: its caller hears of it, and the calls of all others go on. */
  #unread(text: string): void {
    const id = unreadId(text);
    if (id === null) {
      this.#break('a frame could not be read');
      return;
    }
    const refusal = problem(
      400,
      'bad_call',
      'The call could not be read.',
      'Run the same version of gt on both sides.',
    );
    this.#options.send(fitting(id, refusal));
  }

  #break(reason: string): void {
    this.end(reason);
    this.#options.abort(reason);
  }

  /** An answer that nobody waits for any more is late; the caller has repeated its call by then. */
  #answered(frame: Extract<Frame, { t: 'answer' }>): void {
    const waiting = this.#waiting.get(frame.id);
    if (waiting === undefined) return;
    this.#waiting.delete(frame.id);
    waiting.cancel();
    waiting.resolve({ status: frame.status, type: frame.type, body: frame.body, next: frame.next });
  }

  #serve(frame: Extract<Frame, { t: 'call' }>): void {
    const { id, method, path, authorization, body, key } = frame;
    let answer = this.#served.get(id);
    if (answer === undefined) {
      answer = this.#begin({ method, path, authorization, body, ...(key === undefined ? {} : { key }) });
      this.#served.set(id, answer);
    }
    void answer.then((value) => {
      // Kept for as long as it is under way: whoever lost an answer asks on another connection, under its key.
      this.#served.delete(id);
      if (this.#ended === null) this.#options.send(fitting(id, value));
    });
  }

  async #begin(call: WireCall): Promise<WireAnswer> {
    if (this.#serving >= SERVED_AT_ONCE_MAX)
      return problem(503, 'busy', 'Too many calls are under way on this connection.', 'Try again in a second.');
    this.#serving += 1;
    try {
      return await this.#options.serve(call);
    } catch {
      return problem(500, 'internal', 'The other side failed to carry out the call.', "Look into that side's log.");
    } finally {
      this.#serving -= 1;
    }
  }
}

/** Reads a frame; null when it is none. */
export function readFrame(text: string): Frame | null {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = frameSchema.safeParse(data);
  return parsed.success ? parsed.data : null;
}

/** The id of a call that could not be read otherwise; null: it is no such thing. */
function unreadId(text: string): number | null {
  try {
    const parsed = unreadSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.id : null;
  } catch {
    return null;
  }
}

const unreadSchema = z.object({ t: z.literal('call'), id: z.number().int().min(1) });

const headTooLarge = (): WireAnswer =>
  problem(
    431,
    'head_too_large',
    `The address or a header of the call has more than ${String(HEAD_CHARS_MAX)} characters.`,
    'Put long texts into the body.',
  );

/** The same shape as errors of the runner over HTTP have. */
export function problem(status: number, code: string, message: string, next: string): WireAnswer {
  return { status, type: 'application/json', body: JSON.stringify({ error: { code, message, next } }), next: null };
}

function fitting(id: number, answer: WireAnswer): string {
  const text = JSON.stringify({ t: 'answer', id, ...answer } satisfies Frame);
  if (text.length * 3 <= FRAME_BYTES_MAX || bytes(text) <= FRAME_BYTES_MAX) return text;
  const tooLarge = problem(413, 'answer_too_large', 'The answer does not fit into one frame.', 'Ask for less.');
  return JSON.stringify({ t: 'answer', id, ...tooLarge } satisfies Frame);
}

const bytes = (text: string): number => new TextEncoder().encode(text).length;

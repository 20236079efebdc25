import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { WebSocket } from 'ws';

import {
  FRAME_BYTES_MAX,
  HANDSHAKE_MS,
  NONCE_HEADER,
  PROOF_SCHEME,
  PROTOCOL_HEADER,
  RUNNER_HEADER,
  type WireAnswer,
  type WireCall,
} from '../api/contract/frames.ts';
import { PROTOCOL_VERSION, protocolRange } from '../api/contract/protocol.ts';
import { Link, readFrame } from '../api/contract/link.ts';
import { type Greeting, newNonce, prove, type RunnerToken, sameText } from '../api/contract/runner-auth.ts';
import type { Log } from '../ports/log.ts';
import { pause } from './clock.ts';
import { textOf, watchLife } from './sockets.ts';
import { errorText } from './text.ts';

/** Waits between tries: first and cap. Each is between half of it and the whole, so that a fleet does not come at once. */
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 30_000;
/** A connection that held this long was a good one: the next wait is the first again. */
const STABLE_AFTER_MS = 60_000;

export interface DialOptions {
  readonly url: string;
  /** Read at each try: it may have been rotated. */
  readonly token: () => Promise<RunnerToken>;
  readonly serve: (call: WireCall) => Promise<WireAnswer>;
  /** Told of each proven connection, and with null of its end. */
  readonly onLink: (link: Link | null) => void;
  readonly log: Log;
}

/** Characters of a stranger's header that are shown. */
const SHOWN_MAX = 20;

/** The town, or something on the way to it, refuses this runner; waiting alone does not help. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/** Keeps one proven connection to the town, for as long as it takes. Answers a function that ends it. */
export function dial(options: DialOptions): () => Promise<void> {
  const ended = new AbortController();
  const work = run(options, ended.signal);
  return () => {
    ended.abort();
    return work;
  };
}

async function run(options: DialOptions, ended: AbortSignal): Promise<void> {
  let waitMs = RETRY_MS_MIN;
  let said = '';
  while (!ended.aborted) {
    const beganAtMs = performance.now();
    const problem = await connect(options, ended).catch((error: unknown) => error);
    if (ended.aborted) return;
    if (performance.now() - beganAtMs > STABLE_AFTER_MS) waitMs = RETRY_MS_MIN;
    const text = errorText(problem);
    // Once per cause: a town that is away for a weekend must not fill the disk.
    if (text !== said)
      options.log[problem instanceof Refused ? 'error' : 'warn']('no connection to the town', { cause: text });
    said = text;
    await pause(waitMs / 2 + Math.random() * (waitMs / 2), ended);
    waitMs = Math.min(waitMs * 2, RETRY_MS_MAX);
  }
}

/** One connection from dial to end. Errors: why it ended. */
async function connect(options: DialOptions, ended: AbortSignal): Promise<never> {
  const token = await options.token();
  const about: Greeting = {
    town: token.town,
    runner: token.runner,
    runnerNonce: newNonce((count) => randomBytes(count)),
    townNonce: '',
  };
  const hello = await prove(token.verifier, 'hello', about);
  const socket = new WebSocket(connectUrl(options.url, token.town), {
    headers: {
      authorization: `${PROOF_SCHEME} ${hello}`,
      [RUNNER_HEADER]: token.runner,
      [NONCE_HEADER]: about.runnerNonce,
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    },
    maxPayload: FRAME_BYTES_MAX,
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
  });
  return new Promise((_resolve, reject) => {
    new Session(options, socket, { verifier: token.verifier, about }).follow(ended, reject);
  });
}

/** A connection's life: greeting, then frames, watched by pings. */
class Session {
  readonly #options: DialOptions;
  readonly #socket: WebSocket;
  readonly #secret: { readonly verifier: string; readonly about: Greeting };
  #link: Link | null = null;
  #greeting = false;
  /** What this town wants to hear as a sign of life instead of pings; the same comes back. */
  #beat: string | null = null;

  constructor(
    options: DialOptions,
    socket: WebSocket,
    secret: { readonly verifier: string; readonly about: Greeting },
  ) {
    this.#options = options;
    this.#socket = socket;
    this.#secret = secret;
  }

  follow(ended: AbortSignal, over: (error: Error) => void): void {
    const socket = this.#socket;
    let problem: Error | null = null;
    const stop = (): void => {
      socket.terminate();
    };
    ended.addEventListener('abort', stop, { once: true });
    watchLife(socket, () => this.#beat);
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      problem = refusal(response);
      stop();
    });
    socket.on('error', (error) => {
      problem ??= error;
    });
    socket.on('message', (data) => {
      this.#receive(textOf(data)).catch((error: unknown) => {
        problem = error instanceof Error ? error : new Error(String(error));
        stop();
      });
    });
    socket.on('close', (code, reason) => {
      ended.removeEventListener('abort', stop);
      if (this.#link !== null) {
        this.#link.end('the connection was cut');
        this.#options.onLink(null);
      }
      over(problem ?? endOf(code, String(reason)));
    });
  }

  async #receive(text: string): Promise<void> {
    if (this.#link !== null) {
      if (text !== this.#beat) this.#link.receive(text);
      return;
    }
    if (this.#greeting) throw new Refused('the town sent a frame before the greeting was over');
    this.#greeting = true;
    await this.#greet(text);
  }

  /** The town proves that it knows the secret; only then it gets the last proof, and its calls are carried out. */
  async #greet(text: string): Promise<void> {
    const frame = readFrame(text);
    if (frame?.t !== 'welcome') throw new Refused('what answers at this address is not a town');
    const about = { ...this.#secret.about, townNonce: frame.nonce };
    if (!(await sameText(frame.proof, await prove(this.#secret.verifier, 'welcome', about))))
      throw new Refused('what answers at this address does not know the secret of this runner: it is not the town');
    this.#beat = frame.beat ?? null;
    const socket = this.#socket;
    this.#link = new Link({
      send: (frameText) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(frameText);
      },
      serve: this.#options.serve,
      abort: () => {
        socket.terminate();
      },
      after: (ms, work) => {
        const timer = setTimeout(work, ms);
        timer.unref();
        return () => {
          clearTimeout(timer);
        };
      },
    });
    socket.send(JSON.stringify({ t: 'ready', proof: await prove(this.#secret.verifier, 'ready', about) }));
    this.#options.log.info('connected to the town', { runner: about.runner });
    this.#options.onLink(this.#link);
  }
}

/** A town that ends a line with this code says why, and what to do. */
const NOT_ALLOWED = 1008;
const endOf = (code: number, reason: string): Error =>
  code === NOT_ALLOWED
    ? new Refused(`the town ended the line: ${reason}`)
    : new Error(`closed by the other side (${String(code)} ${reason})`);

function refusal(response: IncomingMessage): Error {
  const status = response.statusCode ?? 0;
  if (status === 401)
    return new Refused(
      'the town does not know this runner or its token (401): was it removed or rotated? Make a new token with "gt runner rotate <name>" and put it into the token file; it is read again at each try',
    );
  if (status === 426) {
    const theirs = String(response.headers[PROTOCOL_HEADER] ?? 'another one').slice(0, SHOWN_MAX);
    return new Refused(
      `the town speaks protocol ${theirs}, this runner speaks ${protocolRange()} (426): install the same version of gt on both machines`,
    );
  }
  return new Error(`the address answered ${String(status)} instead of a connection`);
}

function connectUrl(base: string, town: string): string {
  const url = new URL(base);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/towns/${encodeURIComponent(town)}/runner/connect`;
  return url.href;
}

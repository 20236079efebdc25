import { createHash } from 'node:crypto';
import { TownError } from '../core/errors.ts';
import type { ErrorKind } from '../core/errors.ts';
import { isOrder } from '../core/tools.ts';
import { townMoved } from '../core/town-moved.ts';
import { isHeld } from '../hosts/node/held-town.ts';
import { brainSocket, readSecrets } from '../hosts/node/town-files.ts';
import type { Town } from '../hosts/node/town-files.ts';
import { sessionDoor } from './agent-rights.ts';
import type { SessionDoor } from './agent-rights.ts';
import { awayText } from './away.ts';
import type { Context } from './context.ts';
import { EXIT, ExitError } from './exit-codes.ts';
import { NoAnswer, NotListening, socketRequest } from './socket-http.ts';
import type { SocketAnswer } from './socket-http.ts';

/** A command that lost its connection is sent once more: its idempotency key makes that the same command. */
const POST_TRIES = 2;

/** Told with the status of a town that is busy, and waiting alone ends none of them. */
const AWAY_CODES: ReadonlySet<string> = new Set(['daemon_down', 'brain_away', 'town_moved']);
const KIND_BY_STATUS: Readonly<Record<number, ErrorKind>> = {
  400: 'usage',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  412: 'stale',
  413: 'usage',
  422: 'precondition',
  503: 'busy',
};

/** The town that a command is about, for one that says so itself when its daemon is down. */
export const clientOf = (context: Context): TownClient =>
  new TownClient(context.town(), (text) => {
    context.hint(text);
  });

function once(tell: (text: string) => void): (text: string) => void {
  let isTold = false;
  return (text) => {
    if (!isTold) tell(text);
    isTold = true;
  };
}

export interface Reply {
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/**
 * A town's API for commands: over the daemon's socket, and for reading, when no daemon runs, in this process on the
 * databases opened read-only. Errors: those of the API; `daemon_down`, `no_answer`.
 */
export class TownClient {
  readonly #town: Town;
  readonly #token: string;
  readonly #session: SessionDoor | null;
  readonly #tellAway: (text: string) => void;
  #isAway = false;

  /** `tellAway` hears once that what is read is what was recorded last. */
  constructor(town: Town, tellAway: (text: string) => void = () => {}) {
    this.#town = town;
    this.#tellAway = once(tellAway);
    this.#session = sessionDoor(process.env);
    this.#token = this.#session?.token ?? town.remote?.token ?? readSecrets(town.paths).owner;
  }

  /** Whether the latest answer came from the databases, because no daemon answered. */
  get isAway(): boolean {
    return this.#isAway;
  }

  async get<T>(path: string): Promise<T> {
    return JSON.parse((await this.read(path)).text) as T;
  }

  /** A GET whose answer is not JSON, or whose headers matter. */
  async read(path: string): Promise<Reply> {
    try {
      const answer = await this.#send('GET', path);
      this.#isAway = false;
      return checked(answer);
    } catch (error) {
      if (!(error instanceof NotListening) || this.#session !== null) throw noAnswer(error);
      if (this.#town.remote !== undefined) throw townUnreachable(this.#town.remote.url, error);
      this.#isAway = true;
      this.#tellAway(awayText(this.#town));
      return this.#readHere(path);
    }
  }

  /**
   * The frames of a stream until it ends, from `lastEventId` on. Needs the daemon.
   * Errors: those of the API; `NotListening` while no daemon is there.
   */
  async *frames<T>(path: string, lastEventId: string | null): AsyncGenerator<T, void> {
    const { NoStream, readEvents } = await import('./event-stream.ts');
    const at = this.#session ?? this.#town.remote ?? { socketPath: brainSocket(this.#town.identity) };
    try {
      for await (const event of readEvents({ at, path: this.#pathOf(path), token: this.#token, lastEventId }))
        yield JSON.parse(event.data) as T;
    } catch (error) {
      throw error instanceof NoStream ? errorOf(error) : error;
    }
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('POST', path, body);
  }

  async send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const headers = { 'idempotency-key': this.#key(path, body) };
    for (let tries = 1; ; tries += 1) {
      try {
        const sent = body === undefined ? { headers } : { body: JSON.stringify(body), headers };
        return JSON.parse(checked(await this.#send(method, path, sent)).text) as T;
      } catch (error) {
        if (error instanceof NotListening) throw this.#nobody(error);
        const isLost = error instanceof NoAnswer && !error.timedOut;
        if (!isLost || tries >= POST_TRIES) throw noAnswer(error);
      }
    }
  }

  /** A session of the mayor that repeats what a former one gave out gives it out once: the words are the key. */
  #key(path: string, body: unknown): string {
    if (this.#session === null || !isOrder(path)) return globalThis.crypto.randomUUID();
    return createHash('sha256')
      .update(`${path}\n${JSON.stringify(body)}`)
      .digest('hex');
  }

  #nobody(error: NotListening): TownError {
    const { remote } = this.#town;
    if (remote !== undefined) return townUnreachable(remote.url, error);
    return isHeld(this.#town.paths) ? townMoved() : daemonDown();
  }

  async #send(
    method: string,
    path: string,
    extra: { readonly body?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<SocketAnswer> {
    const request = {
      method,
      path: this.#pathOf(path),
      token: this.#token,
      ...extra,
    };
    if (this.#session === null && this.#town.remote !== undefined)
      return (await import('./url-http.ts')).urlRequest(this.#town.remote.url, request);
    const socketPath = this.#session?.socketPath ?? brainSocket(this.#town.identity);
    return socketRequest({ socketPath, ...request });
  }

  #pathOf(path: string): string {
    return this.#session === null ? `/api/v1/towns/_/${path}` : `/town/${path}`;
  }

  async #readHere(path: string): Promise<Reply> {
    const { openReadOnly } = await import('./read-only.ts');
    const app = await openReadOnly(this.#town);
    try {
      const response = await app.fetch(
        new Request(`http://localhost/api/v1/towns/_/${path}`, { headers: { authorization: `Bearer ${this.#token}` } }),
      );
      return checked({ status: response.status, headers: new Map(response.headers), text: await response.text() });
    } finally {
      await app.close();
    }
  }
}

/** Turns an error answer into the error that it is. */
export function checked(answer: SocketAnswer): Reply {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw errorOf(answer);
}

export function errorOf(answer: { readonly status: number; readonly text: string }): TownError {
  const problem = readProblem(answer.text);
  const code = problem('code') ?? 'failed';
  const known = AWAY_CODES.has(code) ? 'unreachable' : KIND_BY_STATUS[answer.status];
  const message = problem('detail') ?? problem('message') ?? `The town answered with status ${String(answer.status)}.`;
  return new TownError(
    known ?? 'internal',
    code,
    { message, next: problem('next') ?? 'Look at "gt daemon logs".' },
    { field: problem('field') ?? undefined },
  );
}

/** Reads text fields at the top of an error body, or under `error`. */
function readProblem(text: string): (key: string) => string | null {
  let data: unknown = null;
  try {
    data = JSON.parse(text);
  } catch {
    // Not JSON: there is nothing to read.
  }
  const inner: unknown = typeof data === 'object' && data !== null && 'error' in data ? data.error : data;
  return (key) => {
    if (typeof inner !== 'object' || inner === null) return null;
    const value: unknown = Reflect.get(inner, key);
    return typeof value === 'string' && value !== '' ? value : null;
  };
}

function daemonDown(): TownError {
  return new TownError('unreachable', 'daemon_down', {
    message: 'The daemon of this town does not run, so nothing was changed.',
    next: 'Start it with "gt up".',
  });
}

function townUnreachable(url: string, error: NotListening): TownError {
  return new TownError('unreachable', 'town_unreachable', {
    message: `Nobody answers at ${url} (${error.message}), so nothing was changed.`,
    next: 'Look whether the town runs, and whether the address and the way to it are right.',
  });
}

function noAnswer(error: unknown): unknown {
  if (!(error instanceof NoAnswer)) return error;
  if (error.timedOut)
    return new ExitError(EXIT.timeout, 'timeout', {
      message: 'The daemon did not answer in time.',
      next: 'Look at "gt daemon logs" and "gt status" before you repeat it.',
    });
  return new TownError('unreachable', 'no_answer', {
    message: 'The daemon ended before it answered; the change may or may not have happened.',
    next: 'Look with "gt status" before you repeat it.',
  });
}

export const segment = (text: string): string => encodeURIComponent(text);

/** `?a=1&b=2` without what is missing. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined);
  return pairs.length === 0
    ? ''
    : `?${pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')}`;
}

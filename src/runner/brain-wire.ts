import { Agent, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

import type { WireAnswer } from '../api/contract/frames.ts';
import { type Link, LinkLost } from '../api/contract/link.ts';
import { readText } from './http/bytes.ts';
import { BODY_START_BYTES_MAX } from './limits.ts';
import { hostOf } from './host-of.ts';

/** The brain did not answer, or answered something that says nothing about the question: ask again later. */
export class BrainAway extends Error {
  override readonly name = 'BrainAway';
}

export interface BrainAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface BrainCall {
  readonly method: string;
  readonly path: string;
  /** An agent's own credential; null for the runner's own calls. */
  readonly authorization: string | null;
  readonly body?: string;
  /** Of a call that is passed on; makes its repeat the same one. */
  readonly idempotencyKey?: string;
  readonly timeoutMs: number;
}

/** The line to the brain: one call, one answer. Errors of `call`: `BrainAway`. */
export interface BrainWire {
  call(call: BrainCall): Promise<BrainAnswer>;
  close(): void;
}

/** HTTP over the daemon's unix socket, or to the town's address; connections are kept. */
export class HttpBrainWire implements BrainWire {
  readonly #to: RequestOptions;
  readonly #secret: () => Promise<string>;
  readonly #tls: boolean;
  readonly #prefix: string;

  /** `secret` is asked at each call: it may have been rotated. */
  constructor(to: { readonly socketPath: string } | { readonly url: string }, secret: () => Promise<string>) {
    const url = 'url' in to ? new URL(to.url) : null;
    this.#tls = url?.protocol === 'https:';
    this.#prefix = url === null ? '' : url.pathname.replace(/\/$/, '');
    const options = { keepAlive: true, maxFreeSockets: 4 };
    const agent = this.#tls ? new TlsAgent(options) : new Agent(options);
    this.#to =
      'socketPath' in to
        ? { socketPath: to.socketPath, agent }
        : { host: url === null ? '' : hostOf(url), port: url?.port ?? '', agent };
    this.#secret = secret;
  }

  async call(call: BrainCall): Promise<BrainAnswer> {
    const authorization = call.authorization ?? `Bearer ${await this.#secret()}`;
    return this.#send(call, authorization);
  }

  close(): void {
    if (this.#to.agent instanceof Agent) this.#to.agent.destroy();
  }

  #send(call: BrainCall, authorization: string): Promise<BrainAnswer> {
    return new Promise((resolve, reject) => {
      const away = (cause: unknown): void => {
        reject(new BrainAway('the brain does not answer', { cause }));
      };
      const headers: Record<string, string> = { authorization, accept: 'application/json' };
      if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
      if (call.body !== undefined) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = String(Buffer.byteLength(call.body));
      }
      const path = `${this.#prefix}${call.path}`;
      const options = { ...this.#to, method: call.method, path, headers, timeout: call.timeoutMs };
      const outgoing = (this.#tls ? tlsRequest : request)(options, (incoming) => {
        collect(incoming).then(resolve, away);
      });
      outgoing.on('error', away);
      outgoing.on('timeout', () => {
        outgoing.destroy(new Error('no answer in time'));
      });
      outgoing.end(call.body);
    });
  }
}

async function collect(incoming: IncomingMessage): Promise<BrainAnswer> {
  const body = await readText(incoming, BODY_START_BYTES_MAX);
  return {
    status: incoming.statusCode ?? 0,
    contentType: incoming.headers['content-type'] ?? 'application/json',
    body,
  };
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** Frames over the connection that this runner dialled; while there is none, the brain is away. */
export class LinkBrainWire implements BrainWire {
  #link: Link | null = null;

  set(link: Link | null): void {
    this.#link = link;
  }

  async call(call: BrainCall): Promise<BrainAnswer> {
    const method = METHODS.find((one) => one === call.method);
    if (this.#link === null || method === undefined) throw new BrainAway('there is no connection to the town');
    const { path, authorization, timeoutMs, idempotencyKey: key } = call;
    const about = { method, path, authorization, body: call.body ?? null, ...(key === undefined ? {} : { key }) };
    try {
      return answerOf(await this.#link.call(about, timeoutMs));
    } catch (cause) {
      if (cause instanceof LinkLost) throw new BrainAway(cause.message, { cause });
      throw cause;
    }
  }

  close(): void {
    this.#link = null;
  }
}

const answerOf = (answer: WireAnswer): BrainAnswer => ({
  status: answer.status,
  contentType: answer.type,
  body: answer.body,
});

import { Agent, type IncomingMessage, request } from 'node:http';

import {
  type ConfirmStart,
  type Fact,
  type Verdict,
  verdictSchema,
  type VerdictRequest,
} from '../api/contract/runner.ts';
import { z } from 'zod';

import { readText } from './http/bytes.ts';
import { BODY_START_BYTES_MAX } from './limits.ts';

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
  readonly authorization: string;
  readonly body?: string;
  readonly timeoutMs: number;
}

/** What the brain made of a batch: `refused` when it will never take this batch as it is. */
export type FactsAnswer = { readonly recorded: readonly string[] } | { readonly refused: string };

/** Status codes by which the brain says that the content itself is wrong; all others may change by waiting. */
const CONTENT_REFUSED = new Set([400, 409, 413, 422]);

const recordedSchema = z.object({ recorded: z.array(z.string()) });
const liveSchema = z.object({ live: z.boolean() });

/** The runner's side of the line to the brain: HTTP over its unix socket with connections that are kept. */
export class Brain {
  readonly #socketPath: string;
  readonly #town: string;
  readonly #authorization: string;
  readonly #callMs: number;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 4 });

  constructor(options: {
    readonly socketPath: string;
    readonly town: string;
    readonly secret: string;
    readonly callMs: number;
  }) {
    this.#socketPath = options.socketPath;
    this.#town = options.town;
    this.#authorization = `Bearer ${options.secret}`;
    this.#callMs = options.callMs;
  }

  /** Errors: `BrainAway`. */
  async facts(facts: readonly Fact[]): Promise<FactsAnswer> {
    const answer = await this.#post('facts', { facts }, this.#callMs);
    if (CONTENT_REFUSED.has(answer.status)) return { refused: `${String(answer.status)} ${answer.body.slice(0, 300)}` };
    return parse(recordedSchema, answer);
  }

  /** Whether the attempt is still the live one. Errors: `BrainAway`. */
  async confirm(start: ConfirmStart): Promise<boolean> {
    return parse(liveSchema, await this.#post('confirm', start, this.#callMs)).live;
  }

  /** Errors: `BrainAway`. */
  async verdict(question: VerdictRequest): Promise<Verdict> {
    return parse(verdictSchema, await this.#post('verdict', question, question.waitMs + this.#callMs));
  }

  /** Passes an agent's call on with the agent's own credential. Errors: `BrainAway`. */
  forward(call: {
    readonly method: string;
    readonly pathAndQuery: string;
    readonly authorization: string;
    readonly body: string;
  }): Promise<BrainAnswer> {
    return this.call({
      method: call.method,
      path: `/api/v1/towns/${encodeURIComponent(this.#town)}${call.pathAndQuery}`,
      authorization: call.authorization,
      ...(call.body === '' ? {} : { body: call.body }),
      timeoutMs: 60_000 + this.#callMs,
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  call(call: BrainCall): Promise<BrainAnswer> {
    return new Promise((resolve, reject) => {
      const away = (cause: unknown): void => {
        reject(new BrainAway('the brain does not answer', { cause }));
      };
      const headers: Record<string, string> = { authorization: call.authorization, accept: 'application/json' };
      if (call.body !== undefined) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = String(Buffer.byteLength(call.body));
      }
      const outgoing = request(
        {
          socketPath: this.#socketPath,
          method: call.method,
          path: call.path,
          headers,
          agent: this.#agent,
          timeout: call.timeoutMs,
        },
        (incoming) => {
          collect(incoming).then(resolve, away);
        },
      );
      outgoing.on('error', away);
      outgoing.on('timeout', () => {
        outgoing.destroy(new Error('no answer in time'));
      });
      outgoing.end(call.body);
    });
  }

  #post(verb: string, body: unknown, timeoutMs: number): Promise<BrainAnswer> {
    const path = `/api/v1/towns/${encodeURIComponent(this.#town)}/runner/${verb}`;
    return this.call({
      method: 'POST',
      path,
      authorization: this.#authorization,
      body: JSON.stringify(body),
      timeoutMs,
    });
  }
}

function parse<T>(schema: z.ZodType<T>, answer: BrainAnswer): T {
  if (answer.status !== 200) throw new BrainAway(`the brain answered ${String(answer.status)}`);
  try {
    return schema.parse(JSON.parse(answer.body));
  } catch (cause) {
    throw new BrainAway('the brain answered something unexpected', { cause });
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

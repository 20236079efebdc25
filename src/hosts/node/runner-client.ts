import { Agent, request } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { z } from 'zod';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { PROTOCOL_OLDEST, PROTOCOL_VERSION, protocolRange } from '../../api/contract/protocol.ts';
import type { RunnerHealth } from '../../api/contract/runner-health.ts';
import type {
  AgentMessage,
  AgentReport,
  Job,
  JobAnswer,
  MessageAnswer,
  StartAgent,
  StopAgent,
  StopAnswer,
} from '../../core/facts.ts';
import type { RunnerInstance } from '../../core/model/ids.ts';
import { RunnerRefusal } from '../../ports/runner-client.ts';
import type { RunnerClient } from '../../ports/runner-client.ts';

/** The protocol's bound: the runner answers every call within it. */
export const CALL_TIMEOUT_MS = 10_000;
/** Calls at once: four effects per actor share few connections. */
const CONNECTIONS_MAX = 16;
/** An answer larger than this is not one of ours. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** Statuses by which the runner says no for good, instead of failing. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

export interface Transcript {
  readonly text: string;
  readonly nextOffset: number;
}

/** Loaded with the first answer: at a start there is none yet, and the first turns need not wait for schemas. */
const schemas = async () => ({
  ...(await import('../../api/contract/runner.ts')),
  ...(await import('../../api/contract/runner-health.ts')),
});
type Schemas = Awaited<ReturnType<typeof schemas>>;

/** One call to a runner over any line; rejects when nothing says whether it happened. */
export type RunnerWire = (call: WireCall) => Promise<WireAnswer>;

/** A runner over a line. A refusal is `RunnerRefusal`; anything else thrown means: no answer. */
export class WireRunnerClient implements RunnerClient {
  readonly #wire: RunnerWire;
  readonly #instance: () => RunnerInstance | null;

  constructor(wire: RunnerWire, instance: () => RunnerInstance | null) {
    this.#wire = wire;
    this.#instance = instance;
  }

  instance(): RunnerInstance | null {
    return this.#instance();
  }

  /** Errors: also when the runner speaks a protocol that this side does not. */
  async health(): Promise<RunnerHealth> {
    const health = await this.#ask((is) => is.runnerHealthSchema, 'GET', '/health');
    if (health.protocol >= PROTOCOL_OLDEST && health.protocol <= PROTOCOL_VERSION) return health;
    throw new Error(
      `the runner (process ${String(health.pid)}) speaks protocol ${String(health.protocol)}, this daemon speaks ${protocolRange()}: run the same version of gt on both sides`,
    );
  }

  async start(start: StartAgent): Promise<void> {
    await this.#ask((is) => is.startAnswerSchema, 'POST', '/agents', start);
  }

  async report(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    const answer = await this.#call('GET', `/agents?ids=${attempts.map(encodeURIComponent).join(',')}`);
    const data: unknown = JSON.parse(answer.body);
    if (typeof data !== 'object' || data === null || !('items' in data))
      throw new Error('the runner answered without items');
    const { agentReportSchema } = await schemas();
    return agentReportSchema.array().parse(data.items);
  }

  stop(stop: StopAgent): Promise<StopAnswer> {
    return this.#ask((is) => is.stopAnswerSchema, 'POST', '/agents/stop', stop);
  }

  message(message: AgentMessage): Promise<MessageAnswer> {
    return this.#ask((is) => is.messageAnswerSchema, 'POST', '/agents/messages', message);
  }

  job(job: Job): Promise<JobAnswer> {
    return this.#ask((is) => is.jobAnswerSchema, 'POST', '/jobs', job);
  }

  async cancelJob(key: string): Promise<void> {
    await this.#ask((is) => is.cancelAnswerSchema, 'POST', '/jobs/cancel', { key });
  }

  async drain(on: boolean, graceMs: number | null): Promise<void> {
    const body = on && graceMs !== null ? { graceMs } : {};
    await this.#ask((is) => is.runnerHealthSchema, 'POST', on ? '/drain' : '/undrain', body);
  }

  /** Stored output of an attempt from a byte offset on; waits up to `waitMs` for the next output of a live one. */
  async transcript(attempt: string, from: number, waitMs = 0): Promise<Transcript> {
    const path = `/agents/${encodeURIComponent(attempt)}/transcript?from=${String(from)}&waitMs=${String(waitMs)}`;
    const answer = await this.#call('GET', path);
    return { text: answer.body, nextOffset: answer.next ?? from + Buffer.byteLength(answer.body) };
  }

  async #ask<S extends z.ZodType>(
    schema: (all: Schemas) => S,
    method: WireCall['method'],
    path: string,
    body?: unknown,
  ): Promise<z.infer<S>> {
    const answer = await this.#call(method, path, body);
    return schema(await schemas()).parse(JSON.parse(answer.body));
  }

  async #call(method: WireCall['method'], path: string, body?: unknown): Promise<WireAnswer> {
    const text = body === undefined ? null : JSON.stringify(body);
    const answer = await this.#wire({ method, path, authorization: null, body: text });
    if (answer.status >= 200 && answer.status < 300) return answer;
    const { code, message } = refusalOf(answer);
    if (REFUSALS.has(answer.status)) throw new RunnerRefusal(code, message);
    throw new Error(`the runner answered ${String(answer.status)}: ${message}`);
  }
}

/** A socket on this machine, or an address. */
export type RunnerPlace = { readonly socketPath: string } | { readonly url: string };

export interface HttpRunnerOptions {
  readonly to: RunnerPlace;
  /** Bearer secret of the direction brain → runner. */
  readonly token: () => Promise<string>;
  readonly instance: () => RunnerInstance | null;
}

/** A runner over HTTP: its unix socket, or its address. */
export class HttpRunnerClient extends WireRunnerClient {
  readonly #agent: Agent;

  constructor(options: HttpRunnerOptions) {
    const { to } = options;
    const isTls = isOverTls(to);
    const settings = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    const agent = isTls ? new TlsAgent(settings) : new Agent(settings);
    super(async (call) => sendHttp({ ...options, agent, token: await options.token() }, call), options.instance);
    this.#agent = agent;
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface HttpLine {
  readonly to: RunnerPlace;
  readonly agent: Agent;
  readonly token: string;
}

const isOverTls = (to: RunnerPlace): boolean => 'url' in to && to.url.startsWith('https:');

/** The client for a place: https only where its address says so. */
export const requestTo = (to: RunnerPlace): typeof request => (isOverTls(to) ? tlsRequest : request);

/** Where a call to a runner goes, as `node:http` wants it. */
export function httpTarget(to: RunnerPlace, path: string): RequestOptions {
  if ('socketPath' in to) return { socketPath: to.socketPath, path };
  const url = new URL(to.url);
  return { host: url.hostname, port: url.port, path: `${url.pathname.replace(/\/$/, '')}${path}` };
}

function sendHttp(line: HttpLine, call: WireCall): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${line.token}`, host: 'runner' };
    if (call.body !== null) headers['content-type'] = 'application/json';
    const outgoing = requestTo(line.to)(
      {
        ...httpTarget(line.to, call.path),
        method: call.method,
        headers,
        agent: line.agent,
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      },
      (incoming) => {
        readAll(incoming).then((body) => {
          const offset = Number(incoming.headers['x-next-offset']);
          resolve({
            status: incoming.statusCode ?? 0,
            type: incoming.headers['content-type'] ?? '',
            body,
            next: Number.isSafeInteger(offset) ? offset : null,
          });
        }, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(call.body ?? undefined);
  });
}

/** Collects a whole body of text, bounded. */
async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads `{code, message}` at the top or under `error`; a runner that says something else still refused. */
function refusalOf(answer: WireAnswer): { readonly code: string; readonly message: string } {
  let data: unknown = null;
  try {
    data = JSON.parse(answer.body);
  } catch {
    // Not JSON: the text itself is the message.
  }
  const inner =
    typeof data === 'object' && data !== null && 'error' in data && typeof data.error === 'object' ? data.error : data;
  const field = (name: string): string | null => {
    if (typeof inner !== 'object' || inner === null) return null;
    const value: unknown = Reflect.get(inner, name);
    return typeof value === 'string' ? value : null;
  };
  return {
    code: field('code') ?? (answer.status === 400 ? 'bad_request' : 'refused'),
    message: field('message') ?? answer.body.slice(0, 400),
  };
}

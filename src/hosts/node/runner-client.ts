import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import {
  agentReportSchema,
  cancelAnswerSchema,
  jobAnswerSchema,
  messageAnswerSchema,
  runnerHealthSchema,
  startAnswerSchema,
  stopAnswerSchema,
} from '../../api/contract/runner.ts';
import type { RunnerHealth } from '../../api/contract/runner.ts';
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
const CALL_TIMEOUT_MS = 10_000;
/** Calls at once: four effects per actor share few connections. */
const CONNECTIONS_MAX = 16;
/** An answer larger than this is not one of ours. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** Statuses by which the runner says no for good, instead of failing. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);

export interface SocketRunnerOptions {
  readonly socketPath: string;
  /** Bearer secret of the direction brain → runner. */
  readonly token: string;
  /** Kept by the supervisor, which watches the process. */
  readonly instance: () => RunnerInstance | null;
}

export interface Transcript {
  readonly text: string;
  readonly nextOffset: number;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

/** The runner beside this daemon, over its unix socket. A refusal is `RunnerRefusal`; anything else thrown means: no answer. */
export class SocketRunnerClient implements RunnerClient {
  readonly #options: SocketRunnerOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  constructor(options: SocketRunnerOptions) {
    this.#options = options;
  }

  instance(): RunnerInstance | null {
    return this.#options.instance();
  }

  async health(): Promise<RunnerHealth> {
    return this.#parse(runnerHealthSchema, await this.#call('GET', '/health'));
  }

  async start(start: StartAgent): Promise<void> {
    this.#parse(startAnswerSchema, await this.#call('POST', '/agents', start));
  }

  async report(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    const answer = await this.#call('GET', `/agents?ids=${attempts.map(encodeURIComponent).join(',')}`);
    const data: unknown = JSON.parse(answer.text);
    if (typeof data !== 'object' || data === null || !('items' in data))
      throw new Error('the runner answered without items');
    return agentReportSchema.array().parse(data.items);
  }

  async stop(stop: StopAgent): Promise<StopAnswer> {
    return this.#parse(stopAnswerSchema, await this.#call('POST', '/agents/stop', stop));
  }

  async message(message: AgentMessage): Promise<MessageAnswer> {
    return this.#parse(messageAnswerSchema, await this.#call('POST', '/agents/messages', message));
  }

  async job(job: Job): Promise<JobAnswer> {
    return this.#parse(jobAnswerSchema, await this.#call('POST', '/jobs', job));
  }

  async cancelJob(key: string): Promise<void> {
    this.#parse(cancelAnswerSchema, await this.#call('POST', '/jobs/cancel', { key }));
  }

  /** Stored output of an attempt from a byte offset on. */
  async transcript(attempt: string, from: number): Promise<Transcript> {
    const answer = await this.#call('GET', `/agents/${encodeURIComponent(attempt)}/transcript?from=${String(from)}`);
    const next = Number(answer.headers['x-next-offset']);
    return { text: answer.text, nextOffset: Number.isSafeInteger(next) ? next : from + Buffer.byteLength(answer.text) };
  }

  close(): void {
    this.#agent.destroy();
  }

  #parse<S extends z.ZodType>(schema: S, answer: Answer): z.infer<S> {
    return schema.parse(JSON.parse(answer.text));
  }

  async #call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await this.#send(method, path, body === undefined ? null : JSON.stringify(body));
    if (answer.status >= 200 && answer.status < 300) return answer;
    const { code, message } = refusalOf(answer);
    if (REFUSALS.has(answer.status)) throw new RunnerRefusal(code, message);
    throw new Error(`the runner answered ${String(answer.status)}: ${message}`);
  }

  #send(method: string, path: string, body: string | null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `Bearer ${this.#options.token}`, host: 'runner' };
      if (body !== null) headers['content-type'] = 'application/json';
      const outgoing = request(
        {
          socketPath: this.#options.socketPath,
          method,
          path,
          headers,
          agent: this.#agent,
          signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
        },
        (incoming) => {
          readAll(incoming).then((text) => {
            resolve({ status: incoming.statusCode ?? 0, text, headers: incoming.headers });
          }, reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body ?? undefined);
    });
  }
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
function refusalOf(answer: Answer): { readonly code: string; readonly message: string } {
  let data: unknown = null;
  try {
    data = JSON.parse(answer.text);
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
    message: field('message') ?? answer.text.slice(0, 400),
  };
}

import type { z } from 'zod';
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
import type { DiffAnswer, DiffRequest } from '../contract/diff.ts';
import type { WireAnswer, WireCall } from '../contract/frames.ts';
import { PROTOCOL_OLDEST, PROTOCOL_VERSION, protocolRange } from '../contract/protocol.ts';
import type { RunnerHealth } from '../contract/runner-health.ts';

/** The protocol's bound: the runner answers every call within it. */
export const CALL_TIMEOUT_MS = 10_000;
/** Statuses by which the runner says no for good, instead of failing. */
const REFUSALS: ReadonlySet<number> = new Set([400, 409, 422]);
const NOT_FOUND = 404;
/** Attempts in one question: their ids must fit into the path of a frame. */
const REPORTS_AT_ONCE_MAX = 100;

export interface Transcript {
  readonly text: string;
  readonly nextOffset: number;
}

/** Loaded with the first answer: at a start there is none yet, and the first turns need not wait for schemas. */
const schemas = async () => ({
  ...(await import('../contract/runner.ts')),
  ...(await import('../contract/runner-health.ts')),
  ...(await import('../contract/diff.ts')),
});
type Schemas = Awaited<ReturnType<typeof schemas>>;

/** One call to a runner over any line; rejects when nothing says whether it happened. */
export type RunnerWire = (call: WireCall) => Promise<WireAnswer>;

/** A runner over a line. A refusal is `RunnerRefusal`; anything else thrown means: no answer. */
export class WireRunnerClient implements RunnerClient {
  readonly #wire: RunnerWire;
  readonly #instance: () => RunnerInstance | null;
  readonly #heard: (health: RunnerHealth) => void;

  /** `heard`: told of each answer to `health`, whoever asked. */
  constructor(
    wire: RunnerWire,
    instance: () => RunnerInstance | null,
    heard: (health: RunnerHealth) => void = () => undefined,
  ) {
    this.#wire = wire;
    this.#instance = instance;
    this.#heard = heard;
  }

  instance(): RunnerInstance | null {
    return this.#instance();
  }

  /** Errors: also when the runner speaks a protocol that this side does not. */
  async health(): Promise<RunnerHealth> {
    const health = await this.#ask((is) => is.runnerHealthSchema, 'GET', '/health');
    if (health.protocol >= PROTOCOL_OLDEST && health.protocol <= PROTOCOL_VERSION) {
      this.#heard(health);
      return health;
    }
    throw new Error(
      `the runner (process ${String(health.pid)}) speaks protocol ${String(health.protocol)}, this town speaks ${protocolRange()}: run the same version of gt on both sides`,
    );
  }

  async start(start: StartAgent): Promise<void> {
    await this.#ask((is) => is.startAnswerSchema, 'POST', '/agents', start);
  }

  async report(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    const reports: AgentReport[] = [];
    for (let from = 0; from < attempts.length; from += REPORTS_AT_ONCE_MAX)
      reports.push(...(await this.#reports(attempts.slice(from, from + REPORTS_AT_ONCE_MAX))));
    return reports;
  }

  /** A report that a newer runner says in words unknown here is left out: of all others we know. */
  async #reports(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    const answer = await this.#call('GET', `/agents?ids=${attempts.map(encodeURIComponent).join(',')}`);
    const data: unknown = JSON.parse(answer.body);
    if (typeof data !== 'object' || data === null || !('items' in data) || !Array.isArray(data.items))
      throw new Error('the runner answered without items');
    const { agentReportSchema } = await schemas();
    return data.items.flatMap((item: unknown) => {
      const read = agentReportSchema.safeParse(item);
      return read.success ? [read.data] : [];
    });
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

  /** An older runner has no such call, and lets the job end by itself. */
  async cancelJob(key: string): Promise<void> {
    try {
      await this.#ask((is) => is.cancelAnswerSchema, 'POST', '/jobs/cancel', { key });
    } catch (error) {
      if (!(error instanceof NoSuchCall)) throw error;
    }
  }

  async drain(on: boolean, graceMs: number | null): Promise<void> {
    const body = on && graceMs !== null ? { graceMs } : {};
    await this.#ask((is) => is.runnerHealthSchema, 'POST', on ? '/drain' : '/undrain', body);
  }

  /** What a piece of work changes. */
  diff(request: DiffRequest): Promise<DiffAnswer> {
    return this.#ask((is) => is.diffAnswerSchema, 'POST', '/diff', request);
  }

  /** Stored output of an attempt from a byte offset on; waits up to `waitMs` for the next output of a live one. */
  async transcript(attempt: string, from: number, waitMs = 0): Promise<Transcript> {
    const path = `/agents/${encodeURIComponent(attempt)}/transcript?from=${String(from)}&waitMs=${String(waitMs)}`;
    const answer = await this.#call('GET', path);
    return { text: answer.body, nextOffset: answer.next ?? from + new TextEncoder().encode(answer.body).length };
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
    const said = `the runner answered ${String(answer.status)}: ${message}`;
    throw answer.status === NOT_FOUND ? new NoSuchCall(said) : new Error(said);
  }
}

/** The runner, of another version, does not have this call. */
class NoSuchCall extends Error {
  override readonly name = 'NoSuchCall';
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

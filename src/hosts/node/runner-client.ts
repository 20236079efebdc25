import { Agent, request } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { CALL_TIMEOUT_MS, WireRunnerClient } from '../../api/lines/wire-runner-client.ts';
import type { RunnerInstance } from '../../core/model/ids.ts';
import { hostOf } from '../../runner/host-of.ts';

/** Calls at once: four effects per actor share few connections. */
const CONNECTIONS_MAX = 16;
/** An answer larger than this is not one of ours. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
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
  readonly #sender: HttpSender;

  constructor(options: HttpRunnerOptions) {
    const sender = new HttpSender(options.to);
    super(async (call) => sender.send(await options.token(), call), options.instance);
    this.#sender = sender;
  }

  close(): void {
    this.#sender.close();
  }
}

/** Sends calls to one place; connections are kept. */
export class HttpSender {
  readonly #to: RunnerPlace;
  readonly #agent: Agent;

  constructor(to: RunnerPlace) {
    const settings = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.#to = to;
    this.#agent = isOverTls(to) ? new TlsAgent(settings) : new Agent(settings);
  }

  /** Errors: it does not answer in time, or too much. */
  send(token: string, call: WireCall): Promise<WireAnswer> {
    return sendHttp({ to: this.#to, agent: this.#agent, token }, call);
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
  return { host: hostOf(url), port: url.port, path: `${url.pathname.replace(/\/$/, '')}${path}` };
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

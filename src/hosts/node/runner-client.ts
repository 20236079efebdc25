import { Agent, request } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { CALL_TIMEOUT_MS, WireRunnerClient } from '../../api/lines/wire-runner-client.ts';
import type { RunnerInstance } from '../../core/model/ids.ts';
import { hostOf } from '../../runner/sockets.ts';

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

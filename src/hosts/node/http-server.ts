import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { PRIVATE_MODE } from './atomic-file.ts';
import { answerBroken } from './broken-request.ts';

/** Requests that are under way at a stop get this long to finish. */
const CLOSE_WAIT_MS = 3_000;
/** Longer than the runner's long poll for a verdict (60 s). */
const REQUEST_TIMEOUT_MS = 90_000;
/** Kept connections of agents and the CLI. */
const KEEP_ALIVE_MS = 65_000;

export interface Listener {
  /** `http://127.0.0.1:<port>`, or null on a unix socket. */
  readonly url: string | null;
  /** For connections that are no plain requests. */
  readonly server: Server;
  close(): Promise<void>;
}

/** `env` has Node's own request and answer, for an answer that stays open. */
type Fetch = (request: Request, env?: object) => Response | Promise<Response>;

/** Serves on a unix socket that only this user can open; replaces the socket of a dead process. */
export async function listenOnSocket(fetch: Fetch, path: string): Promise<Listener> {
  rmSync(path, { force: true });
  const server = makeServer(fetch);
  await listening(server, () => server.listen(path));
  chmodSync(path, PRIVATE_MODE);
  return {
    url: null,
    server,
    close: async () => {
      await closed(server);
    },
  };
}

/** Serves on a loopback port: the one that is wished for if nobody has it, else a free one. */
export async function listenOnLoopback(fetch: Fetch, wish = 0): Promise<Listener> {
  let server = makeServer(fetch);
  try {
    await listening(server, () => server.listen({ host: '127.0.0.1', port: wish }));
  } catch (error) {
    if (wish === 0) throw error;
    server = makeServer(fetch);
    await listening(server, () => server.listen({ host: '127.0.0.1', port: 0 }));
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    server,
    close: async () => {
      await closed(server);
    },
  };
}

const RUNNER_PATHS = /^\/(?:livez$|api\/v1\/towns\/[^/]+\/(?:runner|agent)\/)/;

/** Serves runners on a network address: their calls and those of their agents, nothing of the owner's. */
export async function listenForRunners(
  fetch: Fetch,
  at: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const server = makeServer((request) =>
    RUNNER_PATHS.test(new URL(request.url).pathname) ? fetch(request) : new Response(null, { status: 404 }),
  );
  await listening(server, () => server.listen(at));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return {
    url: `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${String(port)}`,
    server,
    close: async () => {
      await closed(server);
    },
  };
}

function makeServer(fetch: Fetch): Server {
  const listener = getRequestListener((request, env) => fetch(request, env));
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    (incoming, outgoing) => {
      void listener(incoming, outgoing);
    },
  );
  answerBroken(server);
  return server;
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}

/** Takes no more connections, lets the present requests end, then cuts what is left. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, CLOSE_WAIT_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

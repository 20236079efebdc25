import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { RunnerService } from '../service.ts';
import { agentRoute } from './agent-routes.ts';
import { brainRoute } from './brain-routes.ts';
import { sendError } from './wire.ts';

/** Idle connections of the brain and of agents stay open; the next call saves the connect. */
const KEEP_ALIVE_MS = 60_000;

/** Listens on the town's runner socket. A socket file that is there is a dead predecessor's: the lock proves it. */
export async function listen(service: RunnerService): Promise<Server> {
  const path = service.ctx.paths.runnerSocket;
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    void route(service, request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
  chmodSync(path, 0o600);
  return server;
}

async function route(service: RunnerService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { pathname } = new URL(request.url ?? '/', 'http://runner');
    await (pathname.startsWith('/agent/')
      ? agentRoute(service.ctx, request, response)
      : brainRoute(service, request, response));
  } catch (error) {
    sendError(response, error);
  }
}

/** A fake code host on loopback: GitHub's or GitLab's API before one state machine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ForgeSite } from '../../../src/core/model/pull-request.ts';
import type { BareGit } from './bare-git.ts';
import { FakeForge, Refused } from './fake-forge.ts';
import { type Answer, Faults, instead, send } from './faults.ts';
import { type Asked, FAKE_PROJECT, FAKE_TOKEN } from './wire.ts';
import { answerGithub } from './github.ts';
import { answerGitlab } from './gitlab.ts';

export interface Call {
  readonly method: string;
  readonly path: string;
  status: number;
}

export interface ForgeServer {
  readonly forge: FakeForge;
  readonly faults: Faults;
  readonly site: ForgeSite;
  /** Everything that was asked, in order. */
  readonly calls: readonly Call[];
  /** Calls that cost something of the rate. */
  cost(): number;
  close(): Promise<void>;
}

export async function forgeServer(kind: ForgeSite['kind'], git: BareGit): Promise<ForgeServer> {
  const forge = new FakeForge(git);
  forge.rules.closesWithBranch = kind === 'github';
  const faults = new Faults();
  const calls: Call[] = [];
  const answer = kind === 'github' ? answerGithub : answerGitlab;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://forge');
    const asked: Asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: await bodyOf(request),
      header: (name) => (Array.isArray(request.headers[name]) ? request.headers[name][0] : request.headers[name]),
    };
    const call: Call = { method: asked.method, path: asked.path, status: 0 };
    calls.push(call);
    const fault = faults.take(asked.method, asked.path);
    if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    const spoilt = instead(fault, request.headers.authorization ?? '');
    if (spoilt === 'cut') {
      response.destroy();
      return;
    }
    const said = spoilt ?? (await judged(forge, asked, answer));
    call.status = said.status;
    send(response, said, fault);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      send(response, { status: 599, body: { message: String(error) } }, null);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    forge,
    faults,
    calls,
    site: { kind, apiUrl: `http://127.0.0.1:${String(port)}`, project: FAKE_PROJECT, token: 'env:FORGE_TOKEN' },
    cost: () => calls.filter((call) => call.status !== 304).length,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function judged(
  forge: FakeForge,
  asked: Asked,
  answer: (forge: FakeForge, asked: Asked) => Answer | Promise<Answer>,
): Promise<Answer> {
  const token = asked.header('authorization')?.replace(/^(token|bearer) /i, '');
  if (token !== FAKE_TOKEN) return { status: 401, body: { message: 'Bad credentials' } };
  forge.sync();
  try {
    return await answer(forge, asked);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { status: error.status, body: { message: error.message } };
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part as Uint8Array));
  const text = Buffer.concat(parts).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}

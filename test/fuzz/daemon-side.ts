/** A real daemon with its runner, over HTTP on the port that browsers use. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSecrets } from '../../src/hosts/node/town-files.ts';
import { killNow, markedProcesses, serversOf, sleep } from '../support/processes.ts';
import { callTown, gtDaemon, makeTown, startDaemonProcess } from '../support/real-town.ts';
import type { Document } from './document.ts';
import type { Reply } from './judge.ts';
import { learnPool, Pool, type Side, type WireRequest } from './side.ts';

const READY_WAIT_MS = 60_000;
/** So long without a commit of any database means that nothing goes on. */
const QUIET_MS = 40;
const QUIET_LOOKS_MAX = 100;
/** Accepted calls after which the pool is learnt again. */
const CALLS_A_LOOK = 25;

/** Sees whether any database had a commit, without reading a row. */
class Commits {
  readonly #folder: string;
  readonly #open = new Map<string, DatabaseSync>();
  #seen = '';

  constructor(folder: string) {
    this.#folder = folder;
  }

  now(): string {
    // Not whatever lies below: clones and worktrees come and go meanwhile.
    const names = ['', 'rigs'].flatMap((part) =>
      readdirSync(join(this.#folder, part))
        .filter((name) => name.endsWith('.db') && name !== 'runner.db')
        .map((name) => join(part, name)),
    );
    return names
      .map((name) => {
        const db = this.#open.get(name) ?? new DatabaseSync(join(this.#folder, name), { readOnly: true });
        this.#open.set(name, db);
        return `${name} ${String(db.prepare('PRAGMA data_version').get()?.['data_version'])}`;
      })
      .join(' ');
  }

  mark(): void {
    this.#seen = this.now();
  }

  get moved(): boolean {
    return this.now() !== this.#seen;
  }

  close(): void {
    for (const db of this.#open.values()) db.close();
  }
}

/** Node's client leaves it out for some methods, and the body would be taken for the next request. */
const lengthOf = (body: string | null): Readonly<Record<string, string>> =>
  body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };

export async function daemonSide(): Promise<Side & { readonly port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-fuzz-'));
  const rigs = ['api', 'web'].map((name) => ({ name, files: { 'a.txt': 'one\n' }, gate: null, command: 'true' }));
  const made = await makeTown(folder, rigs);
  const { town } = made;
  const daemon = await startDaemonProcess(town, gtDaemon(town), READY_WAIT_MS);
  const secrets = readSecrets(town.paths);
  const { url } = JSON.parse(readFileSync(town.paths.endpointFile, 'utf8')) as { url: string };
  const { host, port } = new URL(url);
  const agent = new Agent({ keepAlive: true });
  const commits = new Commits(join(town.paths.root, '.gastown'));
  const pool = new Pool();
  let rests = 0;

  const send = ({ method, path, headers, body }: WireRequest): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const call = request(
        `${url}${path}`,
        { method, headers: { ...headers, ...lengthOf(body), host }, agent },
        (answer) => {
          const type = answer.headers['content-type'] ?? '';
          const status = answer.statusCode ?? 0;
          if (type.startsWith('text/event-stream')) {
            answer.destroy();
            resolve({ status, type, text: '' });
            return;
          }
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => (text += part));
          answer.on('end', () => {
            resolve({ status, type, text });
          });
          answer.on('error', reject);
        },
      );
      call.on('error', (error) => {
        reject(daemon.end() === null ? error : new Error(`the daemon ended: ${String(daemon.end())}`));
      });
      call.end(body ?? undefined);
    });
  const quiet = async (): Promise<void> => {
    for (let looks = 0; looks < QUIET_LOOKS_MAX; looks += 1) {
      commits.mark();
      await sleep(QUIET_MS);
      if (!commits.moved) return;
    }
  };
  const learn = async (): Promise<void> => {
    pool.learn(
      await learnPool(
        (path) => send({ method: 'GET', path, headers: { authorization: `Bearer ${secrets.owner}` }, body: null }),
        [],
      ),
    );
  };
  for (const title of ['one', 'two', 'three'])
    await callTown(town, { method: 'POST', path: 'beads', body: { title, rig: 'api', sling: title === 'one' } });
  await callTown(town, { method: 'POST', path: 'convoys', body: { title: 'c', tasks: [{ rig: 'web', title: 'w' }] } });
  await learn();
  await quiet();
  return {
    port: Number(port),
    isAlone: false,
    document: async () =>
      JSON.parse((await send({ method: 'GET', path: '/openapi.json', headers: {}, body: null })).text) as Document,
    send,
    token: (credential) =>
      credential === 'owner' ? secrets.owner : credential === 'runner' ? secrets.brainCalls : null,
    pick: (kind, at) => pool.pick(kind, at),
    changed: () => Promise.resolve(commits.moved),
    rest: async () => {
      rests += 1;
      if (rests % CALLS_A_LOOK === 0) await learn();
      commits.mark();
    },
    quiet,
    close: () => {
      agent.destroy();
      commits.close();
      const failed = daemon.end();
      for (const { pid } of [...serversOf(town.paths.root), ...markedProcesses(town.identity.id)]) killNow(pid);
      rmSync(town.identity.socketDir, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      if (failed !== null) throw new Error(`the daemon ended by itself: ${failed}`);
      return Promise.resolve();
    },
  };
}

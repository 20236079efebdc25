import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { bearerFor, readToken, type RunnerToken } from '../api/contract/runner-auth.ts';
import { precondition, usage } from '../core/errors.ts';
import type { Log } from '../ports/log.ts';
import { HttpBrainWire, LinkBrainWire } from './brain-wire.ts';
import { dial } from './dial.ts';
import { writeAtomic } from './files.ts';
import { brainFrame } from './http/brain-routes.ts';
import { listenForBrain } from './http/server.ts';
import type { RunnerTimings } from './limits.ts';
import { runnerPaths } from './paths.ts';
import { type RunnerHandle, type RunnerHome, startRunnerAt } from './runner.ts';

/** Agents wait for models most of the time. */
const AGENTS_PER_CORE = 2;
/** Characters of the hash that tells runners apart in a folder for sockets. */
const HASH_CHARS = 12;

const identitySchema = z.object({ town: z.string(), runner: z.string() });
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export interface RemoteOptions {
  /** The town's address: `https://…`, or `http://…` on loopback. */
  readonly url: string;
  /** Everything of this runner lies here. */
  readonly dir: string;
  /** The token's text, read at each use: from a file or the environment, never from the command line. */
  readonly token: () => Promise<string>;
  /** The town calls here instead of waiting to be dialled. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  readonly capacity: number | null;
  readonly labels: readonly string[];
  /** Lets the connection go over a network without TLS. */
  readonly insecure: boolean;
  readonly log: Log;
  readonly timings?: Partial<RunnerTimings>;
}

export interface RemoteHandle extends RunnerHandle {
  /** Where it listens, with `listen`. */
  readonly port: number | null;
}

/**
 * A runner on another machine, or in a container: its own folder, clones and agents; one town, reached by dialling out or
 * by listening. Errors: `insecure_url`, `bad_runner_token`, `other_runner`, `runner_running`.
 */
export async function startRemoteRunner(options: RemoteOptions): Promise<RemoteHandle> {
  checkUrl(options);
  const token = await readToken(await options.token());
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const dir = realpathSync(options.dir);
  await claimFolder(dir, token);
  const present = async (): Promise<RunnerToken> => readToken(await options.token());
  const bearer = async (way: 'to-runner' | 'to-town'): Promise<string> => {
    const { verifier, runner } = await present();
    return bearerFor(verifier, runner, way);
  };
  const frames = options.listen === null ? new LinkBrainWire() : null;
  const socketDir = socketFolder(dir);
  const home: RunnerHome = {
    name: token.runner,
    town: { id: token.town, runnerCalls: () => bearer('to-runner') },
    paths: runnerPaths(dir, socketDir),
    socketDir,
    wire: frames ?? new HttpBrainWire({ url: options.url }, () => bearer('to-town')),
    capacity: options.capacity ?? AGENTS_PER_CORE * availableParallelism(),
    labels: options.labels,
  };
  const { handle, service } = await startRunnerAt(home, options);
  let server: Server | null = null;
  let hangUp = (): Promise<void> => Promise.resolve();
  try {
    if (options.listen !== null) server = await listenForBrain(service, options.listen);
  } catch (error) {
    await handle.stop();
    throw error;
  }
  if (frames !== null)
    hangUp = dial({
      url: options.url,
      token: present,
      serve: (call) => brainFrame(service, call),
      onLink: (link) => {
        frames.set(link);
        if (link !== null) service.brainSeen();
      },
      log: options.log,
    });
  return {
    ...handle,
    port: portOf(server),
    stop: async () => {
      // The line stays open until the last facts are told.
      await handle.stop();
      await hangUp();
      server?.closeAllConnections();
      server?.close();
    },
  };
}

function checkUrl(options: RemoteOptions): void {
  let url: URL;
  try {
    url = new URL(options.url);
  } catch {
    throw usage(
      'bad_url',
      `${JSON.stringify(options.url.slice(0, 120))} is no address.`,
      'Use https://host or http://127.0.0.1:port.',
      'town',
    );
  }
  const isPlain = url.protocol === 'http:' || url.protocol === 'ws:';
  if (!isPlain || LOOPBACK.test(url.hostname) || options.insecure) return;
  throw usage(
    'insecure_url',
    `The line to ${url.host} would be readable by everybody on the way: prompts, work and the agents' rights.`,
    'Use https, or a tunnel to loopback ("ssh -L"). In a network that nobody else can read, say --insecure.',
    'town',
  );
}

/** A folder belongs to one runner of one town: another's agents and work would be swept and mixed. */
async function claimFolder(dir: string, token: RunnerToken): Promise<void> {
  const file = join(dir, 'runner.json');
  if (existsSync(file)) {
    const known = identitySchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (known.success && known.data.town === token.town && known.data.runner === token.runner) return;
    throw precondition(
      'other_runner',
      `${dir} belongs to ${known.success ? `runner "${known.data.runner}" of ${known.data.town}` : 'something else'}.`,
      'Give this runner a folder of its own with --dir.',
    );
  }
  await writeAtomic(file, `${JSON.stringify({ town: token.town, runner: token.runner })}\n`);
}

/** Short, for the limit of socket paths, and private. */
function socketFolder(dir: string): string {
  const hash = createHash('sha256').update(dir).digest('hex').slice(0, HASH_CHARS);
  const folder = join(tmpdir(), `gt-${String(process.getuid?.() ?? 0)}-r-${hash}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = statSync(folder);
  if (stat.uid !== (process.getuid?.() ?? stat.uid) || (stat.mode & 0o077) !== 0)
    throw precondition(
      'socket_dir_unsafe',
      `${folder} belongs to another user or is open to others, so agents' calls could be read there.`,
      `Make it private with "chmod 700 ${folder}", or set TMPDIR to a folder of your own.`,
    );
  return folder;
}

/** Reads a token file. Errors: `token_unreadable`, `token_readable`. */
export async function readTokenFile(path: string): Promise<string> {
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw precondition('token_readable', `${path} can be read by other users.`, `Run: chmod 600 ${path}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
      throw precondition(
        'token_unreadable',
        `${path} can't be read.`,
        'Put the token of "gt runner add <name>" into it.',
      );
    throw error;
  }
}

function portOf(server: Server | null): number | null {
  const address = server?.address() ?? null;
  return typeof address === 'object' && address !== null ? address.port : null;
}

/** A real town in a folder of its own, for programs that measure or break it from outside: chaos and bench. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { NoAnswer, NotListening, socketRequest } from '../../src/cli/socket-http.ts';
import { recordRig } from '../../src/hosts/node/rig-record.ts';
import { createTown } from '../../src/hosts/node/town-create.ts';
import { brainSocket, readSecrets, type Town } from '../../src/hosts/node/town-files.ts';
import { sleep } from './processes.ts';

export interface RigPlan {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** A shell command; null for none. */
  readonly gate: string | null;
  /** What the runtime "command" runs. */
  readonly command?: string;
}

export interface RealTown {
  readonly folder: string;
  readonly town: Town;
  /** Bare repositories by rig. */
  readonly remotes: ReadonlyMap<string, string>;
}

const GT_MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const AUTHOR = ['-c', 'user.name=Harness', '-c', 'user.email=harness@localhost'];

/** Runs git and answers its output; throws with its error text. */
export function git(args: readonly string[], cwd?: string): string {
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 });
}

/** Makes a bare repository with one commit, which keeps a log of every change of its branches. */
function makeRemote(folder: string, rig: RigPlan): string {
  const bare = join(folder, `${rig.name}.git`);
  const seed = join(folder, `${rig.name}-seed`);
  for (const [file, text] of Object.entries(rig.files)) {
    mkdirSync(dirname(join(seed, file)), { recursive: true });
    writeFileSync(join(seed, file), text);
  }
  git(['init', '-q', '--bare', '-b', 'main', bare]);
  git(['--git-dir', bare, 'config', 'core.logAllRefUpdates', 'always']);
  git(['init', '-q', '-b', 'main', seed]);
  git(['add', '-A'], seed);
  git([...AUTHOR, 'commit', '-q', '-m', `Start of ${rig.name}`], seed);
  git(['push', '-q', bare, 'main'], seed);
  return bare;
}

/** A town with its rigs recorded, not started. */
export async function makeTown(folder: string, rigs: readonly RigPlan[]): Promise<RealTown> {
  const remotes = new Map(rigs.map((rig) => [rig.name, makeRemote(folder, rig)]));
  const root = join(folder, 'town');
  const { town } = createTown({ root, name: 'harness', ownerEmail: 'harness@localhost', nowMs: Date.now() });
  for (const rig of rigs) {
    const gates = rig.gate === null ? [] : [{ name: 'check', run: rig.gate }];
    const body = { name: rig.name, url: remotes.get(rig.name) ?? '', polecats_max: 4, gates, command: rig.command };
    await recordRig(body, town.paths, () => Promise.resolve(null));
  }
  return { folder, town, remotes };
}

export interface SpawnedDaemon {
  readonly pid: number;
  /** Resolves with what ended it. */
  readonly ended: Promise<string>;
  /** What ended it, or null while it lives. */
  readonly end: () => string | null;
}

export interface DaemonProcess extends SpawnedDaemon {
  /** Milliseconds from spawn to the first `ready`. */
  readonly readyMs: number;
}

/** How often readiness is asked for. */
const READY_POLL_MS = 3;

/** The daemon as `gt up` starts it. */
export const gtDaemon = (town: Town): readonly string[] => [GT_MAIN, 'daemon', 'run', '--town', town.paths.root];

/** Starts a daemon in the background, by the arguments for Node; its output goes to the daemon's log. */
export function spawnDaemon(town: Town, program: readonly string[]): SpawnedDaemon {
  mkdirSync(town.paths.daemonDir, { recursive: true });
  const output = openSync(town.paths.daemonLog, 'a');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...program], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: town.paths.root,
    env: { ...process.env, GT_DAEMON_BACKGROUND: '1' },
  });
  closeSync(output);
  let end: string | null = null;
  const ended = new Promise<string>((resolve) => {
    child.on('exit', (code, signal) => {
      end = signal ?? `exit code ${String(code)}`;
      resolve(end);
    });
  });
  return { pid: child.pid ?? 0, ended, end: () => end };
}

/** Starts a daemon and waits until it serves. */
export async function startDaemonProcess(
  town: Town,
  program: readonly string[],
  waitMs: number,
): Promise<DaemonProcess> {
  const began = performance.now();
  const daemon = spawnDaemon(town, program);
  while (performance.now() - began < waitMs && daemon.end() === null) {
    if (await isReady(town)) return { ...daemon, readyMs: performance.now() - began };
    await sleep(READY_POLL_MS);
  }
  throw new Error(`the daemon did not come up (${daemon.end() ?? 'no answer in time'}); see ${town.paths.daemonLog}`);
}

async function isReady(town: Town): Promise<boolean> {
  try {
    const answer = await socketRequest({
      socketPath: brainSocket(town.identity),
      method: 'GET',
      path: '/readyz',
      token: '',
      timeoutMs: 2_000,
    });
    return answer.status === 200;
  } catch {
    return false;
  }
}

export interface TownCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  /** The same key is the same command, however often it is sent. */
  readonly key?: string;
}

/** The daemon is not there, or went away before it answered: ask again. */
export class TownAway extends Error {
  override readonly name = 'TownAway';
}

/** One call as the owner. Errors: `TownAway`; anything else is the town's refusal. */
export async function callTown<T>(town: Town, call: TownCall): Promise<T> {
  const answer = await socketRequest({
    socketPath: brainSocket(town.identity),
    method: call.method,
    path: `/api/v1/towns/_/${call.path}`,
    token: readSecrets(town.paths).owner,
    timeoutMs: 10_000,
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    ...(call.key === undefined ? {} : { headers: { 'idempotency-key': call.key } }),
  }).catch((error: unknown) => {
    if (error instanceof NoAnswer || error instanceof NotListening) throw new TownAway(error.message);
    throw error;
  });
  if (answer.status === 503) throw new TownAway(answer.text);
  if (answer.status >= 300) throw new Error(`${call.method} ${call.path}: ${String(answer.status)} ${answer.text}`);
  return JSON.parse(answer.text) as T;
}

/** Repeats a call with its key until somebody answers it, as a careful client does. */
export async function callUntilAnswered<T>(town: Town, call: TownCall, waitMs: number): Promise<T> {
  const until = Date.now() + waitMs;
  for (;;) {
    try {
      return await callTown<T>(town, call);
    } catch (error) {
      if (!(error instanceof TownAway) || Date.now() > until) throw error;
      await sleep(50);
    }
  }
}

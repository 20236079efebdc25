import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { precondition, TownError } from '../../core/errors.ts';
import { readJsonIfThere, writeFileAtomic } from './atomic-file.ts';
import type { RemotePlace } from './remote-place.ts';

/** Only the owner may enter. */
export const PRIVATE_DIR_MODE = 0o700;

/** Where everything of one town lies. */
export interface TownPaths {
  readonly root: string;
  readonly config: string;
  readonly dataDir: string;
  readonly townDb: string;
  readonly mayorDb: string;
  readonly rigsDir: string;
  readonly transcriptsDir: string;
  readonly identity: string;
  readonly secrets: string;
  readonly daemonDir: string;
  readonly daemonLog: string;
  readonly runnerLog: string;
  readonly pidFile: string;
  readonly stateFile: string;
  readonly endpointFile: string;
  readonly lockFile: string;
  readonly desiredFile: string;
}

export function townPaths(root: string): TownPaths {
  const dataDir = join(root, '.gastown');
  const daemonDir = join(root, 'daemon');
  return {
    root,
    config: join(root, 'gastown.toml'),
    dataDir,
    townDb: join(dataDir, 'town.db'),
    mayorDb: join(dataDir, 'mayor.db'),
    rigsDir: join(dataDir, 'rigs'),
    transcriptsDir: join(dataDir, 'transcripts'),
    identity: join(dataDir, 'town.json'),
    secrets: join(dataDir, 'secrets.json'),
    daemonDir,
    daemonLog: join(daemonDir, 'daemon.log'),
    runnerLog: join(daemonDir, 'runner.log'),
    pidFile: join(daemonDir, 'daemon.pid'),
    stateFile: join(daemonDir, 'state.json'),
    endpointFile: join(daemonDir, 'endpoint.json'),
    lockFile: join(daemonDir, 'daemon.lock'),
    desiredFile: join(daemonDir, 'desired.json'),
  };
}

/** Fixed for the life of a town; the runner reads the same file. */
export interface TownIdentity {
  readonly id: string;
  readonly name: string;
  /** Folder of `brain.sock` and `runner.sock`: short, private, outside the town because of the limit of socket paths. */
  readonly socketDir: string;
  readonly createdAtMs: number;
}

/** One secret per direction, so that none opens more than it must. */
export interface TownSecrets {
  readonly owner: string;
  /** The brain shows it to the runner. */
  readonly runnerCalls: string;
  /** The runner shows it to the brain. */
  readonly brainCalls: string;
  /** Signs what attempts may do. */
  readonly capabilityKey: string;
}

export interface Town {
  /** It is at an address; then it has no files here, and asking for them is refused. */
  readonly remote?: RemotePlace;
  readonly paths: TownPaths;
  readonly identity: TownIdentity;
}

export const brainSocket = (identity: TownIdentity): string => join(identity.socketDir, 'brain.sock');
export const runnerSocket = (identity: TownIdentity): string => join(identity.socketDir, 'runner.sock');

/** Walks up from `start` to the folder that has a `gastown.toml`; null when there is none. */
export function findTownRoot(start: string): string | null {
  let folder = resolve(start);
  for (;;) {
    if (existsSync(join(folder, 'gastown.toml'))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}

/**
 * The town that a command means: `--town`, else `GT_TOWN_ROOT`, else the nearest folder upward.
 * Errors: `no_town`, `town_incomplete`.
 */
export function locateTown(flag: string | undefined, env: NodeJS.ProcessEnv, cwd: string): Town {
  const named = flag ?? env['GT_TOWN_ROOT'];
  const root = named === undefined ? findTownRoot(cwd) : resolve(cwd, named);
  if (root === null || !existsSync(join(root, 'gastown.toml'))) {
    const where = root === null ? `in ${cwd} or above it` : `in ${root}`;
    throw precondition(
      'no_town',
      `There is no town ${where}.`,
      'Make one with "gt init <dir>", or name it with --town <dir>.',
    );
  }
  return openTown(realpathSync(root));
}

/** Reads a town's identity. Errors: `town_incomplete`. */
export function openTown(root: string): Town {
  const paths = townPaths(root);
  const data = readJsonIfThere(paths.identity);
  const id = data?.['id'];
  const name = data?.['name'];
  const socketDir = data?.['socketDir'];
  const createdAtMs = data?.['createdAtMs'];
  if (
    typeof id !== 'string' ||
    typeof name !== 'string' ||
    typeof socketDir !== 'string' ||
    typeof createdAtMs !== 'number'
  ) {
    throw precondition(
      'town_incomplete',
      `${paths.identity} is missing or unreadable.`,
      `Run "gt init ${root}" again: it completes what is missing and keeps what is there.`,
    );
  }
  return { paths, identity: { id, name, socketDir, createdAtMs } };
}

/** Errors: `secrets_missing`. */
export function readSecrets(paths: TownPaths): TownSecrets {
  const data = readJsonIfThere(paths.secrets);
  const owner = data?.['owner'];
  const runnerCalls = data?.['runnerCalls'];
  const brainCalls = data?.['brainCalls'];
  const capabilityKey = data?.['capabilityKey'];
  if (
    typeof owner !== 'string' ||
    typeof runnerCalls !== 'string' ||
    typeof brainCalls !== 'string' ||
    typeof capabilityKey !== 'string'
  ) {
    throw precondition(
      'secrets_missing',
      `${paths.secrets} is missing or unreadable.`,
      `Run "gt init ${paths.root}" again: it makes what is missing.`,
    );
  }
  return { owner, runnerCalls, brainCalls, capabilityKey };
}

/** Makes the socket folder and refuses one that others could have put there. Errors: `socket_dir_unsafe`. */
export function ensureSocketDir(identity: TownIdentity): void {
  mkdirSync(identity.socketDir, { recursive: true, mode: PRIVATE_DIR_MODE });
  const stat = statSync(identity.socketDir);
  const uid = process.getuid?.() ?? stat.uid;
  if (stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new TownError('precondition', 'socket_dir_unsafe', {
      message: `${identity.socketDir} belongs to another user or is open to others, so agents' calls could be read there.`,
      next: `Make it private with "chmod 700 ${identity.socketDir}", or set XDG_RUNTIME_DIR before "gt init".`,
    });
  }
}

/** What the owner wants after a reboot. `down` is durable. */
export function readDesired(paths: TownPaths): 'up' | 'down' {
  return readJsonIfThere(paths.desiredFile)?.['state'] === 'down' ? 'down' : 'up';
}

export function writeDesired(paths: TownPaths, state: 'up' | 'down'): void {
  mkdirSync(paths.daemonDir, { recursive: true });
  writeFileAtomic(paths.desiredFile, `${JSON.stringify({ state })}\n`);
}

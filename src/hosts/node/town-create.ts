import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usage } from '../../core/errors.ts';
import { PRIVATE_MODE, writeFileAtomic } from './atomic-file.ts';
import { openTown, PRIVATE_DIR_MODE, townPaths } from './town-files.ts';
import type { Town, TownIdentity, TownSecrets } from './town-files.ts';

/** Unix socket paths are limited to 108 bytes on Linux and 104 on macOS; the names in the folder need the rest. */
const SOCKET_DIR_CHARS_MAX = 90;
const SOCKET_NAME_CHARS = 12;
/** Characters of the hash that tells towns apart in a shared folder. */
const HASH_CHARS = 12;
/** 256 bits: never guessed. */
const SECRET_BYTES = 32;

export interface CreateTown {
  readonly root: string;
  readonly name: string;
  readonly ownerEmail: string;
  readonly nowMs: number;
}

/** Makes a town's files, each only if it is missing: a half-made town is completed, a whole one left as it is. */
export function createTown(input: CreateTown): { readonly town: Town; readonly created: boolean } {
  mkdirSync(input.root, { recursive: true });
  const root = realpathSync(input.root);
  const paths = townPaths(root);
  const isNew = !existsSync(paths.config);
  mkdirSync(paths.dataDir, { recursive: true, mode: PRIVATE_DIR_MODE });
  mkdirSync(paths.rigsDir, { recursive: true });
  mkdirSync(paths.transcriptsDir, { recursive: true });
  mkdirSync(paths.daemonDir, { recursive: true });
  if (!existsSync(paths.identity)) {
    const identity: TownIdentity = {
      id: `town-${randomBytes(6).toString('hex')}`,
      name: input.name,
      socketDir: chooseSocketDir(root),
      createdAtMs: input.nowMs,
    };
    writeFileAtomic(paths.identity, `${JSON.stringify(identity, null, 2)}\n`);
  }
  if (!existsSync(paths.secrets)) {
    const secrets: TownSecrets = {
      owner: secret(),
      runnerCalls: secret(),
      brainCalls: secret(),
      capabilityKey: secret(),
    };
    writeFileAtomic(paths.secrets, `${JSON.stringify(secrets, null, 2)}\n`, PRIVATE_MODE);
  }
  if (!existsSync(join(root, '.gitignore'))) writeFileAtomic(join(root, '.gitignore'), '.gastown/\ndaemon/\n');
  // Last: its presence makes the folder a town.
  if (isNew) writeFileAtomic(paths.config, firstConfig(input));
  return { town: openTown(root), created: isNew };
}

const secret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

function firstConfig(input: CreateTown): string {
  return [
    '# Configuration of this town. An unknown key is an error, so that a misspelt one never goes unnoticed.',
    '',
    '[town]',
    `name = ${JSON.stringify(input.name)}`,
    `owner_email = ${JSON.stringify(input.ownerEmail)}`,
    '',
    '[daemon]',
    'heartbeat_interval = "60s"',
    '',
    '[defaults]',
    'polecats_max = 4',
    'runtime = "script"',
    '',
  ].join('\n');
}

/** A short folder per town and user. Errors: `socket_path_too_long`. */
export function chooseSocketDir(root: string, env: NodeJS.ProcessEnv = process.env): string {
  const hash = createHash('sha256').update(root).digest('hex').slice(0, HASH_CHARS);
  const uid = String(process.getuid?.() ?? 0);
  const runtimeDir = env['XDG_RUNTIME_DIR'];
  const candidates = [join(tmpdir(), `gt-${uid}-${hash}`), join('/tmp', `gt-${uid}-${hash}`)];
  if (runtimeDir !== undefined && existsSync(runtimeDir)) candidates.unshift(join(runtimeDir, `gt-${hash}`));
  const chosen = candidates.find((folder) => folder.length + SOCKET_NAME_CHARS <= SOCKET_DIR_CHARS_MAX);
  if (chosen === undefined) {
    throw usage(
      'socket_path_too_long',
      'No folder with a short enough path was found for the sockets of this town.',
      'Set XDG_RUNTIME_DIR or TMPDIR to a short folder of your own and try again.',
    );
  }
  return chosen;
}

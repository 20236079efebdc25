import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { precondition } from '../core/errors.ts';

const townSchema = z.object({ id: z.string().min(1).max(200), name: z.string().min(1), socketDir: z.string().min(1) });
const secretsSchema = z.object({ runnerCalls: z.string().min(16), brainCalls: z.string().min(16) });

/** What a running runner needs of its town. */
export interface TownAccess {
  readonly id: string;
  /** Shown by the brain on its calls over HTTP; asked each time, since it may be rotated. */
  readonly runnerCalls: () => Promise<string>;
}

/** What the runner beside the daemon reads of its town. `owner` and `capabilityKey` are not for it and are not kept. */
export interface TownConfig {
  readonly id: string;
  readonly socketDir: string;
  /** Shown by the brain on its calls to us. */
  readonly runnerCalls: string;
  /** Shown by us on our calls to the brain. */
  readonly brainCalls: string;
}

/** Reads the town's files. Errors: `not_a_town`, `bad_town_file`, `secrets_readable`. */
export async function readTownConfig(townRoot: string): Promise<TownConfig> {
  const town = await readJson(join(townRoot, '.gastown', 'town.json'), townSchema);
  const secretsPath = join(townRoot, '.gastown', 'secrets.json');
  const secrets = await readJson(secretsPath, secretsSchema);
  const mode = (await stat(secretsPath)).mode & 0o077;
  if (mode !== 0) {
    throw precondition(
      'secrets_readable',
      `${secretsPath} can be read by other users.`,
      `Run: chmod 600 ${secretsPath}`,
    );
  }
  return { id: town.id, socketDir: town.socketDir, runnerCalls: secrets.runnerCalls, brainCalls: secrets.brainCalls };
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw precondition(
      'not_a_town',
      `${path} can't be read, so this folder is not a town.`,
      'Go to the town\'s folder, or make one with "gt init".',
    );
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw precondition(
      'bad_town_file',
      `${path} does not have the expected content.`,
      'Restore it from a backup, or ask "gt doctor" what is missing.',
    );
  }
}

import { isAbsolute, join } from 'node:path';
import { precondition } from '../../core/errors.ts';
import { parseSettings, type Settings } from '../../settings/settings.ts';
import { readIfThere } from './atomic-file.ts';
import type { TownPaths } from './town-files.ts';

/** The town's file on this machine. */
export interface TownConfig extends Settings {
  readonly logFile: string;
  readonly pidFile: string;
}

/** Reads and checks `gastown.toml`. Errors (all of kind precondition): `no_town`, `bad_config`, `unknown_setting`. */
export function loadConfig(paths: TownPaths, env: NodeJS.ProcessEnv): TownConfig {
  const source = readIfThere(paths.config);
  if (source === null)
    throw precondition('no_town', `There is no ${paths.config}.`, 'Make a town with "gt init <dir>".');
  return parseConfig(source, paths, env);
}

/** Pure form of `loadConfig`. */
export function parseConfig(source: string, paths: TownPaths, env: NodeJS.ProcessEnv): TownConfig {
  const settings = parseSettings(source, paths.config, env);
  const { townRoot, logFile, pidFile } = settings.places;
  refuseOtherRoot(townRoot, paths);
  return {
    ...settings,
    logFile: within(paths.root, logFile, paths.daemonLog),
    pidFile: within(paths.root, pidFile, paths.pidFile),
  };
}

/** A configuration that was copied from another town names its folder: then it is not this town's. */
function refuseOtherRoot(townRoot: string | undefined, paths: TownPaths): void {
  if (townRoot === undefined || within(paths.root, townRoot, paths.root) === paths.root) return;
  throw precondition(
    'bad_config',
    `${paths.config}: daemon.town_root is ${townRoot}, but the town is in ${paths.root}.`,
    'Remove that setting, or correct it.',
  );
}

function within(root: string, path: string | undefined, fallback: string): string {
  if (path === undefined) return fallback;
  return isAbsolute(path) ? path : join(root, path);
}

/** Where the value of a setting comes from, of a town on this machine. */
import { readFileSync } from 'node:fs';
import * as text from '../../settings/explain.ts';
import { loadConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

type Explained = text.Explained;

/** The file's text, when it is a valid one. Errors: those of `loadConfig`. */
function source(paths: TownPaths, env: NodeJS.ProcessEnv): string {
  loadConfig(paths, env);
  return readFileSync(paths.config, 'utf8');
}

export const explainKey = (paths: TownPaths, key: string, env: NodeJS.ProcessEnv): Explained =>
  text.explainKey(source(paths, env), key, env);

/** All settings of one section that have a value. */
export const explainSection = (paths: TownPaths, section: string, env: NodeJS.ProcessEnv): readonly Explained[] =>
  text.explainSection(source(paths, env), section, env);

/** Everything that the file says, as what holds. */
export const explainAll = (paths: TownPaths, env: NodeJS.ProcessEnv): readonly Explained[] =>
  text.explainAll(source(paths, env), env);

import { readFileSync } from 'node:fs';
import { changedText, droppedText, type SettingChange } from '../../settings/change-text.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { parseConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** Writes the changes into `gastown.toml`, all or none. Errors: `config_not_editable`, those of `parseConfig`. */
export function changeSettings(paths: TownPaths, changes: readonly SettingChange[], env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  parseConfig(before, paths, env);
  replaceChecked(paths, changedText(before, changes, paths.config), env);
}

/** Takes a section and those below it away. Nothing happens when it is not there. */
export function dropSection(paths: TownPaths, section: readonly string[], env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  const after = droppedText(before, section, paths.config);
  if (after !== null) replaceChecked(paths, after, env);
}

function replaceChecked(paths: TownPaths, text: string, env: NodeJS.ProcessEnv): void {
  parseConfig(text, paths, env);
  writeFileAtomic(paths.config, text);
}

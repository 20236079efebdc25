import { readFileSync } from 'node:fs';
import { changedText, droppedText, type SettingChange } from '../../settings/change-text.ts';
import { writeFileAtomic } from './atomic-file.ts';
import type { MustTake } from './must-take.ts';
import { parseConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** Who checks what the file says: the parser with this environment, and the town itself. */
export interface Checks {
  readonly env: NodeJS.ProcessEnv;
  readonly mustTake: MustTake;
}

/**
 * Writes the changes into `gastown.toml`, all or none. Errors: `config_not_editable`, those of `parseConfig` and of
 * `mustTake`.
 */
export function changeSettings(paths: TownPaths, changes: readonly SettingChange[], checks: Checks): void {
  const before = readFileSync(paths.config, 'utf8');
  parseConfig(before, paths, checks.env);
  const text = changedText(before, changes, paths.config);
  checks.mustTake(parseConfig(text, paths, checks.env).rigs);
  writeFileAtomic(paths.config, text);
}

/** Takes a section and those below it away. Nothing happens when it is not there. */
export function dropSection(paths: TownPaths, section: readonly string[], env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  const after = droppedText(before, section, paths.config);
  if (after === null) return;
  parseConfig(after, paths, env);
  writeFileAtomic(paths.config, after);
}

import { readFileSync } from 'node:fs';
import { withRigSection, type RigSectionText } from '../../settings/rig-section.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { parseConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/**
 * Appends a rig's section to `gastown.toml` as text, so that the person's own comments and order stay. The result is
 * checked before it replaces the file. Errors: those of `parseConfig`.
 */
export function appendRigSection(paths: TownPaths, section: RigSectionText, env: NodeJS.ProcessEnv): void {
  const after = withRigSection(readFileSync(paths.config, 'utf8'), section);
  parseConfig(after, paths, env);
  writeFileAtomic(paths.config, after);
}

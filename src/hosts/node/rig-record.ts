import { readFileSync } from 'node:fs';
import type { RigConfig } from '../../core/commands.ts';
import { precondition } from '../../core/errors.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import { parseConfig } from './town-config.ts';
import { withRigSection } from '../../settings/rig-section.ts';
import { appendRigSection } from './config-edit.ts';
import { loadConfig } from './town-config.ts';
import { resolveRig } from './rig-add.ts';
import type { TownPaths } from './town-files.ts';

/**
 * Adds a rig: checked against its repository, registered by `register` (the brain, or nothing while it is down), then
 * written to `gastown.toml`. A crash in between leaves a registered rig without its section; a repeat completes it.
 */
export async function recordRig<T>(
  body: AddRigBody,
  paths: TownPaths,
  register: (config: RigConfig) => Promise<T>,
): Promise<{ readonly config: RigConfig; readonly answer: T }> {
  const section = await resolveRig(body, loadConfig(paths, process.env), paths);
  const after = parseConfig(withRigSection(readFileSync(paths.config, 'utf8'), section), paths, process.env);
  const config = after.rigs.find((rig) => rig.name === section.name);
  if (config === undefined)
    throw precondition(
      'bad_config',
      `The section of "${section.name}" can't be added to ${paths.config}.`,
      'Check the end of that file.',
    );
  const answer = await register(config);
  appendRigSection(paths, section, process.env);
  return { config, answer };
}

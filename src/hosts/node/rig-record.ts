import { readFileSync } from 'node:fs';
import type { RigConfig } from '../../core/commands.ts';
import { precondition } from '../../core/errors.ts';
import type { AddRigBody } from '../../api/contract/rigs.ts';
import { parseConfig } from './town-config.ts';
import { withRigSection, type RigSectionText } from '../../settings/rig-section.ts';
import { appendRigSection } from './config-edit.ts';
import { loadConfig } from './town-config.ts';
import { draftRig, withRepository } from './rig-add.ts';
import { refuseNew } from '../../settings/refuse-new.ts';
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
  const before = loadConfig(paths, process.env);
  const withSection = (added: RigSectionText) =>
    parseConfig(withRigSection(readFileSync(paths.config, 'utf8'), added), paths, process.env);
  const draft = draftRig(body, before, paths);
  // Before the repository is touched: it may be made only now. What stands for it here is not kept.
  refuseNew(before, withSection({ ...draft, url: paths.root, targetBranch: 'main' }));
  const section = await withRepository(draft, body, paths);
  const config = withSection(section).rigs.find((rig) => rig.name === section.name);
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

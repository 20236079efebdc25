import { readFileSync } from 'node:fs';
import { changedText, droppedText, mendable, type SettingChange } from '../../settings/change-text.ts';
import { refuseNew } from '../../settings/refuse-new.ts';
import { writeFileAtomic } from './atomic-file.ts';
import type { MustTake } from './must-take.ts';
import { checkedAddress } from './rig-add.ts';
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
  const settings = mendable(before, () => parseConfig(before, paths, checks.env));
  const text = changedText(before, changes, paths.config);
  const after = parseConfig(text, paths, checks.env);
  if (settings !== null) refuseNew(settings, after);
  checks.mustTake(after.rigs);
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

/**
 * Changes of where a rig's repository is and which branch is merged into, asked of the repository itself as "gt rig add"
 * does; a working clone stands for its origin. Errors: those of `checkedAddress` and of the file.
 */
export async function withCheckedAddresses(
  paths: TownPaths,
  changes: readonly SettingChange[],
  env: NodeJS.ProcessEnv,
): Promise<readonly SettingChange[]> {
  const isAddress = ({ section, key }: SettingChange): boolean =>
    section[0] === 'rigs' && section.length === 2 && (key === 'url' || key === 'target_branch');
  if (!changes.some(isAddress)) return changes;
  const before = readFileSync(paths.config, 'utf8');
  mendable(before, () => parseConfig(before, paths, env));
  const { rigs } = parseConfig(changedText(before, changes, paths.config), paths, env);
  const urls = new Map<string, string>();
  for (const change of changes.filter(isAddress)) {
    const rig = rigs.find(({ name }) => name === change.section[1]);
    if (rig !== undefined && !urls.has(rig.name)) urls.set(rig.name, await checkedAddress(rig, paths));
  }
  return changes.map((change) => {
    const url = change.key === 'url' && isAddress(change) ? urls.get(change.section[1] ?? '') : undefined;
    return url === undefined ? change : { ...change, value: url };
  });
}

import type { RigConfig, RigSettings } from '../../core/commands.ts';
import { notFound } from '../../core/errors.ts';
import type { RigName } from '../../core/model/ids.ts';
import { rigChanges } from '../../settings/rig-section.ts';
import { changeSettings, type Checks } from './config-set.ts';
import { loadConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** Writes settings of a rig into its section; answers what holds then. Errors: `rig_not_found`, `config_not_editable`, those of the file. */
export function changeRigSettings(paths: TownPaths, name: RigName, settings: RigSettings, checks: Checks): RigConfig {
  const isIn = (): RigConfig | undefined => loadConfig(paths, checks.env).rigs.find((rig) => rig.name === name);
  if (isIn() === undefined) throw notFound('rig', name);
  changeSettings(paths, rigChanges(name, settings), checks);
  const after = isIn();
  if (after === undefined) throw notFound('rig', name);
  return after;
}

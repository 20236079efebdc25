import type { RigConfig, RigSettings } from '../../core/commands.ts';
import { notFound } from '../../core/errors.ts';
import type { RigName } from '../../core/model/ids.ts';
import { changeSettings, type SettingValue } from './config-set.ts';
import { loadConfig } from './config.ts';
import type { TownPaths } from './town-files.ts';

/** Writes settings of a rig into its section; answers what holds then. Errors: `rig_not_found`, `config_not_editable`, those of the file. */
export function changeRigSettings(
  paths: TownPaths,
  name: RigName,
  settings: RigSettings,
  env: NodeJS.ProcessEnv,
): RigConfig {
  const isIn = (): RigConfig | undefined => loadConfig(paths, env).rigs.find((rig) => rig.name === name);
  if (isIn() === undefined) throw notFound('rig', name);
  const section = ['rigs', name];
  const given: Readonly<Record<string, SettingValue | null | undefined>> = {
    ...settings,
    // Not parked is the default: the line goes, instead of saying what is so anyway.
    ...(settings.parked === false ? { parked: null } : {}),
  };
  const changes = Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [{ section, key, value }],
  );
  changeSettings(paths, changes, env);
  const after = isIn();
  if (after === undefined) throw notFound('rig', name);
  return after;
}

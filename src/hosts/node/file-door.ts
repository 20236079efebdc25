import { readFileSync } from 'node:fs';
import type { SettingsDoor, SettingsState } from '../../api/handlers/settings.ts';
import { refuseStale, textTag } from '../../core/etag.ts';
import { settingChanges } from '../../settings/explain.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { changeSettings, withCheckedAddresses, type Checks } from './config-set.ts';
import { parseConfig } from './town-config.ts';
import type { TownPaths } from './town-files.ts';

/** The town's file of this machine for the API. */
export function fileDoor(options: {
  readonly paths: TownPaths;
  readonly checks: Checks;
  readonly apply: () => Promise<void>;
}): SettingsDoor {
  const { paths, checks, apply } = options;
  const text = (): string => readFileSync(paths.config, 'utf8');
  const state = async (): Promise<SettingsState> => ({ text: text(), withoutEffect: [] });
  return {
    state,
    change: async (changes, meant) => {
      const wanted = settingChanges(text(), changes);
      const checked = await withCheckedAddresses(paths, wanted, checks.env);
      refuseStale(meant, 'gastown.toml', textTag(text()));
      changeSettings(paths, checked, checks);
      await apply();
      return state();
    },
    reload: async () => {
      await apply();
      return state();
    },
    replace: async (wanted, meant) => {
      refuseStale(meant, 'gastown.toml', textTag(text()));
      checks.mustTake(parseConfig(wanted, paths, checks.env).rigs);
      writeFileAtomic(paths.config, wanted);
      await apply();
      return state();
    },
  };
}

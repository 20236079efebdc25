import { existsSync } from 'node:fs';
import { refuseRig } from '../../actors/town/put-rig.ts';
import type { RigConfig } from '../../core/commands.ts';
import { TownError } from '../../core/errors.ts';
import { SqlTownView } from '../../store/town-view.ts';
import { databasePath } from './host-ports.ts';
import { SqliteSql } from './sql-sqlite.ts';
import type { TownPaths } from './town-files.ts';

/** Refuses settings that the town would not take, before they are written or a daemon is started with them. */
export type MustTake = (rigs: readonly RigConfig[]) => void;

/** The daemon's own check while it does not run, on its databases opened for reading. Errors: those of `refuseRig`. */
export function mustTakeOf(paths: TownPaths): MustTake {
  return (rigs) => {
    const path = databasePath(paths, 'town');
    if (!existsSync(path)) {
      for (const rig of rigs) refuseRig({ namesakes: () => [] }, rig);
      return;
    }
    try {
      const sql = SqliteSql.open(path, { readOnly: true });
      try {
        const view = new SqlTownView(sql);
        for (const rig of rigs) refuseRig(view, rig);
      } finally {
        sql.close();
      }
    } catch (error) {
      // A database that can't be read is told by the start itself and by "gt doctor"; it must not lock the settings.
      if (error instanceof TownError) throw error;
    }
  };
}

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Snapshots } from '../../ports/snapshots.ts';
import { copyDatabase } from './copy-database.ts';
import { PRIVATE_DIR_MODE, type TownPaths } from './town-files.ts';

/** Two: a replay reaches back one snapshot while the next one is young. */
const SNAPSHOTS_KEPT = 2;
/** A copy may cost so many bytes of writing per recorded turn: a large database is copied less often, not at more cost. */
const BYTES_PER_TURN_MAX = 16 * 1024;

export interface Snapshot {
  readonly path: string;
  /** The newest recorded turn in it. */
  readonly turn: number;
}

const folderOf = (paths: TownPaths, actor: string): string => join(paths.dataDir, 'snapshots', actor.replace('/', '-'));

/** The kept snapshots of an actor, oldest first. */
export function snapshotsOf(paths: TownPaths, actor: string): readonly Snapshot[] {
  let names: readonly string[];
  try {
    names = readdirSync(folderOf(paths, actor));
  } catch {
    // No folder: none was taken yet.
    return [];
  }
  return names
    .flatMap((name) => {
      const turn = /^(\d+)\.db$/.exec(name)?.[1];
      return turn === undefined ? [] : [{ path: join(folderOf(paths, actor), name), turn: Number(turn) }];
    })
    .toSorted((a, b) => a.turn - b.turn);
}

/** Copies of the actors' databases, from which their later turns can be run again. */
export function fileSnapshots(paths: TownPaths, databaseOf: (actor: string) => string): Snapshots {
  return {
    take: async (actor, turn, turnsSince) => {
      const database = databaseOf(actor);
      if (statSync(database).size > turnsSince * BYTES_PER_TURN_MAX) return null;
      const folder = folderOf(paths, actor);
      mkdirSync(folder, { recursive: true, mode: PRIVATE_DIR_MODE });
      await copyDatabase(database, join(folder, `${String(turn)}.db`));
      const kept = snapshotsOf(paths, actor);
      for (const old of kept.slice(0, -SNAPSHOTS_KEPT)) rmSync(old.path, { force: true });
      return kept.slice(-SNAPSHOTS_KEPT)[0]?.turn ?? turn;
    },
  };
}

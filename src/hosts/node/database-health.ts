import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openForReading } from './open-reading.ts';
import { newestOf } from '../../store/migrate.ts';
import { MAYOR_MIGRATIONS } from '../../store/migrations/mayor.ts';
import { RIG_MIGRATIONS } from '../../store/migrations/rig.ts';
import { TOWN_MIGRATIONS } from '../../store/migrations/town.ts';
import { damageOf } from './copy-database.ts';
import type { TownPaths } from './town-files.ts';

/** What is wrong with one database of a town: nothing, damage, or a newer program's step that this one does not know. */
export interface DatabaseHealth {
  readonly path: string;
  readonly damage: string | null;
  readonly newerStep: { readonly found: number; readonly known: number } | null;
}

/** Reads every database of a town from end to end. Seconds for a large town; changes nothing. */
export function databaseHealth(paths: TownPaths): readonly DatabaseHealth[] {
  const rigs = existsSync(paths.rigsDir) ? readdirSync(paths.rigsDir).filter((name) => name.endsWith('.db')) : [];
  return [
    { path: paths.townDb, known: newestOf(TOWN_MIGRATIONS) },
    { path: paths.mayorDb, known: newestOf(MAYOR_MIGRATIONS) },
    ...rigs.map((name) => ({ path: join(paths.rigsDir, name), known: newestOf(RIG_MIGRATIONS) })),
    // The runner counts its steps by itself.
    { path: join(paths.dataDir, 'runner.db'), known: Number.MAX_SAFE_INTEGER },
  ]
    .filter(({ path }) => existsSync(path))
    .map(({ path, known }) => {
      const damage = damageOf(path);
      const found = damage === null ? newestStep(path) : 0;
      return { path, damage, newerStep: found > known ? { found, known } : null };
    });
}

/** The newest step that was applied; 0 for a database that has none yet. */
function newestStep(path: string): number {
  const db = openForReading(path);
  try {
    const has = db.prepare(`SELECT 1 AS one FROM sqlite_master WHERE name = 'migrations'`).get();
    return has === undefined ? 0 : Number(db.prepare('SELECT MAX(id) AS id FROM migrations').get()?.['id'] ?? 0);
  } finally {
    db.close();
  }
}

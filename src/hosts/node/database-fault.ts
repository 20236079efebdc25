import { basename } from 'node:path';
import { TownError } from '../../core/errors.ts';
import { DbError } from '../../ports/sql.ts';
import { NewerDatabaseError } from '../../store/migrate.ts';
import { damaged } from './copy-database.ts';
import { databaseHealth } from './database-health.ts';
import type { TownPaths } from './town-files.ts';

/**
 * Instead of an error of the database under a town that was to be opened: one that names the file, what is wrong with it
 * and the way out. All databases are read for it, so a second damaged one is named by the next try. What is no such error,
 * or where every file is sound, comes back as it is.
 */
export function databaseFault(paths: TownPaths, error: unknown): unknown {
  const isDatabase = error instanceof NewerDatabaseError || error instanceof DbError;
  if (!isDatabase) return error;
  const bad = databaseHealth(paths).find(({ damage, newerStep }) => damage !== null || newerStep !== null);
  if (bad === undefined) return error;
  // One process holds the whole town, and the rules of a convoy need an answer from each of its rigs.
  const down = bad.path.startsWith(paths.rigsDir)
    ? `It holds the rig ${basename(bad.path, '.db')}; until it is sound the whole town stays down with it.`
    : 'Until it is sound the whole town stays down.';
  if (bad.damage !== null) return damaged(bad.path, `${bad.damage.replaceAll(/\s+/g, ' ')}. ${down}`, error);
  const { found = 0, known = 0 } = bad.newerStep ?? {};
  return new TownError(
    'precondition',
    'database_newer',
    {
      message: `${bad.path} is of a newer gt (step ${String(found)}; this one knows ${String(known)}). ${down}`,
      next: 'Use the newer gt again: an older one could only misread it. Nothing was changed.',
    },
    { cause: error },
  );
}

import { accessSync, chmodSync, constants, existsSync, statSync } from 'node:fs';
import { databaseHealth, type DatabaseHealth } from '../../hosts/node/database-health.ts';
import { PRIVATE_DIR_MODE, readSecrets, type Town } from '../../hosts/node/town-files.ts';
import { ok, problem, type Check } from './check.ts';

const OTHERS = 0o077;
const PRIVATE_FILE_MODE = 0o600;

/** Secrets, permissions and databases of a town. */
export function fileChecks(town: Town): readonly Check[] {
  return [secretsCheck(town), ...privacyChecks(town), writableCheck(town), ...databaseChecks(town)];
}

function secretsCheck(town: Town): Check {
  const path = town.paths.secrets;
  try {
    readSecrets(town.paths);
  } catch (error) {
    return problem('secrets', {
      what: error instanceof Error ? error.message : String(error),
      why: 'nothing can be signed or checked without them',
      fix: `gt init ${town.paths.root}`,
    });
  }
  if ((statSync(path).mode & OTHERS) === 0) return ok('secrets', 'private');
  return problem('secrets', {
    what: `${path} can be read by others`,
    why: 'whoever reads it can do everything in this town',
    fix: `chmod 600 ${path}`,
    mend: () => {
      chmodSync(path, PRIVATE_FILE_MODE);
    },
  });
}

/** Folders with databases, prompts and sockets; who may enter them reads the beads, and may speak for the town. */
function privacyChecks(town: Town): readonly Check[] {
  return [town.paths.dataDir, town.identity.socketDir]
    .filter((path) => existsSync(path) && (statSync(path).mode & OTHERS) !== 0)
    .map((path) =>
      problem('files', {
        what: `${path} can be entered by others`,
        why: 'databases, transcripts and sockets of the town are in it',
        fix: `chmod 700 ${path}`,
        mend: () => {
          chmodSync(path, PRIVATE_DIR_MODE);
        },
      }),
    );
}

function writableCheck(town: Town): Check {
  for (const path of [town.paths.dataDir, town.paths.rigsDir, town.paths.daemonDir]) {
    try {
      if (existsSync(path)) accessSync(path, constants.W_OK | constants.X_OK);
    } catch {
      return problem('files', {
        what: `${path} can't be written`,
        why: 'the town could not record anything',
        fix: `chmod u+rwx ${path}`,
        mend: () => {
          chmodSync(path, PRIVATE_DIR_MODE);
        },
      });
    }
  }
  return ok('files', existsSync(town.paths.townDb) ? 'complete' : 'complete; the town has not run yet');
}

function databaseChecks(town: Town): readonly Check[] {
  const all = databaseHealth(town.paths);
  const found = all.flatMap((one) => databaseProblem(one) ?? []);
  return found.length > 0 ? found : [ok('databases', `${String(all.length)} are sound`)];
}

function databaseProblem({ path, damage, newerStep }: DatabaseHealth): Check | null {
  if (damage !== null)
    return problem('databases', {
      what: `${path} is damaged: ${damage}`,
      why: 'what it recorded can not be trusted',
      fix: 'Keep the file, and restore the newest sound backup into a new folder with "gt restore".',
    });
  if (newerStep === null) return null;
  return problem('databases', {
    what: `${path} is of a newer gt (step ${String(newerStep.found)}; this one knows ${String(newerStep.known)})`,
    why: 'an older program could only misread it, so it refuses',
    fix: 'Use the newer gt again.',
  });
}

import { precondition } from '../core/errors.ts';
import type { TownError } from '../core/errors.ts';

/** What is wrong with a path, by the code of the file system's error; any other code may be a fault of gt. */
const WHY: Readonly<Record<string, string>> = {
  EEXIST: 'is there already, and is no folder',
  EISDIR: 'is a folder',
  ELOOP: 'is a circle of links',
  EACCES: "can't be opened by this user",
  ENAMETOOLONG: 'is too long a name',
  ENOTDIR: 'leads through something that is no folder',
  EPERM: 'may not be changed by this user',
  EROFS: 'is on a file system that is read-only',
};

/**
 * An error of the file system that says of a path what it is, as a refusal of that path (`wrong_path`): whoever named it,
 * or has its rights, sets that right, and no fault of gt is to be reported. Null for every other error.
 */
export function wrongPath(error: unknown): TownError | null {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return null;
  const { code, path } = error;
  const why = typeof code === 'string' && Object.hasOwn(WHY, code) ? WHY[code] : undefined;
  if (why === undefined || typeof path !== 'string') return null;
  return precondition('wrong_path', `${path} ${why}.`, 'Name another path, or set that one right.');
}

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Read by everybody; of a folder, entered as well. */
const READ = 0o4;
const READ_AND_ENTER = 0o5;

/**
 * Each entry below a folder that "others" may not read: keys of services, passwords. What lies in such an entry is not
 * named, nor are links: where they lead is judged there. Never throws: what can't be looked into counts as private.
 */
export function privateEntries(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [folder];
  }
  return names.flatMap((name) => {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.isSymbolicLink()) return [];
    if (!isOpen(stat)) return [path];
    return stat.isDirectory() ? privateEntries(path) : [];
  });
}

function isOpen(stat: Stats): boolean {
  const wanted = stat.isDirectory() ? READ_AND_ENTER : READ;
  return (stat.mode & wanted) === wanted;
}

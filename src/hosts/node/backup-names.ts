/** How the files of a backup are named: one place for who writes a backup and who reads it. */
import { existsSync, readdirSync } from 'node:fs';
import { isRigName } from '../../core/model/ids.ts';

const OF_THE_TOWN: readonly string[] = ['town.db', 'mayor.db', 'gastown.toml'];
const DATABASE = { folder: 'rigs/', ending: '.db' } as const;
const BUNDLE = { folder: 'work/', ending: '.bundle' } as const;

/** Also its name below `.gastown`. */
export const databaseOf = (rig: string): string => `${DATABASE.folder}${rig}${DATABASE.ending}`;
export const bundleOf = (rig: string): string => `${BUNDLE.folder}${rig}${BUNDLE.ending}`;

/** The rig whose work is in this file of a backup; null: it is no such file. */
export const rigOfBundle = (name: string): string | null => rigIn(name, BUNDLE);

/** Nothing outside the town's folder is ever written, whatever a manifest says. */
export const isBackupName = (name: string): boolean =>
  OF_THE_TOWN.includes(name) || rigIn(name, DATABASE) !== null || rigOfBundle(name) !== null;

function rigIn(name: string, { folder, ending }: { readonly folder: string; readonly ending: string }): string | null {
  if (!name.startsWith(folder) || !name.endsWith(ending)) return null;
  const rig = name.slice(folder.length, -ending.length);
  return isRigName(rig) ? rig : null;
}

/**
 * The rigs that have something in a folder, and the names there that have the ending and are no rig's: what a person put
 * there, which nothing of a town reads.
 */
export function rigsIn(
  folder: string,
  ending: string,
): { readonly rigs: readonly string[]; readonly others: readonly string[] } {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(ending)) : [];
  const rigOf = (name: string): string => name.slice(0, -ending.length);
  return {
    rigs: names.map(rigOf).filter(isRigName).toSorted(),
    others: names.filter((name) => !isRigName(rigOf(name))).toSorted(),
  };
}

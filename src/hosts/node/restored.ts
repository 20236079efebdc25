/** What a town that came from a backup knows of that, and of the town that the backup is of. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { conflict, type TownError } from '../../core/errors.ts';
import { readJsonIfThere, writeFileAtomic } from './atomic-file.ts';
import { statusOf } from './daemon-control.ts';
import { openTown, type TownPaths } from './town-files.ts';

export interface Restored {
  /** When the backup was made. */
  readonly atMs: number;
  /** Whether the work of agents was in it. */
  readonly work: boolean;
  /** The town that it is of; a backup of an older program does not say where that is. */
  readonly former: { readonly id: string; readonly root: string | null; readonly machine: string | null };
}

const fileOf = (paths: TownPaths): string => join(paths.dataDir, 'restored.json');

export const thisMachine = (): string => hostname();

export function writeRestored(paths: TownPaths, restored: Restored): void {
  writeFileAtomic(fileOf(paths), `${JSON.stringify(restored, null, 2)}\n`);
}

/** Null: this town came from no backup, or from one of a program that did not write it down. */
export function readRestored(paths: TownPaths): Restored | null {
  const data = readJsonIfThere(fileOf(paths));
  const former: unknown = data?.['former'];
  if (data === null || typeof former !== 'object' || former === null) return null;
  const text = (key: string): string | null => {
    const value: unknown = Reflect.get(former, key);
    return typeof value === 'string' ? value : null;
  };
  const atMs = typeof data['atMs'] === 'number' ? data['atMs'] : 0;
  return {
    atMs,
    work: data['work'] === true,
    former: { id: text('id') ?? '', root: text('root'), machine: text('machine') },
  };
}

/** `unknown`: it is elsewhere, or is not at its folder any more. */
type FormerState = 'runs' | 'down' | 'unknown';

function formerState({ former }: Restored): FormerState {
  if (former.root === null || former.machine !== thisMachine() || !existsSync(former.root)) return 'unknown';
  try {
    const town = openTown(former.root);
    if (town.identity.id !== former.id) return 'unknown';
    return statusOf(town).running ? 'runs' : 'down';
  } catch {
    return 'unknown';
  }
}

/** What a person must hear before a restored town starts; null: nothing. */
export function besideFormer(paths: TownPaths): { readonly error: TownError | null; readonly hint: string | null } {
  const restored = readRestored(paths);
  if (restored === null) return { error: null, hint: null };
  const where = restored.former.root ?? 'a folder that the backup does not name';
  const state = formerState(restored);
  if (state === 'down') return { error: null, hint: null };
  if (state === 'unknown')
    return {
      error: null,
      hint: `This town came from a backup of the town in ${where}${restored.former.machine === null ? '' : ` on ${restored.former.machine}`}. Whether that one still runs can't be seen from here: both would do the same work.`,
    };
  return {
    error: conflict(
      'former_town_runs',
      `The town that this one was restored from runs in ${where}: both would do the same work, and push it to the same repositories.`,
      `Stop it with "gt down --town ${where}", or start this one beside it with "gt up --beside".`,
    ),
    hint: null,
  };
}

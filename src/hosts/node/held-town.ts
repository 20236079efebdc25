import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { townMoved } from '../../core/town-moved.ts';
import { readJsonIfThere, writeFileAtomic } from './atomic-file.ts';
import type { TownPaths } from './town-files.ts';

/** Says which move holds the town. It is in the folder, so that a copy of the folder is held too. */
const heldFile = (paths: TownPaths): string => join(paths.dataDir, 'held.json');

/** Whether the town of this folder does nothing, because it was exported or its import is not finished. */
export const isHeld = (paths: TownPaths): boolean => existsSync(heldFile(paths));

/** Errors: `town_moved`. */
export function mustNotBeHeld(paths: TownPaths): void {
  if (isHeld(paths)) throw townMoved();
}

/** Holds the town of this folder. Answers the move in force: an export that is repeated goes on with the first one. */
export function holdTown(paths: TownPaths, move: string): string {
  const known = readJsonIfThere(heldFile(paths))?.['move'];
  if (typeof known === 'string') return known;
  writeFileAtomic(heldFile(paths), `${JSON.stringify({ move })}\n`);
  return move;
}

/** Lets it go on. False when it was not held. */
export function letGo(paths: TownPaths): boolean {
  const was = isHeld(paths);
  rmSync(heldFile(paths), { force: true });
  return was;
}

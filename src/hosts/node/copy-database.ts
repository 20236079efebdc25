import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { backup, DatabaseSync } from 'node:sqlite';
import { openForReading } from './open-reading.ts';
import { TownError } from '../../core/errors.ts';

/** Pages copied at once; the copy gives way to the writer between two such steps. */
const PAGES_AT_ONCE = 1_000;

/**
 * Copies a database that may be in use, as it stood at one moment, and checks the copy. The target appears whole or
 * not at all. Errors: `database_damaged`.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const half = `${to}.half`;
  rmSync(half, { force: true });
  const source = openForReading(from);
  try {
    await backup(source, half, { rate: PAGES_AT_ONCE });
  } finally {
    source.close();
  }
  const problem = damageOfCopy(half);
  if (problem !== null) {
    rmSync(half, { force: true });
    throw damaged(from, problem);
  }
  const file = openSync(half, 'r');
  fsyncSync(file);
  closeSync(file);
  renameSync(half, to);
}

/**
 * Opens a copy that nobody writes to. As such SQLite needs no files beside it, where a backup would keep them for ever,
 * and a folder that can't be written can be read.
 */
export function openCopy(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

/** What SQLite finds wrong with a database that is in use; null when it is sound. */
export const damageOf = (path: string): string | null => damageIn(() => openForReading(path));

/** The same of a copy. */
export const damageOfCopy = (path: string): string | null => damageIn(() => openCopy(path));

function damageIn(open: () => DatabaseSync): string | null {
  try {
    const db = open();
    try {
      const answer = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
      if (answer !== 'ok') return String(answer);
      const orphan = db.prepare('PRAGMA foreign_key_check').get();
      return orphan === undefined ? null : `a row of ${String(orphan['table'])} refers to nothing`;
    } finally {
      db.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `database_damaged`, with the file and the way out; `what` is a sentence or several. */
export const damaged = (path: string, what: string, cause?: unknown): TownError =>
  new TownError(
    'precondition',
    'database_damaged',
    {
      message: `${path} is damaged: ${what.replace(/\.$/, '')}.`,
      next: 'Keep the file as it is, and restore the newest backup that is sound into a new folder with "gt restore".',
    },
    { cause },
  );

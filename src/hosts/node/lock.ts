import { DatabaseSync } from 'node:sqlite';
import { existsSync } from 'node:fs';

/** A status probe holds its shared lock for microseconds; wait that out, not a real holder. */
const PROBE_WAIT_MS = 300;
const SQLITE_BUSY = 5;
const PRIMARY_CODE_MASK = 0xff;

/** Held until `release` or the end of the process, however it ends. */
export interface HeldLock {
  release(): void;
}

/**
 * Takes a lock that the operating system frees at once when the process dies: an exclusive SQLite transaction.
 * Null when another process holds it.
 */
export function takeLock(path: string): HeldLock | null {
  const db = new DatabaseSync(path, { timeout: PROBE_WAIT_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return {
    release: () => {
      db.close();
    },
  };
}

/** True while a process holds the lock. Changes nothing. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
  try {
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    db.close();
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    (error.errcode & PRIMARY_CODE_MASK) === SQLITE_BUSY
  );
}

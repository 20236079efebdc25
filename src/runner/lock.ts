import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { TownError } from '../core/errors.ts';

/** Proof that this process is the town's only runner; freed by `release` or by the end of the process, kill -9 too. */
export interface RunnerLock {
  release(): void;
}

/**
 * Takes the town's runner lock: an exclusive SQLite transaction that is never committed, because the operating system
 * drops it with the process. The pid file only informs. Errors: `runner_running` (busy).
 */
export function takeRunnerLock(lockFile: string, pidFile: string): RunnerLock {
  const db = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    throw new TownError(
      'busy',
      'runner_running',
      {
        message: `Another runner already serves this town${otherPid(pidFile)}.`,
        next: 'Use the running one; "gt status" shows it.',
      },
      { cause },
    );
  }
  writeFileSync(pidFile, `${String(process.pid)}\n`);
  return {
    release: () => {
      db.close();
    },
  };
}

function otherPid(pidFile: string): string {
  try {
    return ` (process ${readFileSync(pidFile, 'utf8').trim()})`;
  } catch {
    return '';
  }
}

import { DatabaseSync } from 'node:sqlite';

/** A writer holds a database for milliseconds, its recovery after a crash a little longer. */
const BUSY_TIMEOUT_MS = 5_000;

/** Opens a database that others may write to, for a look beside them. Errors: SQLite's, also after that wait. */
export const openForReading = (path: string): DatabaseSync =>
  new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });

import { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from './sql-sqlite.ts';

/** Opens a database that others may write to, for a look beside them. Errors: SQLite's, also after that wait. */
export const openForReading = (path: string): DatabaseSync =>
  new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });

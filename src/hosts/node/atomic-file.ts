import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Read and written by the owner only: secrets, and addresses that lead to them. */
export const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** Replaces a file so that a crash leaves the old or the new text, never half of it. */
export function writeFileAtomic(path: string, text: string, mode: number = PUBLIC_MODE): void {
  const temporary = `${path}.${String(process.pid)}.tmp`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes a rename in this folder durable. Some systems can't open a folder; there the rename is durable by itself. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // Not supported here; nothing to do better.
  }
}

/** The text of a file, or null when there is none. Other errors are thrown. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
    throw error;
  }
}

/** The parsed JSON object of a file, or null when it is missing or torn; for files that only inform. */
export function readJsonIfThere(path: string): Readonly<Record<string, unknown>> | null {
  const text = readIfThere(path);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

import { badCursor } from '../core/places.ts';
import { parseJson } from '../store/rows.ts';

/** Hexadecimal of the JSON: it fits into a query string, needs no host function, and nobody is tempted to build one. */
export function encodeCursor(value: { readonly createdAtMs: number; readonly id: string }): string {
  let text = '';
  for (const char of JSON.stringify(value)) text += (char.codePointAt(0) ?? 0).toString(16).padStart(2, '0');
  return text;
}

/** Throws `bad_cursor` for anything that `encodeCursor` did not make. */
export function decodeCursor<T extends object>(cursor: string): T {
  let text = '';
  for (let at = 0; at + 1 < cursor.length; at += 2)
    text += String.fromCharCode(Number.parseInt(cursor.slice(at, at + 2), 16) || 0);
  try {
    const value = parseJson<T | null>(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // What can't be read is the caller's mistake, told below.
  }
  throw badCursor();
}

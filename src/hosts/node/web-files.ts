import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WebFile } from '../../api/handlers/web.ts';

/** `dist/web` of the package, whether this file runs from source or built. */
const FOLDER = fileURLToPath(new URL('../../../dist/web/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
};

export const isWebBuilt = (): boolean => existsSync(join(FOLDER, 'index.html'));

/** A file of the built dashboard; null when there is none of that name, or it is of a kind that is not served. */
export async function webFile(path: string): Promise<WebFile | null> {
  const type = TYPES[extname(path)];
  const file = normalize(join(FOLDER, path));
  if (type === undefined || !file.startsWith(normalize(FOLDER + sep))) return null;
  try {
    const body = new Uint8Array(await readFile(file));
    return { body, type, isImmutable: path.startsWith('assets/') };
  } catch {
    return null;
  }
}

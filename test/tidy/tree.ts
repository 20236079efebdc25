import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A file of the repository; `path` is relative to its root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly source: string;
}

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git']);
const TEXT = /\.(?:[cm]?[jt]sx?|json|jsonc|md|sh|sql|toml|ya?ml|txt|css|html)$|(?:^|\/)(?:gt|run|LICENSE|\.[a-z]+)$/;

export const root: string = join(import.meta.dirname, '../..');

function pathsUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name) || entry.name.startsWith('.gt-')) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pathsUnder(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Every text file that is or could be committed, in a stable order. */
export function readTree(): SourceFile[] {
  return pathsUnder(root)
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => TEXT.test(path))
    .toSorted()
    .map((path) => ({ path, source: readFileSync(join(root, path), 'utf8') }));
}

export const isCode = (path: string): boolean => /\.[cm]?tsx?$/.test(path);
export const isTest = (path: string): boolean => /\.test\.tsx?$/.test(path) || path.startsWith('test/');
/** The checks name what they look for, so they do not look at themselves. */
export const isTidy = (path: string): boolean => path.startsWith('test/tidy');

export function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

import { posix } from 'node:path';
import { lineAt, type SourceFile } from './tree.ts';

const isDoc = (path: string): boolean => path.endsWith('.md') && path !== 'CHANGELOG.md';

const NAMED_PATH = /(?<![\w/.@-])(?:src|docs|test|bench|sim|scripts|web|examples)\/[\w.@/*{}<>…-]*/g;
const LINK = /\]\(([^)\s#]+)(?:#[^)]*)?\)/g;
const PATTERN_CHARACTERS = /[*{}<>…]/;

/** Every path and relative link that a document names exists; a path with `*` or `<` is a pattern and is not checked. */
export function checkPaths(doc: SourceFile, exists: (path: string) => boolean): string[] {
  if (!isDoc(doc.path)) return [];
  const named = [...doc.source.matchAll(NAMED_PATH)].map((match) => ({ at: match.index, path: match[0] }));
  const linked = [...doc.source.matchAll(LINK)]
    .filter((match) => !/^[a-z]+:/.test(match[1] ?? ''))
    .map((match) => ({ at: match.index, path: posix.join(posix.dirname(doc.path), match[1] ?? '') }));
  return [...named, ...linked]
    .map(({ at, path }) => ({ at, path: path.replace(/[./]+$/, '') }))
    .filter(({ path }) => !PATTERN_CHARACTERS.test(path) && !exists(path))
    .map(({ at, path }) => `${doc.path}:${lineAt(doc.source, at)}: names ${path}, which does not exist`);
}

/** Every `I<n>` that a document names begins a row of docs/invariants.md (`null` while there is no such file). */
export function checkInvariantNames(doc: SourceFile, list: string | null): string[] {
  if (!isDoc(doc.path) || list === null) return [];
  const known = new Set([...list.matchAll(/^\| (I\d+) /gm)].map((match) => match[1]));
  return [...doc.source.matchAll(/\bI\d+\b/g)]
    .filter((match) => !known.has(match[0]))
    .map((match) => `${doc.path}:${lineAt(doc.source, match.index)}: names ${match[0]}, which no invariant has`);
}

// Put together here so that this file does not name them either.
const OUTSIDE = [
  ['..', 'shared'],
  ['', 'work', 'main'],
  ['', 'work', 'shared'],
].map((parts) => parts.join('/'));

/** The repository stands alone: nothing in it points at a folder outside. */
export function checkOutside(file: SourceFile): string[] {
  return OUTSIDE.flatMap((place) => {
    const at = file.source.indexOf(place);
    return at < 0 ? [] : [`${file.path}:${lineAt(file.source, at)}: names ${place}, which is not in this repository`];
  });
}

import { scan } from './scan.ts';
import { isCode, isTest, isTidy, lineAt, type SourceFile } from './tree.ts';

interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  /** What to look at: `code` without texts and comments, `text` without comments, or everything. */
  readonly in: 'code' | 'text' | 'source';
  readonly where: (path: string) => boolean;
  readonly instead: string;
}

const strict = (path: string): boolean => /^src\/(?:core|ports|store|actors)\//.test(path) && !isTest(path);
const shipped = (path: string): boolean => /^(?:src|sim|bench)\//.test(path) && !isTest(path);
const anyCode = (path: string): boolean => isCode(path);

/** One line each: the name of what is banned, and what to write instead. */
export const BANS: readonly Ban[] = [
  {
    name: 'Date.now',
    pattern: /\bDate\s*\.\s*now\b/g,
    in: 'code',
    where: strict,
    instead: 'take nowMs as an argument',
  },
  { name: 'new Date()', pattern: /\bDate\s*\(\s*\)/g, in: 'code', where: strict, instead: 'take nowMs as an argument' },
  {
    name: 'performance',
    pattern: /(?<![.\w])performance\s*\./g,
    in: 'code',
    where: strict,
    instead: 'take nowMs as an argument',
  },
  {
    name: 'Math.random',
    pattern: /\bMath\s*\.\s*random\b/g,
    in: 'code',
    where: strict,
    instead: 'use the Random port',
  },
  { name: 'crypto', pattern: /(?<![.\w])crypto\s*\./g, in: 'code', where: strict, instead: 'use the Random port' },
  {
    name: 'a timer',
    pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
    in: 'code',
    where: strict,
    instead: 'return a wake-up time, or use the Alarm port or defer',
  },
  {
    name: 'fetch',
    pattern: /(?<![.\w])fetch\s*\(/g,
    in: 'code',
    where: strict,
    instead: 'return an effect; a host carries it out',
  },
  { name: 'console', pattern: /(?<![.\w])console\s*\./g, in: 'code', where: strict, instead: 'use the Log port' },
  {
    name: 'process',
    pattern: /(?<![.\w])process\s*[.[]/g,
    in: 'code',
    where: strict,
    instead: 'take what you need as an argument',
  },
  {
    name: 'locale',
    pattern: /\b(?:localeCompare|toLocale\w+|Intl)\b/g,
    in: 'code',
    where: strict,
    instead: 'compare code units; hosts differ in their locale data',
  },
  {
    name: 'SELECT *',
    pattern: /\bselect\s+(?:distinct\s+)?(?:\w+\.)?\*/gi,
    in: 'text',
    where: shipped,
    instead: 'name the columns',
  },
  { name: 'as any', pattern: /\bas\s+any\b/g, in: 'code', where: anyCode, instead: 'parse it, or narrow it' },
  { name: 'enum', pattern: /\benum\s+\w+\s*\{/g, in: 'code', where: anyCode, instead: 'a union of literals' },
  {
    name: 'a note to self',
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    in: 'source',
    where: anyCode,
    instead: 'do it, or file a bead',
  },
  {
    name: 'an inline exemption',
    pattern: /\b(?:oxlint|eslint)-disable|@ts-(?:ignore|nocheck)\b/g,
    in: 'source',
    where: anyCode,
    instead: 'fix it, or exempt the file in .oxlintrc.json',
  },
  {
    name: '@ts-expect-error',
    pattern: /@ts-expect-error\b/g,
    in: 'source',
    where: (path) => anyCode(path) && !isTest(path),
    instead: 'fix the type',
  },
  {
    name: 'a focused test',
    pattern: /\b(?:it|test|describe)\.only\b/g,
    in: 'code',
    where: isTest,
    instead: 'run it by name: npx vitest run -t <name>',
  },
];

export function checkBans(file: SourceFile): string[] {
  if (!isCode(file.path) || isTidy(file.path)) return [];
  const views = { ...scan(file.source), source: file.source };
  return BANS.filter((ban) => ban.where(file.path)).flatMap((ban) =>
    [...views[ban.in].matchAll(ban.pattern)].map(
      (match) => `${file.path}:${lineAt(file.source, match.index)}: ${ban.name} is banned here: ${ban.instead}`,
    ),
  );
}

/** Files that turn foreign data into ours: the branded ids, and rows of the database. */
const CASTERS = /^src\/core\/model\/ids\.ts$|(?:^|\/)(?:[a-z0-9-]+-)?rows\.ts$/;
const NAMED = /\b(?:import|export)\b[^;'"`=()]*?(?:from\b|\})/g;
const MAPPED_KEY = /\[\s*\w+\s+in\b[^\]]*?\bas\b/g;
const CAST = /(?<![.\w$])as\s+(?!const\b)(?=[\w{('"`[])/g;

/** Offsets of type assertions: `as const`, renaming imports and mapped keys are none. */
export function castsOf(source: string): number[] {
  const hide = (part: string): string => part.replaceAll(/\bas\b/g, '  ');
  const code = scan(source).code.replaceAll(NAMED, hide).replaceAll(MAPPED_KEY, hide);
  return [...code.matchAll(CAST)].map((match) => match.index);
}

/** In the deterministic layers a cast outside of the parsers is an error. */
export function checkCasts(file: SourceFile): string[] {
  if (!isCode(file.path) || !strict(file.path) || CASTERS.test(file.path)) return [];
  return castsOf(file.source).map(
    (at) => `${file.path}:${lineAt(file.source, at)}: a cast; parse in ids.ts or a rows.ts file, or narrow the type`,
  );
}

/** Elsewhere in src casts are counted, and the count may only fall. */
export function countLooseCasts(files: readonly SourceFile[]): number {
  return files
    .filter((file) => isCode(file.path) && file.path.startsWith('src/') && !isTest(file.path))
    .filter((file) => !strict(file.path) && !CASTERS.test(file.path))
    .reduce((sum, file) => sum + castsOf(file.source).length, 0);
}

const LINES_MAX = 400;
/** A table of cases may be long; a source file is split. */
const TEST_LINES_MAX = 800;

export function checkSize(file: SourceFile): string[] {
  if (!isCode(file.path)) return [];
  const lines = file.source.trimEnd().split('\n').length;
  const max = isTest(file.path) ? TEST_LINES_MAX : LINES_MAX;
  return lines > max ? [`${file.path}: ${lines} lines, at most ${max}; split it`] : [];
}

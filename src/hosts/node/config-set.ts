/**
 * Changes one setting of `gastown.toml` as text, so that the person's comments and order stay. What came out is parsed
 * and compared with what was wanted before it replaces the file: a file written in a way that this can't change is
 * refused, never damaged.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse as parseToml } from 'smol-toml';
import { precondition } from '../../core/errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { parseConfig } from './config.ts';
import type { TownPaths } from './town-files.ts';

export type SettingValue = string | number | boolean;

/** Null takes the setting away. */
export interface SettingChange {
  readonly section: readonly string[];
  readonly key: string;
  readonly value: SettingValue | null;
}

type Table = Record<string, unknown>;

/** Writes the changes, all or none. Errors: `config_not_editable`, those of `parseConfig`. */
export function changeSettings(paths: TownPaths, changes: readonly SettingChange[], env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  parseConfig(before, paths, env);
  const wanted = parseToml(before);
  let text = before;
  for (const change of changes) {
    text = withSetting(text, change);
    setIn(wanted, change);
  }
  replaceChecked(paths, { text, wanted, env });
}

/** Takes a section and those below it away. Nothing happens when it is not there. */
export function dropSection(paths: TownPaths, section: readonly string[], env: NodeJS.ProcessEnv): void {
  const before = readFileSync(paths.config, 'utf8');
  const wanted = parseToml(before);
  const parent = tableAt(wanted, section.slice(0, -1), false);
  const name = section.at(-1) ?? '';
  if (parent?.[name] === undefined) return;
  delete parent[name];
  replaceChecked(paths, { text: withoutSection(before, section), wanted, env });
}

function replaceChecked(
  paths: TownPaths,
  { text, wanted, env }: { readonly text: string; readonly wanted: Table; readonly env: NodeJS.ProcessEnv },
): void {
  if (!isDeepStrictEqual(pruned(parsed(text)), pruned(wanted)))
    throw precondition(
      'config_not_editable',
      `${paths.config} is written in a way that can't be changed from here without touching something else.`,
      'Edit that setting by hand; "gt daemon reload" reads it again. Nothing was changed.',
    );
  parseConfig(text, paths, env);
  writeFileAtomic(paths.config, text);
}

function parsed(text: string): Table | null {
  try {
    return parseToml(text);
  } catch {
    return null;
  }
}

/** Empty sections say nothing, so they are no difference. */
function pruned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return value;
  const kept = Object.entries(value)
    .map(([key, inner]) => [key, pruned(inner)] as const)
    .filter(([, inner]) => !isEmptyTable(inner));
  return Object.fromEntries(kept);
}

const isEmptyTable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

function tableAt(root: Table, path: readonly string[], make: boolean): Table | null {
  let table: Table = root;
  for (const part of path) {
    const next = table[part];
    if (isTable(next)) table = next;
    else if (make) {
      const fresh: Table = {};
      table[part] = fresh;
      table = fresh;
    } else return null;
  }
  return table;
}

function setIn(root: Table, change: SettingChange): void {
  const table = tableAt(root, change.section, true);
  if (table === null) return;
  if (change.value === null) delete table[change.key];
  else table[change.key] = change.value;
}

const HEADER = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/;

/** The section's name in one form: `rigs."app"` and `rigs . app` are `rigs.app`. */
const nameOf = (header: string): string =>
  header
    .split('.')
    .map((part) => part.trim().replace(/^["'](.*)["']$/, '$1'))
    .join('.');

/** Where the lines of a section begin, behind its header, and end. */
function rangeOf(lines: readonly string[], section: readonly string[]): { readonly from: number; to: number } | null {
  const wanted = section.join('.');
  const at = lines.findIndex((line) => nameOf(HEADER.exec(line)?.[1] ?? '') === wanted && HEADER.test(line));
  if (at < 0) return null;
  const next = lines.findIndex((line, index) => index > at && /^\s*\[/.test(line));
  return { from: at + 1, to: next < 0 ? lines.length : next };
}

function withSetting(text: string, change: SettingChange): string {
  const lines = text.split('\n');
  const range = rangeOf(lines, change.section);
  const written = change.value === null ? null : `${change.key} = ${JSON.stringify(change.value)}`;
  if (range === null) return written === null ? text : withSection(text, change.section, written);
  const own = new RegExp(`^\\s*["']?${change.key}["']?\\s*=`);
  const at = lines.findIndex((line, index) => index >= range.from && index < range.to && own.test(line));
  if (written !== null && at < 0) lines.splice(endOfSettings(lines, range), 0, written);
  else if (written !== null) lines[at] = changedLine(lines[at] ?? '', written);
  else if (at >= 0) lines.splice(at, 1);
  return lines.join('\n');
}

function withSection(text: string, section: readonly string[], line: string): string {
  const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n';
  return `${text}${gap}[${section.join('.')}]\n${line}\n`;
}

const changedLine = (line: string, written: string): string =>
  `${/^\s*/.exec(line)?.[0] ?? ''}${written}${commentOf(line)}`;

/** Behind the last line that says something, before blank lines and comments that lead to the next section. */
function endOfSettings(lines: readonly string[], range: { readonly from: number; readonly to: number }): number {
  let end = range.to;
  while (end > range.from && /^\s*(?:#.*)?$/.test(lines[end - 1] ?? '')) end -= 1;
  return end;
}

/** The comment at the end of a line whose value is on that line alone. */
function commentOf(line: string): string {
  const match = /^[^=]*=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^#"']*?)(\s*#.*)$/.exec(line);
  return match?.[1] ?? '';
}

function withoutSection(text: string, section: readonly string[]): string {
  const name = section.join('.');
  let dropping = false;
  const kept = text.split('\n').filter((line) => {
    const header = HEADER.exec(line)?.[1];
    if (header !== undefined) {
      const its = nameOf(header);
      dropping = its === name || its.startsWith(`${name}.`);
    }
    return !dropping;
  });
  return kept.join('\n');
}

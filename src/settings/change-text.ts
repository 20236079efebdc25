/**
 * Changes settings of `gastown.toml` as text, so that the person's comments and order stay. What came out is parsed and
 * compared with what was wanted before anybody takes it: a file written in a way that this can't change is refused, never
 * damaged.
 */
import { parse as parseToml } from 'smol-toml';
import { precondition, TownError } from '../core/errors.ts';

/** A small table, as a gate with its time limit; written on one line. */
type SettingTable = Readonly<Record<string, string | number>>;
export type SettingValue = string | number | boolean | readonly string[] | SettingTable;

/** As TOML has it; a JSON string is a basic string of TOML. */
const writtenValue = (value: SettingValue): string =>
  typeof value === 'object' && !Array.isArray(value)
    ? `{ ${Object.entries(value)
        .map(([name, inner]) => `${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)} = ${JSON.stringify(inner)}`)
        .join(', ')} }`
    : JSON.stringify(value);

/** A text that is meant as such a table; null: it is none. */
export function tableOf(text: string): SettingTable | null {
  if (!text.startsWith('{')) return null;
  const whole = parsed(`value = ${text}`);
  const table = whole?.['value'];
  if (whole === null || Object.keys(whole).length > 1 || !isTable(table)) return null;
  const entries = Object.entries(table).filter(
    (entry): entry is [string, string | number] => typeof entry[1] === 'string' || typeof entry[1] === 'number',
  );
  return entries.length > 0 && entries.length === Object.keys(table).length ? Object.fromEntries(entries) : null;
}

/** Null takes the setting away. */
export interface SettingChange {
  readonly section: readonly string[];
  readonly key: string;
  readonly value: SettingValue | null;
}

type Table = Record<string, unknown>;

/** The text with the changes in it, all or none. The caller checks what it says. Errors: `config_not_editable`. */
export function changedText(before: string, changes: readonly SettingChange[], path: string): string {
  const wanted = parseToml(before);
  let text = before;
  for (const change of changes) {
    text = withSetting(text, change);
    setIn(wanted, change);
  }
  return checkedText(text, wanted, path);
}

/**
 * What `parse` answers for a file; null where it refuses one whose text can still be changed, so that a change may mend
 * it: what comes out is parsed again. Errors: those of `parse` for a file that is no TOML.
 */
export function mendable<T>(text: string, parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TownError) || parsed(text) === null) throw error;
    return null;
  }
}

/** The text without a section and those below it; null when it is not there. Errors: `config_not_editable`. */
export function droppedText(before: string, section: readonly string[], path: string): string | null {
  const wanted = parseToml(before);
  const parent = tableAt(wanted, section.slice(0, -1), false);
  const name = section.at(-1) ?? '';
  if (parent?.[name] === undefined) return null;
  delete parent[name];
  return checkedText(withoutSection(before, section), wanted, path);
}

function checkedText(text: string, wanted: Table, path: string): string {
  if (isSame(pruned(parsed(text)), pruned(wanted))) return text;
  throw precondition(
    'config_not_editable',
    `${path} is written in a way that can't be changed from here without touching something else.`,
    'Edit that setting by hand; "gt daemon reload" reads it again. Nothing was changed.',
  );
}

/** Equal whatever the order of the keys. */
function isSame(left: unknown, right: unknown): boolean {
  if (!isTable(left) || !isTable(right)) return JSON.stringify(plainOf(left)) === JSON.stringify(plainOf(right));
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => isSame(left[name], right[name]));
}

/** In one order of keys, and with what JSON does not have as text. */
function plainOf(value: unknown): unknown {
  if (typeof value === 'bigint') return `bigint ${String(value)}`;
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (Array.isArray(value)) return value.map(plainOf);
  if (!isTable(value)) return value;
  return Object.keys(value)
    .toSorted()
    .map((name) => [name, plainOf(value[name])]);
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

/** Where the lines of a section begin, behind its header, and end; without a name what stands above all sections. */
function rangeOf(lines: readonly string[], section: readonly string[]): { readonly from: number; to: number } | null {
  if (section.length === 0) {
    const first = lines.findIndex((line) => /^\s*\[/.test(line));
    return { from: 0, to: first < 0 ? lines.length : first };
  }
  const wanted = section.join('.');
  const at = lines.findIndex((line) => nameOf(HEADER.exec(line)?.[1] ?? '') === wanted && HEADER.test(line));
  if (at < 0) return null;
  const next = lines.findIndex((line, index) => index > at && /^\s*\[/.test(line));
  return { from: at + 1, to: next < 0 ? lines.length : next };
}

function withSetting(text: string, change: SettingChange): string {
  const lines = text.split('\n');
  const { range, key } = placeOf(lines, change);
  const written = change.value === null ? null : `${key.join('.')} = ${writtenValue(change.value)}`;
  if (range === null) return written === null ? text : withSection(text, change.section, written);
  const own = new RegExp(`^\\s*${key.map(keyPattern).join('\\s*\\.\\s*')}\\s*=`);
  const at = lines.findIndex((line, index) => index >= range.from && index < range.to && own.test(line));
  if (written !== null && at < 0) lines.splice(endOfSettings(lines, range), 0, written);
  else if (written !== null) lines[at] = changedLine(lines[at] ?? '', written);
  else if (at >= 0) lines.splice(at, 1);
  return lines.join('\n');
}

const keyPattern = (part: string): string => `["']?${part.replaceAll(/[^\w-]/g, String.raw`\$&`)}["']?`;

interface KeyPlace {
  readonly range: ReturnType<typeof rangeOf>;
  /** The key as it is written there. */
  readonly key: readonly string[];
}

/** A section of its own, or names with dots in one above it, as `gates.test = …` in `[rigs.app]`. */
function placeOf(lines: readonly string[], { section, key }: SettingChange): KeyPlace {
  for (let depth = section.length; depth >= 0; depth -= 1) {
    const range = rangeOf(lines, section.slice(0, depth));
    const within = section.slice(depth);
    if (range === null) continue;
    const sibling = new RegExp(`^\\s*${within.map((part) => `${keyPattern(part)}\\s*\\.`).join('\\s*')}`);
    if (within.length === 0 || lines.slice(range.from, range.to).some((line) => sibling.test(line)))
      return { range, key: [...within, key] };
  }
  return { range: null, key: [key] };
}

/**
 * The line, from 1, on which a setting or section stands, or else the section that should have it; null where the file
 * says nothing of either.
 */
function lineOf(text: string, path: readonly string[]): number | null {
  if (path.length === 0) return null;
  const lines = text.split('\n');
  const header = lines.findIndex((line) => nameOf(HEADER.exec(line)?.[1] ?? '') === path.join('.'));
  if (header >= 0) return header + 1;
  const { range, key } = placeOf(lines, { section: path.slice(0, -1), key: path.at(-1) ?? '', value: null });
  const own = new RegExp(`^\\s*${key.map(keyPattern).join('\\s*\\.\\s*')}\\s*[.=]`);
  const at = lines.findIndex(
    (line, index) => range !== null && index >= range.from && index < range.to && own.test(line),
  );
  return at < 0 ? lineOf(text, path.slice(0, -1)) : at + 1;
}

/** Where a setting is, for an error: the file, and the line where that is known. */
export function placeIn(text: string, file: string, path: readonly string[]): string {
  const line = lineOf(text, path);
  return line === null ? file : `${file} line ${String(line)}`;
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
  const match =
    /^[^=]*=\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|\[[^#[\]]*\]|\{(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^#"'{}])*\}|[^#"']*?)(\s*#.*)$/.exec(
      line,
    );
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

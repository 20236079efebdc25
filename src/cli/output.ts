/** Text for people: aligned tables, short times, state as glyph + word (+ colour on a terminal). Data goes to stdout only. */

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
export type Tone = keyof typeof CODES;

export type ColorMode = 'auto' | 'always' | 'never';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** A title longer than this is cut in tables on a terminal; pipes get all of it. */
const CELL_CHARS_MAX = 60;

export interface Style {
  readonly color: boolean;
  /** True on a terminal: long cells are cut. */
  readonly terminal: boolean;
  readonly nowMs: number;
}

/** NO_COLOR and CI switch colour off, FORCE_COLOR on; a flag wins. */
export function wantsColor(mode: ColorMode, env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (mode !== 'auto') return mode === 'always';
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
  return isTerminal && env['TERM'] !== 'dumb' && env['CI'] === undefined;
}

export function paint(style: Style, tone: Tone, text: string): string {
  return style.color ? `\u001B[${String(CODES[tone])}m${text}\u001B[0m` : text;
}

/** What agents and repositories wrote must not drive the terminal: control characters are shown as what they are. */
export function plain(text: string): string {
  let out = '';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const isControl = (code < 0x20 && char !== '\n' && char !== '\t') || (code >= 0x7f && code < 0xa0);
    const isBidi = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    out += isControl || isBidi ? `\\x${code.toString(16).padStart(2, '0')}` : char;
  }
  return out;
}

const oneLine = (text: string): string => plain(text).replaceAll(/\s+/g, ' ').trim();

interface State {
  readonly glyph: string;
  readonly tone: Tone;
}

const STATES: Readonly<Record<string, State>> = {
  open: { glyph: '○', tone: 'blue' },
  ready: { glyph: '○', tone: 'blue' },
  staged: { glyph: '◌', tone: 'dim' },
  held: { glyph: '‖', tone: 'yellow' },
  blocked: { glyph: '◇', tone: 'yellow' },
  blocked_by_failure: { glyph: '◆', tone: 'red' },
  backing_off: { glyph: '◔', tone: 'yellow' },
  in_progress: { glyph: '●', tone: 'cyan' },
  running: { glyph: '●', tone: 'cyan' },
  working: { glyph: '●', tone: 'cyan' },
  starting: { glyph: '◔', tone: 'cyan' },
  stopping: { glyph: '◑', tone: 'yellow' },
  waiting: { glyph: '‖', tone: 'yellow' },
  stalled: { glyph: '!', tone: 'red' },
  unknown: { glyph: '?', tone: 'red' },
  idle: { glyph: '·', tone: 'dim' },
  dead: { glyph: '×', tone: 'dim' },
  in_review: { glyph: '◐', tone: 'cyan' },
  closed: { glyph: '×', tone: 'dim' },
  merged: { glyph: '✓', tone: 'green' },
  integrated: { glyph: '✓', tone: 'green' },
  no_change: { glyph: '✓', tone: 'dim' },
  needs_human: { glyph: '!', tone: 'red' },
  queued: { glyph: '○', tone: 'blue' },
  merging: { glyph: '◐', tone: 'cyan' },
  preparing: { glyph: '◔', tone: 'cyan' },
  gating: { glyph: '◐', tone: 'cyan' },
  pushing: { glyph: '◑', tone: 'cyan' },
  reworking: { glyph: '◇', tone: 'yellow' },
  failed: { glyph: '✗', tone: 'red' },
  active: { glyph: '●', tone: 'cyan' },
  creating: { glyph: '◌', tone: 'dim' },
  ready_to_land: { glyph: '◐', tone: 'cyan' },
  landed: { glyph: '✓', tone: 'green' },
  reverted: { glyph: '✓', tone: 'green' },
  ordered: { glyph: '◐', tone: 'cyan' },
  nothing: { glyph: '✓', tone: 'dim' },
  cancelled: { glyph: '×', tone: 'dim' },
  parked: { glyph: '‖', tone: 'yellow' },
  draining: { glyph: '‖', tone: 'yellow' },
  breaker_open: { glyph: '!', tone: 'red' },
  up: { glyph: '●', tone: 'green' },
  down: { glyph: '○', tone: 'red' },
  ok: { glyph: '✓', tone: 'green' },
  problem: { glyph: '✗', tone: 'red' },
  note: { glyph: '·', tone: 'yellow' },
};

export function state(style: Style, word: string): string {
  const known = STATES[word] ?? { glyph: '·', tone: 'dim' as const };
  return paint(style, known.tone, `${known.glyph} ${word.replaceAll('_', ' ')}`);
}

/** `now`, `5s`, `12m`, `3h`, `4d`; with "in" for the future. */
export function ago(style: Style, atMs: number | null): string {
  if (atMs === null) return '-';
  const distanceMs = Math.abs(style.nowMs - atMs);
  const text = span(distanceMs);
  return atMs > style.nowMs + 999 ? `in ${text}` : text;
}

export function span(ms: number): string {
  if (ms < 1_000) return 'now';
  if (ms < MINUTE_MS) return `${String(Math.floor(ms / 1_000))}s`;
  if (ms < HOUR_MS) return `${String(Math.floor(ms / MINUTE_MS))}m`;
  if (ms < 2 * DAY_MS) return `${String(Math.floor(ms / HOUR_MS))}h`;
  return `${String(Math.floor(ms / DAY_MS))}d`;
}

const ANSI = new RegExp(`${String.fromCodePoint(27)}\\[\\d+m`, 'g');
const width = (text: string): number => Array.from(text.replaceAll(ANSI, '')).length;

/** Columns aligned by their widest cell, two spaces apart; nothing at the end of a line. */
export function table(style: Style, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cut(style, cell)));
  const widths = head.map((title, column) => Math.max(width(title), ...cells.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
      .join('  ')
      .trimEnd();
  return [line(head.map((title) => paint(style, 'dim', title))), ...cells.map(line)].join('\n');
}

function cut(style: Style, cell: string): string {
  const hasStyle = cell.includes('\u001B[');
  const flat = hasStyle ? cell : oneLine(cell);
  if (hasStyle || !style.terminal || width(flat) <= CELL_CHARS_MAX) return flat;
  return `${Array.from(flat)
    .slice(0, CELL_CHARS_MAX - 1)
    .join('')}…`;
}

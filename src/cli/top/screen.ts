import { paint, plain, type Style, type Tone } from '../output.ts';
import { KEY_HELP } from './keys.ts';
import { focusAt, listOf, shownRows, type Row } from './rows.ts';
import { type Sheet, TABS, type TopState, type TownNow } from './state.ts';
import { fitted, PAINTED, widthOf } from './text-width.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Lines that are no rows of a list: title, sentence, tabs, head, and the line of keys. */
const LINES_AROUND = 6;
/** Lines of the screen around those of a sheet: its title and end with their gaps, and what stands above. */
const LINES_AROUND_SHEET = 9;
/** A list that shows less says nothing; on a smaller terminal the last lines are cut. */
const ROWS_MIN = 1;
const CELL_MAX = 34;
const NAME_MAX = 24;
/** A state that says something is away is never shown like a fresh one. */
const IS_STALE: ReadonlySet<string> = new Set(['Offline', 'Connecting', 'Refused']);

const clock = (ms: number): string => new Date(ms).toTimeString().slice(0, 8);

function linkText({ link, town }: TopState, style: Style): string {
  const glyph = link.word === 'Live' ? '●' : link.word === 'Reading' ? '◐' : '○';
  const stamp = town !== null && IS_STALE.has(link.word) ? `, as of ${clock(link.asOfMs)}` : '';
  const tone: Tone = link.word === 'Live' ? 'green' : IS_STALE.has(link.word) ? 'red' : 'yellow';
  return paint(style, tone, `${glyph} ${link.word}${stamp}`);
}

function sentence(town: TownNow | null): string {
  if (town === null) return 'Nothing was read yet.';
  const { status } = town;
  const ready = status.rigs.reduce((sum, rig) => sum + rig.ready_beads, 0);
  const stopped = status.rigs
    .filter((rig) => rig.status !== 'ready')
    .map((rig) => `${rig.id} ${rig.status.replaceAll('_', ' ')}`);
  const parts = [
    `${String(status.attention.length)} need you`,
    `${String(status.working_agents)} working`,
    `${String(ready)} ready`,
    `${String(town.queue.length)} to merge`,
    `${String(status.merged_last_hour)} merged within the hour`,
    ...stopped,
  ];
  return `${parts.join(', ')}.`;
}

const tabLine = (state: TopState, style: Style): string =>
  TABS.map((tab, at) => {
    const text = `${String(at + 1)} ${tab}`;
    return tab === state.tab ? paint(style, 'bold', `[${text}]`) : ` ${text} `;
  }).join(' ');

/** Widths of the columns; the last takes what is left. */
function widthsOf(head: readonly string[], rows: readonly Row[], columns: number): readonly number[] {
  const widths = head.map((title, column) =>
    Math.min(CELL_MAX, Math.max(widthOf(title), ...rows.map((row) => widthOf(row.cells[column] ?? '')))),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 2);
  return [...widths.slice(0, -1), Math.max(0, columns - before)];
}

const cellsLine = (cells: readonly string[], widths: readonly number[]): string =>
  widths.map((width, column) => fitted(cells[column] ?? '', width)).join('  ');

/** The rows around the one in focus that there is room for. */
function windowOf(count: number, focus: number, room: number): readonly [from: number, to: number] {
  const from = Math.max(0, Math.min(focus - Math.floor(room / 2), count - room));
  return [from, Math.min(count, from + room)];
}

function listLines(state: TopState, size: Size, style: Style): readonly string[] {
  if (state.town === null) {
    const { reason = ['Waiting for the town.'] } = state.link;
    return ['', ...reason.flatMap((text) => wrapped(text, size.columns - 2)).map((text) => `  ${text}`)];
  }
  const { head, empty } = listOf(state.town, state.tab, style);
  const rows = shownRows(state, style);
  const widths = widthsOf(head, rows, size.columns);
  if (rows.length === 0) return ['', `  ${state.filter === '' ? empty : 'No row has that. Esc shows all.'}`];
  const focus = focusAt(state, rows);
  const [from, to] = windowOf(rows.length, focus, Math.max(ROWS_MIN, size.rows - LINES_AROUND));
  const isStale = IS_STALE.has(state.link.word);
  return [
    paint(style, 'dim', `  ${cellsLine(head, widths)}`),
    ...rows.slice(from, to).map((row, at) => {
      const isFocus = from + at === focus;
      const text = `${isFocus ? '>' : ' '} ${cellsLine(row.cells, widths)}`;
      return isFocus ? paint(style, 'bold', text) : isStale ? paint(style, 'dim', text) : text;
    }),
  ];
}

/** A sheet that is longer than the screen is seen from where the keys moved it. */
function sheetLines({ sheetFrom }: TopState, sheet: Sheet, size: Size): readonly string[] {
  const [title, texts] =
    sheet.kind === 'lines'
      ? [sheet.title, sheet.lines]
      : ['Keys', KEY_HELP.map(([keys, what]) => `${fitted(keys, 26)}${what}`)];
  const lines = texts.flatMap((text) => wrapped(text, size.columns - 2));
  const room = Math.max(ROWS_MIN, size.rows - LINES_AROUND_SHEET);
  const from = Math.max(0, Math.min(sheetFrom, lines.length - room));
  const rest = lines.length - from - room;
  const end = `${rest > 0 ? `${String(rest)} more lines: j, PgDn. ` : ''}Esc closes.`;
  return [title, '', ...lines.slice(from, from + room), '', end].map((text) => `  ${text}`);
}

/** Long lines of a sheet go on in the next one. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function keyLine(state: TopState, count: number): string {
  if (state.isTyping) return `/${state.filter}_`;
  if (state.isGoing) return 'g: i inbox, c convoys, a agents, m train, $ costs';
  const filter = state.filter === '' ? '' : `  filter "${state.filter}"`;
  return `j k move  Enter open  w why  n next  / filter  ? help  q leave  (${String(count)})${filter}`;
}

/** Every line of the screen, exactly as many as it has, none wider than it is. */
export function screenOf(state: TopState, size: Size, style: Style): readonly string[] {
  const name = state.town === null ? 'gt top' : `gt top  ${plain(state.town.status.name).slice(0, NAME_MAX)}`;
  const left = widthOf(name);
  const link = linkText(state, style);
  const gap = Math.max(1, size.columns - left - widthOf(link));
  const body = state.sheet === null ? listLines(state, size, style) : sheetLines(state, state.sheet, size);
  const top = [
    `${paint(style, 'bold', name)}${' '.repeat(gap)}${link}`,
    fitted(sentence(state.town), size.columns),
    '',
    tabLine(state, style),
    ...body,
  ];
  const room = Math.max(0, size.rows - 1);
  const lines = [...top.slice(0, room), ...Array.from({ length: Math.max(0, room - top.length) }, () => '')];
  return [...lines, fitted(keyLine(state, shownRows(state, style).length), size.columns)].map((line) =>
    bounded(line, size.columns),
  );
}

/** A painted line is cut only when it is too wide, and loses its paint then. How far a tab goes, only the terminal knows. */
function bounded(text: string, columns: number): string {
  const line = text.replaceAll('\t', ' ');
  return widthOf(line) <= columns ? line : fitted(line.replaceAll(PAINTED, ''), columns);
}

/** The same as plain text, all lists one after the other: for what is no terminal. */
export function textOf(town: TownNow, style: Style): string {
  const parts = TABS.map((tab) => {
    const { head, rows, empty } = listOf(town, tab, style);
    if (rows.length === 0) return `${tab}\n  ${empty}`;
    const widths = head.map((title, column) =>
      Math.max(widthOf(title), ...rows.map((row) => widthOf(row.cells[column] ?? ''))),
    );
    return [tab, ...rows.map((row) => `  ${cellsLine(row.cells, widths)}`.trimEnd())].join('\n');
  });
  return [`${plain(town.status.name)}: ${sentence(town)}`, ...parts].join('\n\n');
}

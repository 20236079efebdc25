import type { Style } from '../output.ts';
import { focusAt, shownRows } from './rows.ts';
import { TABS, type Tab, type TopState } from './state.ts';

/** What a key asks of the outside. */
export type Wish =
  | { readonly type: 'quit' }
  | { readonly type: 'why'; readonly subject: string }
  | { readonly type: 'open'; readonly subject: string };

export interface Pressed {
  readonly state: TopState;
  readonly wish: Wish | null;
}

/** The help is made of this, so it can't fall behind. The same keys as the dashboard's. */
export const KEY_HELP: readonly (readonly [keys: string, what: string])[] = [
  ['j, k, arrows', 'next row, row before'],
  ['g i, g c, g a, g m, g $', 'inbox, convoys, agents, train, costs; also 1 to 5 and Tab'],
  ['Enter', 'open'],
  ['w', 'why: what it waits for'],
  ['n', 'next that needs you'],
  ['/', 'filter; Esc ends it'],
  ['?', 'this help'],
  ['Esc', 'close'],
  ['q', 'leave'],
];

const GO: Readonly<Record<string, Tab>> = { i: 'inbox', c: 'convoys', a: 'agents', m: 'train', $: 'costs' };
/** A filter is a word or two. */
const FILTER_CHARS_MAX = 60;
/** A sheet of more lines is a mistake; the screen shows its last page at most. */
const SHEET_LINES_MAX = 10_000;

const only = (state: TopState): Pressed => ({ state, wish: null });
const go = (state: TopState, tab: Tab): Pressed => only({ ...state, tab, sheet: null, filter: '' });

function moved(state: TopState, by: number, style: Style): Pressed {
  if (state.sheet !== null) {
    const last = state.sheet.kind === 'lines' ? SHEET_LINES_MAX : KEY_HELP.length;
    return only({ ...state, sheetFrom: Math.max(0, Math.min(last, state.sheetFrom + by)) });
  }
  const rows = shownRows(state, style);
  const at = Math.min(rows.length - 1, Math.max(0, focusAt(state, rows) + by));
  return only({ ...state, focus: { ...state.focus, [state.tab]: rows[at]?.id ?? null } });
}

function tabBy(state: TopState, by: number): Pressed {
  const at = (TABS.indexOf(state.tab) + by + TABS.length) % TABS.length;
  return go(state, TABS[at] ?? 'inbox');
}

function subjectWish(state: TopState, type: 'why' | 'open', style: Style): Pressed {
  const rows = shownRows(state, style);
  const subject = rows[focusAt(state, rows)]?.subject ?? null;
  return { state, wish: subject === null ? null : { type, subject } };
}

/** The first time it leads to the inbox, then from item to item, and from the last to the first. */
function nextThatNeedsYou(state: TopState, style: Style): Pressed {
  if (state.tab !== 'inbox') return go(state, 'inbox');
  const rows = shownRows(state, style);
  const next = rows[(focusAt(state, rows) + 1) % Math.max(1, rows.length)];
  return only({ ...state, focus: { ...state.focus, inbox: next?.id ?? null } });
}

function typed(state: TopState, key: string): Pressed {
  if (key === 'escape') return only({ ...state, isTyping: false, filter: '' });
  if (key === 'enter') return only({ ...state, isTyping: false });
  if (key === 'backspace') return only({ ...state, filter: Array.from(state.filter).slice(0, -1).join('') });
  const isText = Array.from(key).length === 1 && key >= ' ' && state.filter.length < FILTER_CHARS_MAX;
  return only(isText ? { ...state, filter: state.filter + key } : state);
}

type Act = (state: TopState, style: Style) => Pressed;

const ACTS: Readonly<Record<string, Act>> = {
  q: (state) => ({ state, wish: { type: 'quit' } }),
  j: (state, style) => moved(state, 1, style),
  down: (state, style) => moved(state, 1, style),
  k: (state, style) => moved(state, -1, style),
  up: (state, style) => moved(state, -1, style),
  pagedown: (state, style) => moved(state, 10, style),
  pageup: (state, style) => moved(state, -10, style),
  G: (state, style) => moved(state, Number.MAX_SAFE_INTEGER, style),
  g: (state) => only({ ...state, isGoing: true }),
  tab: (state) => tabBy(state, 1),
  backtab: (state) => tabBy(state, -1),
  right: (state) => tabBy(state, 1),
  left: (state) => tabBy(state, -1),
  w: (state, style) => subjectWish(state, 'why', style),
  enter: (state, style) => subjectWish(state, 'open', style),
  n: nextThatNeedsYou,
  '/': (state) => only({ ...state, isTyping: true, filter: '', sheet: null }),
  '?': (state) => only({ ...state, sheet: { kind: 'help' }, sheetFrom: 0 }),
  escape: (state) => only({ ...state, filter: '' }),
};

/** What the screen is after a key, and what is to be asked. `interrupt` always quits. */
export function press(state: TopState, key: string, style: Style): Pressed {
  if (state.isTyping) return typed(state, key);
  if (state.isGoing) {
    const tab = Object.hasOwn(GO, key) ? GO[key] : undefined;
    const went = { ...state, isGoing: false };
    return tab === undefined ? only(went) : go(went, tab);
  }
  if (state.sheet !== null && (key === 'escape' || key === 'enter')) return only({ ...state, sheet: null });
  const place = /^[1-9]$/.test(key) ? TABS[Number(key) - 1] : undefined;
  if (place !== undefined) return go(state, place);
  const act = Object.hasOwn(ACTS, key) ? ACTS[key] : undefined;
  return act === undefined ? only(state) : act(state, style);
}

const NAMED: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'interrupt',
  '\x1b': 'escape',
  '\x1b[A': 'up',
  '\x1b[B': 'down',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1bOA': 'up',
  '\x1bOB': 'down',
  '\x1bOC': 'right',
  '\x1bOD': 'left',
  '\x1b[Z': 'backtab',
  '\x1b[5~': 'pageup',
  '\x1b[6~': 'pagedown',
};
const KEY = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])?|[\s\S]/gu;

/** What a terminal sends in one piece, as names of keys. Sequences that nobody knows are no keys. */
export const keysOf = (input: string): readonly string[] =>
  [...input.matchAll(KEY)].flatMap(([piece]) => {
    const name = NAMED[piece];
    if (name !== undefined) return [name];
    return piece.startsWith('\x1b') ? [] : [piece];
  });

import { dollars } from '../../core/money.ts';
import { ago, plain, type Style } from '../output.ts';
import type { Tab, TopState, TownNow } from './state.ts';

/** One line of a list. The first cell has the state as glyph and word; the last takes the room that is left. */
export interface Row {
  /** What `why` takes; rows of costs have none. */
  readonly subject: string | null;
  readonly id: string;
  readonly cells: readonly string[];
}

export interface List {
  readonly head: readonly string[];
  readonly rows: readonly Row[];
  /** What an empty list means, and the command to type next. */
  readonly empty: string;
}

/** One line, without anything that drives a terminal: agents and repositories write titles. */
const line = (text: string): string => plain(text).replaceAll(/\s+/g, ' ').trim();

function inbox({ status }: TownNow, style: Style): List {
  const rows = status.attention.map((item): Row => ({
    subject: item.subject,
    id: `${item.kind} ${item.subject} ${item.escalation ?? ''}`,
    cells: [
      `${item.severity === 'low' ? '·' : '!'} ${item.severity}`,
      item.subject,
      ago(style, item.since),
      line(`${item.title === null ? '' : `${item.title}: `}${item.sentence}`),
    ],
  }));
  const moving = `${String(status.working_agents)} at work, ${String(status.merged_last_hour)} merged within the hour.`;
  return { head: ['', 'what', 'since', 'why'], rows, empty: `Nothing needs you. ${moving}` };
}

function convoys({ status }: TownNow, style: Style): List {
  const rows = status.convoys.map((item): Row => ({
    subject: item.id,
    id: item.id,
    cells: [
      line(item.phase.replaceAll('_', ' ')),
      item.id,
      `${String(item.closed_beads)}/${String(item.total_beads)}`,
      item.failed_beads === 0 ? '' : `${String(item.failed_beads)} failed`,
      ago(style, item.created_at),
      line(item.title),
    ],
  }));
  const empty = 'No convoy is under way. Make one: gt convoy create "…" --file plan.toml';
  return { head: ['', 'convoy', 'done', '', 'made', 'title'], rows, empty };
}

function agents({ agents: all }: TownNow, style: Style): List {
  const rows = all.map((item): Row => ({
    subject: item.id,
    id: item.id,
    cells: [
      line(item.status),
      item.id,
      item.hook ?? '-',
      ago(style, item.last_activity_at),
      line(item.status_message ?? item.last_event_type ?? ''),
    ],
  }));
  return {
    head: ['', 'agent', 'hook', 'active', 'says'],
    rows,
    empty: 'No agents yet. Give work to one: gt sling "…"',
  };
}

function train({ queue }: TownNow, style: Style): List {
  const rows = queue.map((item): Row => ({
    subject: item.id,
    id: item.id,
    cells: [
      line(item.why.state.replaceAll('_', ' ')),
      item.place === null ? '-' : `#${String(item.place)}`,
      item.id,
      item.rig,
      ago(style, item.why.since),
      line(`${item.title}: ${item.why.sentence}`),
    ],
  }));
  return { head: ['', 'place', 'entry', 'rig', 'since', 'title, why'], rows, empty: 'Nothing waits to merge.' };
}

type Sum = NonNullable<TownNow['costs']>['total'];

/** What nobody said is unknown, not nothing. */
function money(sum: Sum): string {
  if (sum.micro_usd === null) return sum.unknown_cost === 0 ? dollars(0) : 'unknown';
  return `${sum.unknown_cost === 0 ? '' : 'at least '}${dollars(sum.micro_usd)}`;
}

function costs({ costs: all }: TownNow): List {
  const head = ['of', 'cost', 'attempts', 'name'];
  if (all === null) return { head, rows: [], empty: 'Costs are unavailable now. Try: gt costs' };
  const row = (of: string, name: string, sum: Sum): Row => ({
    subject: null,
    id: `${of} ${name}`,
    cells: [of, money(sum), String(sum.attempts), line(name)],
  });
  const rows = [
    row('town', 'all', all.total),
    ...all.rigs.map(({ rig, sum }) => row('rig', rig, sum)),
    ...all.engines.map(({ runtime, model, sum }) => row('model', `${runtime} ${model ?? ''}`, sum)),
    ...all.waste.map(({ cause, sum }) => row('wasted', cause, sum)),
  ];
  return { head, rows, empty: 'Nothing was spent.' };
}

const LISTS: Readonly<Record<Tab, (town: TownNow, style: Style) => List>> = { inbox, convoys, agents, train, costs };

export const listOf = (town: TownNow, tab: Tab, style: Style): List => LISTS[tab](town, style);

/** The rows that the filter leaves. */
export function shownRows(state: TopState, style: Style): readonly Row[] {
  if (state.town === null) return [];
  const wanted = state.filter.toLowerCase();
  const { rows } = listOf(state.town, state.tab, style);
  return wanted === '' ? rows : rows.filter((row) => row.cells.join(' ').toLowerCase().includes(wanted));
}

/** Where the focus is: on its row, or on the first when that is gone. -1: there are no rows. */
export function focusAt(state: TopState, rows: readonly Row[]): number {
  const at = rows.findIndex((row) => row.id === state.focus[state.tab]);
  return at === -1 && rows.length > 0 ? 0 : at;
}

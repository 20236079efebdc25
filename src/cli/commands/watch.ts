import type { AgentItem } from '../../api/contract/agents.ts';
import type { QueueItem } from '../../api/contract/beads.ts';
import type { ConvoyItem } from '../../api/contract/convoys.ts';
import type { QuotaItem } from '../../api/contract/money.ts';
import type { RigItem } from '../../api/contract/rigs.ts';
import type { StatusItem } from '../../api/contract/town.ts';
import { counted } from '../../core/text.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, paint, plain, state, table } from '../output.ts';
import type { Style } from '../output.ts';
import { attentionLines } from './attention.ts';
import { hasHook } from '../agent-call.ts';
import { awayOf, type Away } from '../away.ts';
import { ownStatus } from '../own-status.ts';
import { clientOf, query, TownClient } from '../town-client.ts';

interface Items<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Prints a list as JSON or as a table; an empty one says what to do next. */
export function printItems<T>(
  context: Context,
  page: Items<T>,
  view: { readonly head: readonly string[]; readonly row: (item: T) => readonly string[]; readonly empty: string },
): number {
  if (context.json) context.print(JSON.stringify(page));
  else if (page.items.length === 0) context.hint(view.empty);
  else context.print(table(context.style, view.head, page.items.map(view.row)));
  return EXIT.ok;
}

export const status: CommandSpec = {
  usage: 'gt status',
  summary: 'the whole town at a glance: what needs you, what moves, what waits; for an agent, where it stands',
  examples: ['gt status', 'gt status --json'],
  run: async (context) => {
    if (hasHook(context.env)) return ownStatus(context);
    const client = new TownClient(context.town());
    const town = await client.get<StatusItem>('status');
    const quota = (await client.get<{ items: QuotaItem[] }>('quota')).items;
    const away = client.isAway ? awayOf(context.town()) : null;
    const { style } = context;
    context.print(
      context.json
        ? JSON.stringify({ ...town, daemon: away === null ? 'up' : 'down', held: away?.state === 'held', quota })
        : [statusText(style, town, away), ...quota.map((window) => quotaLine(style, window))].join('\n'),
    );
    return EXIT.ok;
  },
};

/** `none` is never shown like the rest: whoever sees the agent sees that it can do what its owner can. */
export const isolationBadge = (style: Style, isolation: AgentItem['isolation']): string =>
  isolation === 'none' ? paint(style, 'yellow', 'isolation: none') : (isolation ?? '-');

const quotaLine = (style: Style, window: QuotaItem): string =>
  `\nquota of ${plain(window.account)} for ${plain(window.model)} is used up: ${String(window.parked)} parked, ${window.known ? 'opens' : 'tried again'} ${new Date(window.resets_at).toISOString()} (closed ${ago(style, window.closed_at)})`;

/** In the first second after a start, and in a town of Durable Objects until the first one dials. */
const NOT_MET = 'no runner has been met yet; it comes by itself, or: gt runner list';

/** The status fits on a screen; the inbox has all. */
const ITEMS_SHOWN = 7;

function needs(items: StatusItem['attention']): string {
  const open = items.filter((item) => item.acknowledged_by === null).length;
  return open === 0 ? 'Nothing needs you.' : `${counted(open, 'needs', 'need')} you.`;
}

function statusText(style: Style, town: StatusItem, away: Away | null): string {
  const isLive = (convoy: ConvoyItem): boolean => !['landed', 'failed', 'cancelled'].includes(convoy.status);
  const ready = town.rigs.reduce((sum, rig) => sum + rig.ready_beads, 0);
  const sentence = `${needs(town.attention)} ${String(town.working_agents)} working, ${String(ready)} ready, ${String(town.merged_last_hour)} merged in the last hour.`;
  const lines = [
    `${paint(style, 'bold', plain(town.name))}  ${sentence}`,
    away !== null
      ? `${away.subject} ${state(style, away.state)}  ${away.sentence}. ${away.next}`
      : `runner ${state(style, town.runner.status)}${town.runner.status === 'unknown' ? `  ${NOT_MET}` : ''}`,
  ];
  for (const item of town.health.filter((one) => one.status === 'suspect' || one.status === 'down'))
    lines.push(`${plain(item.subject)} ${state(style, item.status)}  ${plain(item.detail ?? '')}`);
  if (town.attention.length > 0) {
    lines.push('', paint(style, 'bold', 'Needs you'), ...attentionLines(style, town.attention.slice(0, ITEMS_SHOWN)));
    const rest = town.attention.length - ITEMS_SHOWN;
    if (rest > 0) lines.push(`  and ${String(rest)} more: gt inbox`);
  }
  const open = town.rigs.filter((rig) => rig.isolation === 'none').map((rig) => rig.id);
  if (open.length > 0)
    lines.push(`${isolationBadge(style, 'none')}  agents of ${plain(open.join(', '))} run with all your rights`);
  if (town.rigs.length === 0) lines.push('', 'No rigs yet. Add one with: gt rig add <name> <git-url-or-path>');
  else lines.push('', rigTable(style, town.rigs));
  const convoys = town.convoys.filter(isLive);
  if (convoys.length > 0) lines.push('', convoyTable(style, convoys));
  for (const violation of town.violations)
    lines.push('', paint(style, 'red', `! invariant violated: ${plain(violation)}`));
  return lines.join('\n');
}

export const RIG_HEAD: readonly string[] = [
  'RIG',
  'STATE',
  'OPEN',
  'READY',
  'RUNNING',
  'REVIEW',
  'FAILED',
  'CLOSED',
  'QUEUE',
];

export function rigRow(style: Style, rig: RigItem): readonly string[] {
  const { counts } = rig;
  return [
    rig.id,
    state(style, rig.status),
    counts.open,
    rig.ready_beads,
    counts.in_progress,
    counts.in_review,
    counts.failed,
    counts.closed,
    rig.queue_length,
  ].map(String);
}

function rigTable(style: Style, rigs: readonly RigItem[]): string {
  return table(
    style,
    RIG_HEAD,
    rigs.map((rig) => rigRow(style, rig)),
  );
}

export const CONVOY_HEAD: readonly string[] = ['CONVOY', 'STATE', 'DONE', 'TITLE', 'AGE'];

const REVERTED_WORDS = { running: ', being reverted', done: ', reverted', failed: ', revert failed' } as const;

export function convoyRow(style: Style, convoy: ConvoyItem): readonly string[] {
  const failed = convoy.failed_beads === 0 ? '' : ` (${String(convoy.failed_beads)} failed)`;
  return [
    convoy.id,
    `${state(style, convoy.phase)}${convoy.reverted === null ? '' : REVERTED_WORDS[convoy.reverted]}`,
    `${String(convoy.closed_beads)}/${String(convoy.total_beads)}${failed}`,
    convoy.title,
    ago(style, convoy.created_at),
  ];
}

function convoyTable(style: Style, convoys: readonly ConvoyItem[]): string {
  return table(
    style,
    CONVOY_HEAD,
    convoys.map((convoy) => convoyRow(style, convoy)),
  );
}

export const agents: CommandSpec = {
  usage: 'gt agents [--rig <rig>]',
  summary: 'list the agents: what each has on its hook, and since when it is quiet',
  examples: ['gt agents', 'gt agents --rig app --json'],
  options: { rig: { type: 'string', value: 'rig', help: 'only of this rig' } },
  run: async (context, args) => {
    const page = await clientOf(context).get<Items<AgentItem>>(`agents${query({ rig: args.text('rig') })}`);
    const { style } = context;
    return printItems(context, page, {
      head: ['AGENT', 'STATE', 'HOOK', 'RUNTIME', 'ISOLATION', 'ACTIVE', 'MESSAGE'],
      row: (agent) => [
        agent.id,
        state(style, agent.status),
        agent.hook ?? '-',
        agent.runtime ?? '-',
        isolationBadge(style, agent.isolation),
        ago(style, agent.last_activity_at),
        agent.status_message ?? '',
      ],
      empty: 'No agents yet: they come with the first work. Try: gt sling "<title>" --rig <rig>',
    });
  },
};

export const mq: CommandSpec = {
  usage: 'gt mq [--rig <rig>]',
  summary: 'the merge trains in order, and why each waits',
  examples: ['gt mq', 'gt mq --rig app --json'],
  options: { rig: { type: 'string', value: 'rig', help: 'only of this rig' } },
  run: async (context, args) => {
    const page = await clientOf(context).get<Items<QueueItem>>(`mq${query({ rig: args.text('rig') })}`);
    const { style } = context;
    return printItems(context, page, {
      head: ['RIG', 'PLACE', 'ID', 'STATE', 'BRANCH', 'WAITED', 'WHY'],
      row: (entry) => [
        entry.rig,
        entry.place === null ? '-' : String(entry.place),
        entry.id,
        state(style, entry.why.state === 'merging' ? entry.step : entry.why.state),
        entry.branch,
        ago(style, entry.queued_at),
        entry.why.sentence,
      ],
      empty: 'The merge trains are empty.',
    });
  },
};

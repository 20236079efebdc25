import type { AgentItem } from '../../api/contract/agents.ts';
import type { QueueItem } from '../../api/contract/beads.ts';
import type { WhyItem } from '../../api/contract/common.ts';
import type { ConvoyItem } from '../../api/contract/convoys.ts';
import type { RigItem } from '../../api/contract/rigs.ts';
import type { StatusItem } from '../../api/contract/town.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, paint, plain, state, table } from '../output.ts';
import type { Style } from '../output.ts';
import { query, segment, TownClient } from '../town-client.ts';

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
  summary: 'the whole town at a glance: what needs you, what moves, what waits',
  examples: ['gt status', 'gt status --json'],
  run: async (context) => {
    const client = new TownClient(context.town());
    const town = await client.get<StatusItem>('status');
    const daemon = client.isAway ? 'down' : 'up';
    context.print(context.json ? JSON.stringify({ ...town, daemon }) : statusText(context.style, town, daemon));
    return EXIT.ok;
  },
};

export const inbox: CommandSpec = {
  usage: 'gt inbox',
  summary: 'what needs a person, worst first, each with the command that helps',
  examples: ['gt inbox', 'gt inbox --json'],
  run: async (context) => {
    const client = new TownClient(context.town());
    const { attention, working_agents: working } = await client.get<StatusItem>('status');
    if (client.isAway) context.hint(`The daemon is down: ${AWAY}`);
    if (context.json) context.print(JSON.stringify({ items: attention, next: null }));
    else if (attention.length === 0) context.print(`Nothing needs you. ${String(working)} agents are working.`);
    else context.print(attentionLines(context.style, attention).join('\n'));
    return EXIT.ok;
  },
};

function attentionLines(style: Style, items: StatusItem['attention']): readonly string[] {
  return items.flatMap((item) => [
    `  ${paint(style, item.severity === 'low' ? 'dim' : 'yellow', item.severity)}  ${item.subject}  ${plain(item.sentence)} (${ago(style, item.since)})`,
    `      next: ${plain(item.next)}`,
  ]);
}

const AWAY = 'this is what was recorded last; nothing new starts or merges. Start it with: gt up';
/** The watchdog asks nobody in an idle town. */
const NOT_ASKED = 'asked only while something runs';

function statusText(style: Style, town: StatusItem, daemon: 'up' | 'down'): string {
  const isLive = (convoy: ConvoyItem): boolean => !['landed', 'failed', 'cancelled'].includes(convoy.status);
  const ready = town.rigs.reduce((sum, rig) => sum + rig.ready_beads, 0);
  const sentence = `${String(town.attention.length)} need you. ${String(town.working_agents)} working, ${String(ready)} ready, ${String(town.merged_last_hour)} merged in the last hour.`;
  const lines = [
    `${paint(style, 'bold', plain(town.name))}  ${sentence}`,
    daemon === 'down'
      ? `daemon ${state(style, daemon)}  ${AWAY}`
      : `runner ${state(style, town.runner.status)}${town.runner.status === 'unknown' ? `  ${NOT_ASKED}` : ''}`,
  ];
  for (const item of town.health.filter((one) => one.status === 'suspect' || one.status === 'down'))
    lines.push(`${plain(item.subject)} ${state(style, item.status)}  ${plain(item.detail ?? '')}`);
  if (town.attention.length > 0) {
    lines.push('', paint(style, 'bold', 'Needs you'), ...attentionLines(style, town.attention));
  }
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

export function convoyRow(style: Style, convoy: ConvoyItem): readonly string[] {
  const failed = convoy.failed_beads === 0 ? '' : ` (${String(convoy.failed_beads)} failed)`;
  return [
    convoy.id,
    state(style, convoy.status),
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
    const page = await new TownClient(context.town()).get<Items<AgentItem>>(
      `agents${query({ rig: args.text('rig') })}`,
    );
    const { style } = context;
    return printItems(context, page, {
      head: ['AGENT', 'STATE', 'HOOK', 'RUNTIME', 'ACTIVE', 'MESSAGE'],
      row: (agent) => [
        agent.id,
        state(style, agent.status),
        agent.hook ?? '-',
        agent.runtime ?? '-',
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
    const page = await new TownClient(context.town()).get<Items<QueueItem>>(`mq${query({ rig: args.text('rig') })}`);
    const { style } = context;
    return printItems(context, page, {
      head: ['PLACE', 'ID', 'STEP', 'BRANCH', 'WAITED', 'WHY'],
      row: (entry) => [
        entry.place === null ? '-' : String(entry.place),
        entry.id,
        entry.step,
        entry.branch,
        ago(style, entry.queued_at),
        entry.why.sentence,
      ],
      empty: 'The merge trains are empty.',
    });
  },
};

export const why: CommandSpec = {
  usage: 'gt why <id>',
  summary: 'what a bead, convoy or agent waits for, and which rule says so',
  examples: ['gt why app-7k3qf', 'gt why hq-cv-9m2aa --json'],
  args: ['<id>'],
  run: async (context, args) => {
    const answer = await new TownClient(context.town()).get<WhyItem>(`why/${segment(args.at(0))}`);
    if (context.json) context.print(JSON.stringify(answer));
    else {
      const { style } = context;
      const lines = [
        `${paint(style, 'bold', answer.id)}  ${state(style, answer.state)}  ${plain(answer.sentence)}`,
        `  rule   ${answer.rule}`,
      ];
      if (answer.since !== null) lines.push(`  since  ${ago(style, answer.since)}`);
      if (answer.wake_at !== null) lines.push(`  looks again ${ago(style, answer.wake_at)}`);
      if (answer.next !== null) lines.push(`  next   ${plain(answer.next)}`);
      context.print(lines.join('\n'));
    }
    return EXIT.ok;
  },
};

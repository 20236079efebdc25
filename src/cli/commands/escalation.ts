import type { EscalationItem } from '../../api/contract/escalations.ts';
import { agentEnv, ask, hasHook } from '../agent-call.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, paint, plain, state } from '../output.ts';
import { clientOf, query, segment } from '../town-client.ts';

interface EscalationPage {
  readonly items: readonly EscalationItem[];
  readonly next: string | null;
}

export const list: CommandSpec = {
  usage: 'gt escalation list [--all]',
  summary: 'what a person should know: why, how it was told, and what may be answered',
  examples: ['gt escalation list', 'gt escalation list --all --json'],
  options: { all: { type: 'boolean', help: 'resolved ones as well' } },
  run: async (context, args) => {
    const page = hasHook(context.env)
      ? await ask<EscalationPage>(agentEnv(context.env), 'GET', '/agent/escalations')
      : await clientOf(context).get<EscalationPage>(
          `escalations${query({ all: args.flag('all') ? 'true' : undefined })}`,
        );
    if (context.json) context.print(JSON.stringify(page));
    else if (page.items.length === 0) context.print('Nothing is escalated.');
    else context.print(page.items.map((item) => textOf(context, item)).join('\n\n'));
    return EXIT.ok;
  },
};

function textOf(context: Context, item: EscalationItem): string {
  const { style } = context;
  const told = item.routes.map(
    (route) =>
      `${route.route} ${route.status}${route.tries > 1 ? ` after ${String(route.tries)} tries` : ''}${route.error === null ? '' : `: ${plain(route.error)}`}`,
  );
  const who = item.acknowledged_by === null ? '' : `  acknowledged by ${plain(item.acknowledged_by)}`;
  const end = item.resolution === null ? '' : `  ${plain(item.resolution)}`;
  return [
    `${paint(style, 'bold', item.id)}  ${item.severity}  ${state(style, item.status)}  ${plain(item.subject)}  ${ago(style, item.created_at)}${who}${end}`,
    `  ${plain(item.message)}`,
    ...(told.length === 0 ? [] : [`  told: ${told.join('; ')}`]),
    ...item.options.map((option) => `  ${option.key} ${option.name}: ${plain(option.what)}`),
    ...(item.options.length === 0 ? [] : [`  next: gt why ${item.id}`]),
  ].join('\n');
}

async function command(context: Context, path: string, body: unknown): Promise<number> {
  return show(context, await clientOf(context).post<EscalationItem>(`escalations/${path}`, body));
}

function show(context: Context, item: EscalationItem): number {
  context.print(context.json ? JSON.stringify(item) : textOf(context, item));
  return EXIT.ok;
}

export const ack: CommandSpec = {
  usage: 'gt escalation ack <id>',
  summary: 'say that you take care of it: it rises no more and is told no more',
  examples: ['gt escalation ack hq-esc-7k3qf9m2', 'gt escalation ack hq-esc-7k3qf9m2 --json'],
  args: ['<id>'],
  run: async (context, args) => {
    const path = `${segment(args.at(0))}/ack`;
    if (!hasHook(context.env)) return command(context, path, {});
    const item = await ask(agentEnv(context.env), 'POST', `/agent/escalations/${path}`, {});
    return show(context, item as EscalationItem);
  },
};

export const resolve: CommandSpec = {
  usage: 'gt escalation resolve <id> [--note <text>]',
  summary: 'say that it is over; if its cause comes back, it is a new escalation',
  examples: ['gt escalation resolve hq-esc-7k3qf9m2', 'gt escalation resolve hq-esc-7k3qf9m2 --note "disk replaced"'],
  args: ['<id>'],
  options: { note: { type: 'string', value: 'text', help: 'what was done, for the account' } },
  run: (context, args) => command(context, `${segment(args.at(0))}/resolve`, { note: args.text('note') }),
};

export const decide: CommandSpec = {
  usage: 'gt escalation decide <id> <option>',
  summary: 'answer it with one of its options, by letter or by name; the answer is applied',
  examples: ['gt escalation decide hq-esc-7k3qf9m2 A', 'gt escalation decide hq-esc-7k3qf9m2 retry'],
  args: ['<id>', '<option>'],
  run: (context, args) => command(context, `${segment(args.at(0))}/decide`, { option: args.at(1) }),
};

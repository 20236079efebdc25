import type { WhyItem } from '../../api/contract/common.ts';
import type { AttentionWire } from '../../api/contract/town.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, paint, plain, state } from '../output.ts';
import type { Style, Tone } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';

export const inbox: CommandSpec = {
  usage: 'gt inbox',
  summary: 'what needs a person, worst first, each with the command that helps',
  examples: ['gt inbox', 'gt inbox --json'],
  run: async (context) => {
    const page = await clientOf(context).get<{ items: AttentionWire[]; next: string | null }>('attention');
    if (context.json) context.print(JSON.stringify(page));
    else if (page.items.length === 0) context.print('Nothing needs you.');
    else context.print(attentionLines(context.style, page.items).join('\n'));
    return EXIT.ok;
  },
};

const TONES: Readonly<Record<AttentionWire['severity'], Tone>> = {
  low: 'dim',
  medium: 'yellow',
  high: 'red',
  critical: 'red',
};

/** Two lines an item: what and why, then the command. */
export function attentionLines(style: Style, items: readonly AttentionWire[]): readonly string[] {
  return items.flatMap((item) => {
    const since = item.since === null ? [] : [ago(style, item.since)];
    const care = item.acknowledged_by === null ? [] : [`${plain(item.acknowledged_by)} takes care of it`];
    const aside = [...since, ...care].join(', ');
    const title = item.title === null || item.kind === 'mail' ? '' : `  ${paint(style, 'bold', plain(item.title))}`;
    return [
      `  ${paint(style, TONES[item.severity], item.severity)}  ${item.subject}${title}  ${plain(item.sentence)} ${aside === '' ? '' : `(${aside})`}`.trimEnd(),
      `      next: ${plain(item.command)}`,
    ];
  });
}

export const why: CommandSpec = {
  usage: 'gt why [id]',
  summary: 'why it is where it is, by which rule, since when, and what would change it',
  examples: ['gt why app-7k3qf', 'gt why hq-cv-9m2aa --json'],
  args: ['[id]'],
  notes:
    'The id is of a bead, merge request, convoy, escalation or mail, or the name of a rig or agent, "runner" or "daemon".\nWithout one: what needs a person most.',
  run: async (context, args) => {
    const id = args.positionals[0] ?? '_';
    const answer = await clientOf(context).get<WhyItem>(`why/${segment(id)}`);
    context.print(context.json ? JSON.stringify(answer) : whyText(context.style, answer));
    return EXIT.ok;
  },
};

function whyText(style: Style, answer: WhyItem): string {
  const lines = [
    `${paint(style, 'bold', answer.id)}  ${state(style, answer.state)}  ${plain(answer.sentence)}`,
    `  rule   ${answer.rule}`,
  ];
  if (answer.since !== null) lines.push(`  since  ${ago(style, answer.since)}`);
  if (answer.wake_at !== null && answer.wake_at > Date.now()) lines.push(`  looks again ${ago(style, answer.wake_at)}`);
  if (answer.next !== null) lines.push(`  next   ${plain(answer.next)}`);
  if (answer.command !== null) lines.push(`  run    ${plain(answer.command)}`);
  return lines.join('\n');
}

import type { AgentItem } from '../../api/contract/agents.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, paint, plain, state } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';
import { isolationBadge } from './watch.ts';

export const showAgent: CommandSpec = {
  usage: 'gt agent show <agent>',
  summary: 'one agent: its hook, its session, and how it is shut in',
  examples: ['gt agent show nux', 'gt agent show app/polecats/nux --json'],
  args: ['<agent>'],
  run: async (context, args) => {
    const agent = await clientOf(context).get<AgentItem>(`agents/${segment(args.at(0))}`);
    const { style } = context;
    const rows: readonly (readonly [string, string])[] = [
      ['hook', agent.hook ?? '-'],
      ['session', `${agent.attempt_id ?? '-'}  epoch ${String(agent.epoch)}`],
      ['runtime', agent.runtime ?? '-'],
      ['isolation', isolationBadge(style, agent.isolation)],
      ['active', ago(style, agent.last_activity_at)],
      ['says', plain(agent.status_message ?? '-')],
    ];
    context.print(
      context.json
        ? JSON.stringify(agent)
        : [
            `${paint(style, 'bold', plain(agent.id))}  ${state(style, agent.status)}`,
            ...rows.map(([name, value]) => `  ${name.padEnd(11)}${value}`),
          ].join('\n'),
    );
    return EXIT.ok;
  },
};

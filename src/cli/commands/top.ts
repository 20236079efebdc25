import type { CommandSpec } from '../command.ts';
import { awayText } from '../away.ts';
import { EXIT } from '../exit-codes.ts';
import { TownClient } from '../town-client.ts';
import { Reader } from '../top/reader.ts';
import { textOf } from '../top/screen.ts';
import { Terminal } from '../top/terminal.ts';

export const top: CommandSpec = {
  usage: 'gt top [--once]',
  summary: 'the dashboard in a terminal, live: inbox, convoys, agents, train and costs, with the same keys',
  examples: ['gt top', 'gt top --once', 'gt top --json'],
  options: { once: { type: 'boolean', help: 'print it once, as text' } },
  notes:
    'Keys: j k move, Enter open, w why, n next that needs you, / filter, g and i c a m $ for the lists, ? all keys, q leave.\n' +
    'Where stdout is no terminal, or with --json, it prints once. It reads only, starts nothing and spends nothing.',
  run: async (context, args) => {
    const town = context.town();
    const reader = new Reader(new TownClient(town), town.remote === undefined);
    const isScreen = context.style.terminal && process.stdin.isTTY && context.env['TERM'] !== 'dumb';
    if (isScreen && !context.json && !args.flag('once')) return new Terminal(context, reader).run();
    const now = await reader.read();
    if (reader.isAway) context.hint(awayText(town));
    if (context.json) {
      const { status, agents, queue, costs } = now;
      context.print(JSON.stringify({ ...status, agents, queue, costs, daemon: reader.isAway ? 'down' : 'up' }));
    } else context.print(textOf(now, context.style));
    return EXIT.ok;
  },
};

import type { BeadItem } from '../../api/contract/beads.ts';
import type { AnswerItem } from '../../api/contract/talk.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { plain } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';
import { printBead } from './bead.ts';

export const reassign: CommandSpec = {
  usage: 'gt bead reassign <id> <agent>',
  summary: 'give a bead to one agent; a session of another one at it ends, its work is kept',
  examples: ['gt bead reassign app-7k3qf nux', 'gt bead reassign app-7k3qf app/polecats/slit --json'],
  args: ['<id>', '<agent>'],
  run: async (context, args) => {
    const client = clientOf(context);
    const path = `beads/${segment(args.at(0))}/reassign`;
    printBead(context, await client.post<BeadItem>(path, { agent: args.at(1) }));
    return EXIT.ok;
  },
};

export const reset: CommandSpec = {
  usage: 'gt agent reset <agent>',
  summary: 'end the session of an agent; a fresh one goes on without its checkpoint, commits are kept',
  examples: ['gt agent reset nux', 'gt agent reset app/polecats/nux --json'],
  args: ['<agent>'],
  run: async (context, args) => {
    const path = `agents/${segment(args.at(0))}/reset`;
    const answer = await clientOf(context).post<AnswerItem>(path, {});
    context.print(context.json ? JSON.stringify(answer) : plain(answer.answer));
    return EXIT.ok;
  },
};

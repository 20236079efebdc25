import type { ConvoyDetailItem } from '../../api/contract/convoys.ts';
import { usage } from '../../core/errors.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { segment, TownClient } from '../town-client.ts';
import { planOf, printConvoy } from './convoy.ts';

async function send(context: Context, path: string, body: unknown): Promise<number> {
  printConvoy(context, await new TownClient(context.town()).post<ConvoyDetailItem>(`convoys/${path}`, body));
  return EXIT.ok;
}

export const add: CommandSpec = {
  usage: 'gt convoy add <id> --file <plan> | --bead <id>…',
  summary: 'more beads for a convoy that has not ended: all of them join, or none',
  examples: ['gt convoy add hq-cv-9m2aa --file more.toml', 'gt convoy add hq-cv-9m2aa --bead app-7k3qf'],
  args: ['<id>'],
  options: {
    file: { type: 'string', value: 'plan', help: 'a plan in TOML or JSON; - is stdin (JSON)' },
    bead: { type: 'string', value: 'id', help: 'a bead that exists; repeat, or separate by commas' },
  },
  notes: 'Positions in depends_on count from 0 within this plan; beads that the convoy has are named by id.',
  run: async (context, args) => send(context, `${segment(args.at(0))}/add`, await planOf(args)),
};

export const remove: CommandSpec = {
  usage: 'gt convoy remove <id> <bead…>',
  summary: 'take beads out; they go on by themselves, and the convoy no longer waits for them',
  examples: ['gt convoy remove hq-cv-9m2aa app-7k3qf', 'gt convoy remove hq-cv-9m2aa app-7k3qf lib-9m2aa'],
  args: ['<id>', '<bead…>'],
  run: (context, args) => send(context, `${segment(args.at(0))}/remove`, { beads: args.positionals.slice(1) }),
};

export const update: CommandSpec = {
  usage: 'gt convoy update <id> [--title <text>] [--on-failure hold|skip|abort]',
  summary: 'change the title, or what happens when a bead fails',
  examples: ['gt convoy update hq-cv-9m2aa --on-failure skip', 'gt convoy update hq-cv-9m2aa --title "Login, again"'],
  args: ['<id>'],
  options: {
    title: { type: 'string', value: 'text', help: 'a new title' },
    'on-failure': {
      type: 'string',
      value: 'policy',
      help: 'hold: ask a person; skip: cancel what waits for a failed bead, land the rest; abort: cancel what has not started',
    },
  },
  run: async (context, args) => {
    const body = { title: args.text('title'), on_failure: args.text('on-failure') };
    if (body.title === undefined && body.on_failure === undefined)
      throw usage('nothing_to_change', 'There is nothing to change.', 'Give --title or --on-failure.', 'title');
    return send(context, `${segment(args.at(0))}/update`, body);
  },
};

export const close: CommandSpec = {
  usage: 'gt convoy close <id> [--note <text>]',
  summary: 'end a convoy: what has not ended is cancelled, what was merged stays merged',
  examples: ['gt convoy close hq-cv-9m2aa', 'gt convoy close hq-cv-9m2aa --note "not needed any more"'],
  args: ['<id>'],
  options: { note: { type: 'string', value: 'text', help: 'why, for the account' } },
  run: (context, args) => send(context, `${segment(args.at(0))}/close`, { note: args.text('note') }),
};

import type { ConvoyDetailItem } from '../../api/contract/convoys.ts';
import { usage } from '../../core/errors.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { clientOf, segment } from '../town-client.ts';
import { planOf, printConvoy } from './convoy.ts';

/** What joins a convoy: how it merges and lands was said when it was created. */
async function workOf(args: Arguments): Promise<{ readonly tasks?: unknown; readonly beads?: unknown }> {
  const { tasks, beads, ...about } = await planOf(args);
  const [odd] = Object.entries(about).find(([, value]) => value !== undefined) ?? [];
  if (odd !== undefined)
    throw usage('not_for_additions', `${odd} belongs to a new convoy, not to an addition.`, 'Leave it out.', odd);
  return { tasks, beads };
}

async function send(context: Context, path: string, body: unknown): Promise<number> {
  printConvoy(context, await clientOf(context).post<ConvoyDetailItem>(`convoys/${path}`, body));
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
  run: async (context, args) => send(context, `${segment(args.at(0))}/add`, await workOf(args)),
};

export const remove: CommandSpec = {
  usage: 'gt convoy remove <id> <bead…>',
  summary: 'take beads out; they go on by themselves, and the convoy no longer waits for them',
  examples: ['gt convoy remove hq-cv-9m2aa app-7k3qf', 'gt convoy remove hq-cv-9m2aa app-7k3qf lib-9m2aa'],
  args: ['<id>', '<bead…>'],
  run: (context, args) => send(context, `${segment(args.at(0))}/remove`, { beads: args.positionals.slice(1) }),
};

export const update: CommandSpec = {
  usage: 'gt convoy update <id> [--title <text>] [--on-failure hold|skip|abort] [--landing-order <rigs>]',
  summary: 'change the title, what happens when a bead fails, or the order in which rigs land',
  examples: ['gt convoy update hq-cv-9m2aa --on-failure skip', 'gt convoy update hq-cv-9m2aa --title "Login, again"'],
  args: ['<id>'],
  options: {
    title: { type: 'string', value: 'text', help: 'a new title' },
    'landing-order': {
      type: 'string',
      value: 'rig',
      help: 'rigs in the order in which they land, before it lands; repeat, or separate by commas',
    },
    'on-failure': {
      type: 'string',
      value: 'policy',
      help: 'hold: ask a person; skip: cancel what waits for a failed bead, land the rest; abort: cancel what has not started',
    },
  },
  run: async (context, args) => {
    const order = args.list('landing-order');
    const body = {
      title: args.text('title'),
      on_failure: args.text('on-failure'),
      landing_order: order.length > 0 ? order : undefined,
    };
    if (Object.values(body).every((value) => value === undefined))
      throw usage(
        'nothing_to_change',
        'There is nothing to change.',
        'Give --title, --on-failure or --landing-order.',
        'title',
      );
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

export const revert: CommandSpec = {
  usage: 'gt convoy revert <id>',
  summary: 'undo what an ended convoy landed: one merge request per rig, through the gates; nothing is rewritten',
  examples: ['gt convoy revert hq-cv-9m2aa', 'gt convoy revert hq-cv-9m2aa --json'],
  args: ['<id>'],
  notes:
    'What can be undone by itself is; where later work changed the same places an agent does it. Asking again changes nothing, unless a revert failed: then it is tried once more.',
  run: (context, args) => send(context, `${segment(args.at(0))}/revert`, {}),
};

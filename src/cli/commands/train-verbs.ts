import type { RigItem } from '../../api/contract/rigs.ts';
import { usage } from '../../core/errors.ts';
import { parseRigName } from '../../core/model/ids.ts';
import type { Arguments } from '../arguments.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain, state } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';
import { verb } from './bead-verbs.ts';

const TARGET = {
  type: 'string',
  value: 'branch',
  help: 'the train of this branch; without: of the target of the rig',
} as const;

/** Errors: `no_reason`. */
function reasonOf(args: Arguments, why: string): string {
  const reason = args.text('reason');
  if (reason !== undefined && reason.trim() !== '') return reason;
  throw usage('no_reason', 'This needs its reason.', `Add --reason "<why>": ${why}`, 'reason');
}

async function order(context: Context, args: Arguments, verb: 'pause' | 'resume', body: object): Promise<number> {
  const target = args.text('target');
  const path = `rigs/${segment(parseRigName(args.at(0)))}/mq/${verb}`;
  const rig = await clientOf(context).post<RigItem>(path, { ...body, target });
  if (context.json) {
    context.print(JSON.stringify(rig));
    return EXIT.ok;
  }
  const branch = target ?? rig.target_branch;
  const train = rig.stopped_trains.find((one) => one.target === branch);
  const rest = train === undefined ? '' : `  ${String(train.waiting)} in line: ${plain(train.reason ?? '')}`;
  const name = paint(context.style, 'bold', `${rig.id} → ${plain(branch)}`);
  context.print(`${name}  ${state(context.style, train?.status ?? 'running')}${rest}`);
  return EXIT.ok;
}

export const pause: CommandSpec = {
  usage: 'gt mq pause <rig> --reason <why> [--target <branch>]',
  summary: 'let the merge train begin nothing more; what it is at ends, with its push',
  examples: [
    'gt mq pause app --reason "release 2.1 is being cut"',
    'gt mq pause app --target next --reason "the runner moves"',
  ],
  args: ['<rig>'],
  options: { reason: { type: 'string', value: 'why', help: 'what everybody who waits is told' }, target: TARGET },
  run: (context, args) => {
    return order(context, args, 'pause', { reason: reasonOf(args, 'who waits is told.') });
  },
};

export const resume: CommandSpec = {
  usage: 'gt mq resume <rig> [--target <branch>]',
  summary: 'let a paused merge train go on',
  examples: ['gt mq resume app', 'gt mq resume app --target next'],
  args: ['<rig>'],
  options: { target: TARGET },
  run: (context, args) => order(context, args, 'resume', {}),
};

export const bounce: CommandSpec = {
  usage: 'gt mq bounce <id> --reason <why>',
  summary: 'send an entry out of the train as rework, like "gt request-changes"; by its bead or its merge request',
  examples: [
    'gt mq bounce app-7k3qf --reason "it must not land before the release"',
    'gt mq bounce app-7k3qf --reason "rename it" --json',
  ],
  args: ['<id>'],
  options: { reason: { type: 'string', value: 'why', help: 'what should change; its agent reads it' } },
  run: (context, args) =>
    verb(context, [args.at(0)], {
      path: 'request-changes',
      body: { comment: reasonOf(args, 'its agent reads it.') },
    }),
};

export const retry: CommandSpec = {
  usage: 'gt mq retry <id…>',
  summary: 'have entries looked at again now, like "gt bead retry"; a red target is tried at once',
  examples: ['gt mq retry app-7k3qf', 'gt mq retry app-7k3qf --json'],
  args: ['<id>', '[id…]'],
  run: (context, args) => verb(context, args.positionals, { path: 'retry', body: {} }),
};

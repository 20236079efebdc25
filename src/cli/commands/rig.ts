import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RigItem } from '../../api/contract/rigs.ts';
import { TownError } from '../../core/errors.ts';
import { parseRigName } from '../../core/model/ids.ts';
import type { CommandSpec } from '../command.ts';
import type { Arguments } from '../arguments.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';
import { scriptSentence } from '../missing-recipe.ts';
import { clientOf } from '../town-client.ts';
import { printItems, RIG_HEAD, rigRow } from './watch.ts';

const POLECATS_LIMIT = 100;

export const add: CommandSpec = {
  usage: 'gt rig add <name> <git-url-or-path> [options]',
  summary: 'put a git repository under management; a working clone stands for its origin',
  examples: [
    'gt rig add app git@example.com:me/app.git --gate test="npm test"',
    'gt rig add lib ~/src/lib --create-bare --prefix lib',
  ],
  args: ['<name>', '<git-url-or-path>'],
  options: {
    prefix: { type: 'string', value: 'prefix', help: 'start of its bead ids (default: from the name)' },
    branch: { type: 'string', value: 'name', help: 'branch that work is merged into (default: its HEAD)' },
    gate: {
      type: 'string',
      value: 'name=cmd',
      help: 'a check that must pass before a merge; repeat; name@5m=cmd limits its time',
    },
    'polecats-max': { type: 'string', value: 'n', help: 'agents at once' },
    runtime: { type: 'string', value: 'name', help: 'agent program' },
    model: { type: 'string', value: 'name', help: 'model' },
    command: { type: 'string', value: 'line', help: 'for the runtime "command": what to run' },
    'create-bare': {
      type: 'boolean',
      help: 'for a clone without an origin: make a bare repository in the town and use that',
    },
  },
  run: async (context, args) => {
    const body = await rigBody(context, args);
    try {
      const rig = await clientOf(context).post<RigItem>('rigs', body);
      say(
        context,
        { name: rig.id, url: rig.url, branch: rig.target_branch, prefix: rig.prefix, runtime: rig.runtime },
        rig,
      );
    } catch (error) {
      if (!(error instanceof TownError) || error.code !== 'daemon_down') throw error;
      await addOffline(context, body);
    }
    return EXIT.ok;
  },
};

type Body = Awaited<ReturnType<typeof rigBody>>;

async function rigBody(context: Context, args: Arguments) {
  const { parseGateFlag } = await import('../../hosts/node/rig-add.ts');
  const url = args.at(1);
  const isPath = !/^[a-z][a-z0-9+.-]*:/i.test(url) && !/^[^/\s]+@[^/\s]+:/.test(url);
  return {
    name: parseRigName(args.at(0)),
    url: isPath && (existsSync(resolve(context.cwd, url)) || !url.startsWith('-')) ? resolve(context.cwd, url) : url,
    prefix: args.text('prefix'),
    target_branch: args.text('branch'),
    gates: args.raw('gate').map(parseGateFlag),
    polecats_max: args.number('polecats-max', { min: 0, max: POLECATS_LIMIT }),
    runtime: args.text('runtime'),
    model: args.text('model'),
    command: args.text('command'),
    create_bare: args.flag('create-bare') ? true : undefined,
  };
}

/** Without a daemon the section is written; the daemon registers the rig at its next start. */
async function addOffline(context: Context, body: Body): Promise<void> {
  const { recordRig } = await import('../../hosts/node/rig-record.ts');
  const { addRigSchema } = await import('../../api/contract/rigs.ts');
  const checked = addRigSchema.safeParse(JSON.parse(JSON.stringify(body)));
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new TownError('usage', 'bad_field', {
      message: `${issue?.path.map(String).join('.') ?? 'an option'} is not valid: ${issue?.message ?? ''}.`,
      next: 'Correct it and try again; nothing was changed.',
    });
  }
  const { config } = await recordRig(checked.data, context.town().paths, () => Promise.resolve(null));
  const wire = {
    id: config.name,
    status: 'ready',
    prefix: config.prefix,
    url: config.url,
    target_branch: config.targetBranch,
    gates: config.gates.map((gate) => gate.name),
    polecats_max: config.polecatsMax,
    runtime: config.runtime,
  };
  const { name, url, prefix, targetBranch: branch, runtime } = config;
  say(context, { name, url, branch, prefix, runtime }, wire);
}

function say(
  context: Context,
  rig: Readonly<Record<'name' | 'url' | 'branch' | 'prefix' | 'runtime', string>>,
  wire: unknown,
): void {
  if (context.json) {
    context.print(JSON.stringify(wire));
    return;
  }
  context.print(
    `${paint(context.style, 'bold', rig.name)}  ${plain(rig.url)}  branch ${rig.branch}  beads ${rig.prefix}-…`,
  );
  if (rig.runtime === 'script')
    context.hint(`${scriptSentence(rig.name)} For an AI: gt rig config ${rig.name} --runtime claude`);
  context.hint(`Give it work with: gt sling "<title>" --rig ${rig.name}`);
}

export const list: CommandSpec = {
  usage: 'gt rig list',
  summary: 'list the rigs',
  examples: ['gt rig list', 'gt rig list --json'],
  run: async (context) => {
    const page = await clientOf(context).get<{ items: RigItem[]; next: string | null }>('rigs');
    return printItems(context, page, {
      head: RIG_HEAD,
      row: (rig) => rigRow(context.style, rig),
      empty: 'No rigs yet. Add one with: gt rig add <name> <git-url-or-path>',
    });
  },
};

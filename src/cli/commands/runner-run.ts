import { resolve } from 'node:path';
import { usage } from '../../core/errors.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

const CAPACITY_MAX = 1_000;

export const run: CommandSpec = {
  usage:
    'gt runner --town <address> --dir <folder> [--token-file <file>] [--listen <host:port>] [--capacity <n>] [--labels <a,b>]',
  summary: 'run agents of a town on this machine: it dials out, so it works behind NAT',
  examples: [
    'gt runner --town https://town.example.com --dir ~/gt-runner --token-file ~/big-box.token --labels gpu',
    'GT_RUNNER_TOKEN=… gt runner --town http://127.0.0.1:7700 --dir /data --listen 127.0.0.1:7701',
  ],
  options: {
    dir: { type: 'string', value: 'folder', help: 'everything of this runner lies there' },
    'token-file': {
      type: 'string',
      value: 'file',
      help: 'its token (or the variable GT_RUNNER_TOKEN); read again at each connect',
    },
    listen: { type: 'string', value: 'host:port', help: 'wait there for the town instead of dialling it' },
    capacity: { type: 'string', value: 'n', help: 'agents of one rig at once (default: two per core)' },
    labels: { type: 'string', value: 'a,b', help: 'what rigs may ask for with runner_labels' },
    insecure: { type: 'boolean', help: 'allow http to another machine: only in a network that nobody else can read' },
  },
  run: async (context, args) => {
    const { runRemoteRunner } = await import('../../hosts/node/run-runner.ts');
    const dir = args.text('dir');
    if (context.townFlag === undefined || dir === undefined)
      throw usage(
        'missing_value',
        'A runner needs --town <address> and --dir <folder>.',
        'See "gt help runner".',
        'town',
      );
    const file = args.text('token-file');
    await runRemoteRunner({
      url: context.townFlag,
      dir: resolve(context.cwd, dir),
      tokenFile: file === undefined ? null : resolve(context.cwd, file),
      env: context.env,
      listen: args.text('listen') ?? null,
      capacity: args.number('capacity', { min: 1, max: CAPACITY_MAX }) ?? null,
      labels: args.list('labels'),
      insecure: args.flag('insecure'),
    });
    return EXIT.ok;
  },
};

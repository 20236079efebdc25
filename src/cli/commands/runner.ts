import type { RunnerItem, RunnerTokenItem } from '../../api/contract/runners.ts';
import { usage } from '../../core/errors.ts';
import { isLoopback } from '../../hosts/node/remote-town.ts';
import { parseDurationMs } from '../../settings/duration.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { ago, plain, state } from '../output.ts';
import { clientOf, segment } from '../town-client.ts';
import { printItems } from './watch.ts';

export const add: CommandSpec = {
  usage: 'gt runner add <name> [--url <address> [--insecure]]',
  summary: 'let a runner on another machine join; its token is printed once',
  examples: ['gt runner add big-box > big-box.token', 'gt runner add box --url https://box.example.com'],
  args: ['<name>'],
  options: {
    url: { type: 'string', value: 'address', help: 'call it there, instead of waiting to be dialled' },
    insecure: { type: 'boolean', help: 'allow http to another machine: only in a network that nobody else can read' },
  },
  run: async (context, args) => {
    const url = args.text('url');
    if (url !== undefined && !args.flag('insecure')) refusePlain(url);
    const made = await clientOf(context).post<RunnerTokenItem>('runners', { name: args.at(0), url });
    tokenMade(context, made, url === undefined ? '' : ' --listen <host:port that this address leads to>');
    return EXIT.ok;
  },
};

export const rotate: CommandSpec = {
  usage: 'gt runner rotate <name>',
  summary: 'a new token for a runner; the old one ends with the first use of the new one',
  examples: ['gt runner rotate big-box > big-box.token', 'gt runner rotate big-box --json'],
  args: ['<name>'],
  run: async (context, args) => {
    const path = `runners/${segment(args.at(0))}/rotate`;
    tokenMade(context, await clientOf(context).post<RunnerTokenItem>(path, {}));
    return EXIT.ok;
  },
};

/** Errors: `insecure_url`. What is no address is refused by the town. */
function refusePlain(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' || isLoopback(url.hostname)) return;
  throw usage(
    'insecure_url',
    `The line to ${url.host} would be readable by everybody on the way: prompts, work and the agents' rights.`,
    'Use https, or a tunnel to loopback ("ssh -L"). In a network that nobody else can read, say --insecure.',
    'url',
  );
}

/** The token alone on stdout, so that it can go into a file without a person or a log reading it. */
function tokenMade(context: Context, made: RunnerTokenItem, more = ''): void {
  if (context.json) {
    context.print(JSON.stringify(made));
    return;
  }
  context.print(made.token);
  context.hint(
    `Put it into a file on the runner's machine (chmod 600) and start: gt runner --town <this town's address> --token-file <file> --dir <folder>${more}`,
  );
}

export const remove: CommandSpec = {
  usage: 'gt runner remove <name> [--lost]',
  summary: 'take the rights of a runner',
  examples: ['gt runner remove big-box', 'gt runner remove big-box --lost'],
  args: ['<name>'],
  options: {
    lost: { type: 'boolean', help: 'its machine is gone for good: work that was there goes on elsewhere now' },
  },
  run: async (context, args) => {
    const body = args.flag('lost') ? { lost: true } : {};
    const path = `runners/${segment(args.at(0))}/remove`;
    const answer = await clientOf(context).post<{ removed: string }>(path, body);
    context.print(
      context.json ? JSON.stringify(answer) : `${plain(answer.removed)} is no runner of this town any more.`,
    );
    return EXIT.ok;
  },
};

export const drain: CommandSpec = {
  usage: 'gt runner drain <name> [--grace <duration>]',
  summary: 'give a runner nothing new; "local" is the one beside the daemon',
  examples: ['gt runner drain big-box', 'gt runner drain local --grace 10m'],
  args: ['<name>'],
  options: {
    grace: {
      type: 'string',
      value: 'duration',
      help: 'then stop its agents and go on elsewhere (default: wait for them)',
    },
  },
  run: async (context, args) => {
    const grace = args.text('grace');
    const body = grace === undefined ? {} : { grace_ms: parseDurationMs(grace, 'grace') };
    return change(context, `runners/${segment(args.at(0))}/drain`, body);
  },
};

export const undrain: CommandSpec = {
  usage: 'gt runner undrain <name>',
  summary: 'let a runner take work again',
  examples: ['gt runner undrain big-box', 'gt runner undrain local'],
  args: ['<name>'],
  run: (context, args) => change(context, `runners/${segment(args.at(0))}/undrain`, {}),
};

async function change(context: Context, path: string, body: object): Promise<number> {
  const runner = await clientOf(context).post<RunnerItem>(path, body);
  if (context.json) context.print(JSON.stringify(runner));
  else context.print(`${plain(runner.id)}  ${state(context.style, runner.status)}  ${String(runner.agents)} agents`);
  return EXIT.ok;
}

const HEAD = ['RUNNER', 'STATE', 'AGENTS', 'CAPACITY', 'LABELS', 'SEEN'];
const row = (context: Context, runner: RunnerItem): readonly string[] => [
  plain(runner.id),
  state(context.style, runner.status),
  String(runner.agents),
  runner.capacity === null ? '-' : String(runner.capacity),
  runner.labels.length === 0 ? '-' : plain(runner.labels.join(',')),
  runner.last_seen_at === null ? 'never' : ago(context.style, runner.last_seen_at),
];

export const list: CommandSpec = {
  usage: 'gt runner list',
  summary: 'list the runners: state, load, capacity, labels',
  examples: ['gt runner list', 'gt runner list --json'],
  run: async (context) => {
    const page = await clientOf(context).get<{ items: RunnerItem[]; next: string | null }>('runners');
    return printItems(context, page, {
      head: HEAD,
      row: (runner) => row(context, runner),
      empty: 'No runner was met yet; the one beside the daemon starts with it: gt up',
    });
  },
};

const notMet = ({ unmet }: RunnerItem): readonly string[] =>
  unmet === null ? [] : [`  not met   ${plain(unmet)}; tried again every few seconds`];

export const show: CommandSpec = {
  usage: 'gt runner show <name>',
  summary: 'one runner in full',
  examples: ['gt runner show big-box', 'gt runner show local --json'],
  args: ['<name>'],
  run: async (context, args) => {
    const runner = await clientOf(context).get<RunnerItem>(`runners/${segment(args.at(0))}`);
    if (context.json) context.print(JSON.stringify(runner));
    else {
      const versions = Object.entries(runner.versions).map(([name, version]) => `${name} ${version}`);
      const [id = '', status = '', agents = '', capacity = '', labels = '', seen = ''] = row(context, runner);
      context.print(
        [
          `${id}  ${status}`,
          `  agents    ${agents} (capacity per rig ${capacity})`,
          `  labels    ${labels}`,
          `  seen      ${seen}${runner.instance === null ? '' : `, instance ${plain(runner.instance)}`}`,
          `  reached   ${runner.url === null ? (runner.id === 'local' ? 'beside the daemon' : 'it dials in') : plain(runner.url)}`,
          ...notMet(runner),
          `  versions  ${plain(versions.join(', '))}`,
          ...(runner.rotating ? ['  a new token waits for its first use'] : []),
        ].join('\n'),
      );
    }
    return EXIT.ok;
  },
};

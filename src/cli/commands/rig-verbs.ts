import type { RigItem, RigRemovalItem } from '../../api/contract/rigs.ts';
import { TownError, usage } from '../../core/errors.ts';
import type { RigDrain, RigSettings } from '../../core/commands.ts';
import { parseRigName } from '../../core/model/ids.ts';
import type { Arguments } from '../arguments.ts';
import type { Town } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, state } from '../output.ts';
import { clientOf, segment, TownClient } from '../town-client.ts';

const POLECATS_LIMIT = 100;
/** Agents take minutes; a person who watches sees the numbers fall. */
const DRAIN_LOOK_MS = 1_000;

/** Asks the daemon; without one the town's file alone is changed, and counts from the next start on. */
async function change(
  context: Context,
  name: string,
  call: { readonly path: string; readonly body: unknown; readonly settings: RigSettings },
): Promise<number> {
  const rig = parseRigName(name);
  try {
    const answer = await clientOf(context).post<RigItem>(`rigs/${segment(rig)}/${call.path}`, call.body);
    if (context.json) context.print(JSON.stringify(answer));
    else context.print(`${paint(context.style, 'bold', answer.id)}  ${state(context.style, answer.status)}`);
  } catch (error) {
    if (!(error instanceof TownError) || error.code !== 'daemon_down') throw error;
    const { changeRigSettings } = await import('../../hosts/node/rig-change.ts');
    const { mustTakeOf } = await import('../../hosts/node/must-take.ts');
    const { paths } = context.town();
    const after = changeRigSettings(paths, rig, call.settings, { env: context.env, mustTake: mustTakeOf(paths) });
    const status = after.parked ? 'parked' : 'ready';
    if (context.json) context.print(JSON.stringify({ id: rig, status }));
    else context.print(`${paint(context.style, 'bold', rig)}  ${state(context.style, status)}`);
    context.hint('The daemon is down; this counts when it starts.');
  }
  return EXIT.ok;
}

export const park: CommandSpec = {
  usage: 'gt rig park <name>',
  summary: 'start nothing new of a rig; what runs goes on to its end',
  examples: ['gt rig park app', 'gt rig park app --json'],
  args: ['<name>'],
  run: (context, args) => change(context, args.at(0), { path: 'park', body: {}, settings: { parked: true } }),
};

export const unpark: CommandSpec = {
  usage: 'gt rig unpark <name>',
  summary: 'let the work of a parked rig go on',
  examples: ['gt rig unpark app', 'gt rig unpark app --json'],
  args: ['<name>'],
  run: (context, args) => change(context, args.at(0), { path: 'unpark', body: {}, settings: { parked: false } }),
};

export const retry: CommandSpec = {
  usage: 'gt rig retry <name>',
  summary: 'try again now what could not be started: you say that the cause is mended',
  examples: ['gt rig retry app', 'gt rig retry app --json'],
  args: ['<name>'],
  notes: 'The open breakers of the rig close, also those of a runtime or a runner. They probe by themselves as well.',
  run: async (context, args) => {
    const rig = await clientOf(context).post<RigItem>(`rigs/${segment(parseRigName(args.at(0)))}/retry`, {});
    if (context.json) context.print(JSON.stringify(rig));
    else context.print(`${paint(context.style, 'bold', rig.id)}  ${state(context.style, rig.status)}`);
    return EXIT.ok;
  },
};

const SETTING_OPTIONS = {
  branch: { type: 'string', value: 'name', help: 'branch that work is merged into' },
  'polecats-max': { type: 'string', value: 'n', help: 'agents at once' },
  runtime: { type: 'string', value: 'name', help: 'agent program' },
  model: { type: 'string', value: 'name', help: 'model' },
  command: { type: 'string', value: 'line', help: 'for the runtime "command": what to run' },
  'wall-clock': { type: 'string', value: 'time', help: 'longest time of one attempt, like 4h' },
  'owner-email': { type: 'string', value: 'address', help: 'who commits are from' },
  unset: { type: 'string', value: 'option', help: 'back to the default; repeat, or separate by commas' },
} as const;

export const configure: CommandSpec = {
  usage: 'gt rig config <name> [options]',
  summary: 'change settings of a rig in gastown.toml, comments kept; without options: show them',
  examples: ['gt rig config app --polecats-max 6', 'gt rig config app --unset model'],
  args: ['<name>'],
  options: SETTING_OPTIONS,
  run: async (context, args) => {
    const settings = settingsOf(args);
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    if (Object.keys(given).length === 0) return show(context, args.at(0));
    return change(context, args.at(0), { path: 'config', body: given, settings: given });
  },
};

function settingsOf(args: Arguments): RigSettings {
  const unset = new Set(args.list('unset'));
  for (const name of unset)
    if (!Object.hasOwn(SETTING_OPTIONS, name) || name === 'branch' || name === 'unset')
      throw usage(
        'bad_setting',
        `--unset ${JSON.stringify(name)} is not an option that has a default.`,
        `Use: ${Object.keys(SETTING_OPTIONS).slice(1, -1).join(', ')}.`,
        'unset',
      );
  const text = (name: string): string | null | undefined => (unset.has(name) ? null : args.text(name));
  return {
    target_branch: args.text('branch'),
    polecats_max: unset.has('polecats-max') ? null : args.number('polecats-max', { min: 0, max: POLECATS_LIMIT }),
    runtime: text('runtime'),
    model: text('model'),
    command: text('command'),
    wall_clock: text('wall-clock'),
    owner_email: text('owner-email'),
  };
}

async function show(context: Context, name: string): Promise<number> {
  const { explainSection } = await import('../../hosts/node/config-explain.ts');
  const settings = explainSection(context.town().paths, `rigs.${parseRigName(name)}`, context.env);
  if (context.json) context.print(JSON.stringify({ items: settings, next: null }));
  else context.print(settings.map((one) => `${one.key} = ${one.shown}  (${one.from})`).join('\n'));
  return EXIT.ok;
}

export const remove: CommandSpec = {
  usage: 'gt rig remove <name> [--drain]',
  summary: 'take a rig out of the town; refused while it has work; its history, clone and rescued work stay on disk',
  examples: ['gt rig remove app', 'gt rig remove app --drain'],
  args: ['<name>'],
  options: {
    drain: {
      type: 'boolean',
      help: 'park it, wait for what runs and merges, cancel what has not started, then remove',
    },
  },
  notes:
    'What is in the merge line ends, with its rework; what waits for somebody is named with its command. Ctrl-C during a drain leaves the rig parked, and its line goes on; so does the same command. "gt rig unpark" takes it back, also while the command waits: that ends with exit code 5 then.',
  run: async (context, args) => {
    const rig = parseRigName(args.at(0));
    const town = context.town();
    const client = new TownClient(town);
    const ask = (drain: RigDrain): Promise<RigRemovalItem> =>
      client.post<RigRemovalItem>(`rigs/${segment(rig)}/remove`, { drain });
    let answer = await ask(args.flag('drain'));
    let said = '';
    while (answer.status === 'draining') {
      const now = waitingText(answer);
      // A sentence with a moment in it would be another one at each look.
      const key = now.replaceAll(/\d+ (?:ms|s|min|h|d)\b/g, '');
      if (key !== said) context.hint(now);
      said = key;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
      answer = await ask('go_on');
    }
    if (context.json) context.print(JSON.stringify(answer));
    else context.print(`Removed ${rig}. Kept: ${keptDatabase(town, rig)} and its clone with all rescued work.`);
    return EXIT.ok;
  },
};

const keptDatabase = (town: Town, rig: string): string =>
  town.remote === undefined ? `${town.paths.rigsDir}/${rig}.db` : 'its database';

function waitingText(rest: RigRemovalItem): string {
  const people =
    rest.waiting_for_people === 0 ? '' : `; ${String(rest.waiting_for_people)} wait for a person: gt inbox`;
  return `Draining ${rest.id}: ${String(rest.running)} running, ${String(rest.merging)} being merged, ${String(rest.open)} open${people}${rest.waits_for.map(waitLine).join('')}`;
}

const waitLine = ({ id, sentence, command }: RigRemovalItem['waits_for'][number]): string =>
  `\n  ${id}  ${sentence}${command === null ? '' : `\n    -> ${command}`}`;

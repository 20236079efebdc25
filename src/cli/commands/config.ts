import { readFileSync } from 'node:fs';
import { TownError, usage } from '../../core/errors.ts';
import { tableOf, type SettingValue } from '../../settings/change-text.ts';
import type { Explained } from '../../settings/explain.ts';
import type { SettingsItem } from '../../api/contract/settings.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';
import { clientOf, TownClient } from '../town-client.ts';

export const get: CommandSpec = {
  usage: 'gt config get [key]',
  summary: 'the value that holds for a setting; without a key: all that are set',
  examples: ['gt config get rigs.app.polecats_max', 'gt config get --json'],
  args: ['[key]'],
  run: async (context, args) => {
    const settings = await settingsOf(context);
    const key = args.positionals[0];
    if (key === undefined) {
      const all = settings.all();
      if (context.json) context.print(JSON.stringify({ items: all, next: null }));
      else context.print(all.map((one) => `${one.key} = ${one.shown}`).join('\n'));
      return EXIT.ok;
    }
    const one = settings.one(key);
    context.print(context.json ? JSON.stringify(one) : plain(one.shown));
    return EXIT.ok;
  },
};

export const explain: CommandSpec = {
  usage: 'gt config explain <key>',
  summary: 'what a setting is now, where that comes from, and what stands behind it',
  examples: ['gt config explain rigs.app.runtime', 'gt config explain daemon.heartbeat_interval --json'],
  args: ['<key>'],
  run: async (context, args) => {
    const one = (await settingsOf(context)).one(args.at(0));
    if (context.json) context.print(JSON.stringify(one));
    else
      context.print(
        [
          `${paint(context.style, 'bold', one.key)} = ${plain(one.shown)}`,
          `  from   ${plain(one.from)}`,
          ...one.order.map((line, index) => `  ${index === 0 ? 'order' : '     '}  ${plain(line)}`),
        ].join('\n'),
      );
    return EXIT.ok;
  },
};

export const set: CommandSpec = {
  usage: 'gt config set <key> <value> | --unset',
  summary: 'change a setting in gastown.toml: checked first, comments kept; a running town takes it at once',
  examples: [
    'gt config set rigs.app.polecats_max 6',
    'gt config set rigs.app.gates.test "npm test"',
    `gt config set rigs.app.gates.test '{ run = "npm test", timeout = "5m" }'`,
    `gt config set rigs.app.network '["api.example.com"]'`,
    'gt config set defaults.runtime --unset',
  ],
  args: ['<key>', '[value]'],
  options: { unset: { type: 'boolean', help: 'take the setting out of the file' } },
  run: async (context, args) => {
    const text = args.positionals[1];
    if ((text === undefined) !== args.flag('unset'))
      throw usage(
        'no_value',
        'Give a value, or --unset, not both.',
        'Usage: gt config set <key> <value> | --unset',
        'value',
      );
    const key = args.at(0);
    const hints = await ((await answers(context)) ? setThere : setHere)(context, key, text ?? null);
    print(context, key, text === undefined ? await afterRemoval(context, key) : (await settingsOf(context)).one(key));
    for (const hint of hints) context.hint(hint);
    return EXIT.ok;
  },
};

/** Null: the file said something that is no setting, and says it no more. */
async function afterRemoval(context: Context, key: string): Promise<Explained | null> {
  try {
    return (await settingsOf(context)).one(key);
  } catch (error) {
    if (error instanceof TownError && error.code === 'unknown_setting') return null;
    throw error;
  }
}

function print(context: Context, key: string, one: Explained | null): void {
  if (context.json)
    context.print(JSON.stringify(one ?? { key, value: null, shown: '(not set)', from: 'nowhere', order: [] }));
  else if (one === null) context.print(`${key} is out of gastown.toml.`);
  else context.print(`${one.key} = ${plain(one.shown)}  (${plain(one.from)})`);
}

interface SettingsRead {
  readonly one: (key: string) => Explained;
  readonly all: () => readonly Explained[];
}

/** Of the file in the town's folder; of a town at an address the text that it keeps, whose environment is not ours. */
async function settingsOf(context: Context): Promise<SettingsRead> {
  const town = context.town();
  if (town.remote === undefined) {
    const { explainAll, explainKey } = await import('../../hosts/node/config-explain.ts');
    return {
      one: (key) => explainKey(town.paths, key, context.env),
      all: () => explainAll(town.paths, context.env),
    };
  }
  const { explainAll, explainKey } = await import('../../settings/explain.ts');
  const { text } = await new TownClient(town).get<SettingsItem>('settings');
  return { one: (key) => explainKey(text, key, {}), all: () => explainAll(text, {}) };
}

/** Changes the file in the town's folder while no daemon runs, which would do it itself. Answers hints. */
async function setHere(context: Context, name: string, text: string | null): Promise<readonly string[]> {
  const { paths } = context.town();
  const { changeSettings, withCheckedAddresses } = await import('../../hosts/node/config-set.ts');
  const { mustTakeOf } = await import('../../hosts/node/must-take.ts');
  const { settingChanges } = await import('../../settings/explain.ts');
  const source = readFileSync(paths.config, 'utf8');
  await setAsMeant(async (value) => {
    const changes = await withCheckedAddresses(paths, settingChanges(source, [{ key: name, value }]), context.env);
    changeSettings(paths, changes, { env: context.env, mustTake: mustTakeOf(paths) });
  }, text);
  return ['It counts when the daemon starts.'];
}

/** Asks a town that runs, here or at an address, to change what it keeps; it checks and applies that. Answers hints. */
async function setThere(context: Context, key: string, text: string | null): Promise<readonly string[]> {
  const client = clientOf(context);
  const without: string[] = [];
  await setAsMeant(async (value) => {
    const { without_effect } = await client.post<SettingsItem>('settings', { changes: [{ key, value }] });
    without.push(...without_effect);
  }, text);
  return ['The town has it now.', ...without];
}

/** A daemon that only begins does not answer yet, and reads the file at its start. */
async function answers(context: Context): Promise<boolean> {
  const town = context.town();
  if (town.remote !== undefined) return true;
  const { statusOf } = await import('../../hosts/node/daemon-control.ts');
  const { running, url } = statusOf(town);
  return running && url !== null;
}

/** `4` may be a number or the text "4", `true` a switch or a word: the setting decides, by taking the one and not the other. */
async function setAsMeant(
  change: (value: SettingValue | null) => Promise<void> | void,
  text: string | null,
): Promise<void> {
  if (text === null) return change(null);
  const table = tableOf(text);
  if (table !== null) return change(table);
  if (HALF_TABLE.test(text))
    throw usage(
      'bad_table',
      `${JSON.stringify(text.slice(0, 120))} begins like a table and is none.`,
      `Write it on one line with quotes, as '{ run = "npm test", timeout = "5m" }'.`,
      'value',
    );
  const bare = bareOf(text);
  if (bare === null) return change(text);
  try {
    await change(bare);
  } catch (error) {
    try {
      await change(text);
    } catch {
      throw error;
    }
  }
}

/** A group of shell commands begins with a brace too, but has no name with "=" behind it and blanks around. */
const HALF_TABLE = /^\{\s*[\w-]+\s+=/;

/** What may be meant as something else than a text; null: it can't. */
function bareOf(text: string): SettingValue | null {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : listOf(text);
}

/** A list of texts, as TOML and JSON write it; null: it is none. */
function listOf(text: string): readonly string[] | null {
  if (!text.startsWith('[')) return null;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : null;
  } catch {
    return null;
  }
}

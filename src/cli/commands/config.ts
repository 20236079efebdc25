import { usage } from '../../core/errors.ts';
import type { SettingValue } from '../../settings/change-text.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain } from '../output.ts';

export const get: CommandSpec = {
  usage: 'gt config get [key]',
  summary: 'the value that holds for a setting; without a key: all that are set',
  examples: ['gt config get rigs.app.polecats_max', 'gt config get --json'],
  args: ['[key]'],
  run: async (context, args) => {
    const { explainAll, explainKey } = await import('../../hosts/node/config-explain.ts');
    const { paths } = context.town();
    const key = args.positionals[0];
    if (key === undefined) {
      const all = explainAll(paths, context.env);
      if (context.json) context.print(JSON.stringify({ items: all, next: null }));
      else context.print(all.map((one) => `${one.key} = ${one.shown}`).join('\n'));
      return EXIT.ok;
    }
    const one = explainKey(paths, key, context.env);
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
    const { explainKey } = await import('../../hosts/node/config-explain.ts');
    const one = explainKey(context.town().paths, args.at(0), context.env);
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
  summary: 'change a setting in gastown.toml: checked first, comments kept; a running daemon takes it at once',
  examples: ['gt config set rigs.app.polecats_max 6', 'gt config set defaults.runtime --unset'],
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
    const town = context.town();
    const { changeSettings } = await import('../../hosts/node/config-set.ts');
    const { explainKey } = await import('../../hosts/node/config-explain.ts');
    const { settingPath } = await import('../../settings/explain.ts');
    const { section, key } = settingPath(args.at(0));
    const from = (value: SettingValue | null): void => {
      changeSettings(town.paths, [{ section, key, value }], context.env);
    };
    if (text === undefined) from(null);
    else setAsMeant(from, text);
    const { reloadDaemon } = await import('../../hosts/node/daemon-control.ts');
    const isTaken = reloadDaemon(town);
    const one = explainKey(town.paths, args.at(0), context.env);
    if (context.json) context.print(JSON.stringify(one));
    else context.print(`${one.key} = ${plain(one.shown)}  (${plain(one.from)})`);
    context.hint(isTaken ? 'The daemon reads it now.' : 'It counts when the daemon starts.');
    return EXIT.ok;
  },
};

/** `4` may be a number or the text "4", `true` a switch or a word: the setting decides, by taking the one and not the other. */
function setAsMeant(change: (value: SettingValue) => void, text: string): void {
  const bare = text === 'true' ? true : text === 'false' ? false : /^-?\d{1,15}$/.test(text) ? Number(text) : null;
  if (bare === null) {
    change(text);
    return;
  }
  try {
    change(bare);
  } catch (error) {
    try {
      change(text);
    } catch {
      throw error;
    }
  }
}

import { COMMON_OPTIONS } from '../arguments.ts';
import { COMMAND_NAMES } from '../command-names.ts';
import { findCommand } from '../command-table.ts';
import { EXIT } from '../exit-codes.ts';
import { unknownCommand } from './help.ts';

/** `gt help --json [command]`: every command, or those that begin so, with arguments, options and examples. */
export async function helpJson(words: readonly string[]): Promise<number> {
  const wanted = words.join(' ');
  const names = COMMAND_NAMES.filter(({ name }) => wanted === '' || name === wanted || name.startsWith(`${wanted} `));
  if (names.length === 0) return unknownCommand(words);
  const commands = await Promise.all(
    names.map(async ({ name, group, summary }) => {
      const found = findCommand(name.split(' '));
      const spec = found === null ? null : await found.load();
      const options = Object.entries(spec?.options ?? {}).map(([option, its]) => ({ name: `--${option}`, ...its }));
      return {
        name,
        group,
        summary: spec?.summary ?? summary,
        usage: spec?.usage ?? `gt ${name}`,
        args: spec?.args ?? [],
        options,
        examples: spec?.examples ?? [],
      };
    }),
  );
  const common = Object.entries(COMMON_OPTIONS).map(([option, its]) => ({ name: `--${option}`, ...its }));
  process.stdout.write(`${JSON.stringify({ commands, common_options: common, exit_codes: EXIT })}\n`);
  return EXIT.ok;
}

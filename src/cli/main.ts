#!/usr/bin/env node
/** The `gt` command. Finds the command by name and loads only that one, so that a read starts as fast as Node does. */
import { TownError } from '../core/errors.ts';
import { parseArguments } from './arguments.ts';
import { findCommand } from './command-table.ts';
import { makeContext } from './context.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { plain } from './output.ts';
import { wrongPath } from './wrong-path.ts';

const NODE_MAJOR_MIN = 22;

/** Options before the command's name go behind it: `gt --town x status` is `gt status --town x`. */
function reorder(argv: readonly string[]): readonly string[] {
  const front: string[] = [];
  let index = 0;
  while (index < argv.length && argv[index]?.startsWith('-') === true) {
    const option = argv[index] ?? '';
    front.push(option);
    index += 1;
    const takesValue = option === '--town' || option === '--token-file' || option === '--color';
    if (takesValue && index < argv.length) {
      front.push(argv[index] ?? '');
      index += 1;
    }
  }
  return [...argv.slice(index), ...front];
}

async function main(argv: readonly string[]): Promise<number> {
  const ordered = reorder(argv);
  const [first] = ordered;
  if (first === 'help')
    return helpCommand(
      ordered.slice(1).filter((word) => !word.startsWith('-')),
      ordered.includes('--json'),
    );
  if (first === undefined || first.startsWith('-')) {
    if (ordered.includes('--version')) return main(['version', ...ordered.filter((word) => word !== '--version')]);
    return (await import('./commands/help.ts')).rootHelp(ordered);
  }
  const found = findCommand(ordered);
  if (found === null) {
    const help = await import('./commands/help.ts');
    return help.familyHelp(ordered) ?? help.unknownCommand(ordered);
  }
  const spec = await found.load();
  const args = parseArguments(spec, found.rest);
  if (args.flag('help')) return (await import('./commands/help.ts')).commandHelp(found.name, spec);
  return spec.run(makeContext(found.name, args), args);
}

/** `gt help`, `gt help <topic>`, `gt help <command>`. */
async function helpCommand(words: readonly string[], json: boolean): Promise<number> {
  const help = await import('./commands/help.ts');
  if (json) return (await import('./commands/help-json.ts')).helpJson(words);
  if (words.length === 0) return help.rootHelp([]);
  if (help.printTopic(words.join(' '))) return EXIT.ok;
  const found = findCommand(words);
  return found === null ? help.unknownCommand(words) : help.commandHelp(found.name, await found.load());
}

/** What the machine refused, in its own words; a stack only for whoever asks for one. */
function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return process.env['GT_DEBUG'] === '1' ? (error.stack ?? error.message) : `${error.name}: ${error.message}`;
}

/** Errors on stderr: what happened and why, then the next step; as JSON when JSON was asked for. */
function report(error: unknown, json: boolean): number {
  const known =
    error instanceof TownError
      ? error
      : (wrongPath(error) ??
        new TownError('internal', 'internal', {
          message: faultOf(error),
          next: 'This is a fault of gt. Run "gt doctor" and report it; GT_DEBUG=1 shows where it happened.',
        }));
  const { code, message, next, field } = known.body();
  if (json) process.stderr.write(`${JSON.stringify({ error: { code, message, next, field: field ?? null } })}\n`);
  else process.stderr.write(`gt: ${plain(message)}\n    ${plain(next)}\n`);
  return exitCodeOf(known);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of our pipe has gone; that is its right.
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

const argv = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `gt: Node ${process.versions.node} is too old; 22.14 or newer is needed.\n    Run it with: npx -p node@24 -p @gastown/gt gt\n`,
  );
  process.exitCode = EXIT.precondition;
} else {
  try {
    process.exitCode = await main(argv);
  } catch (error) {
    process.exitCode = report(error, argv.includes('--json'));
  }
}

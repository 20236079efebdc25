import { usage } from '../../core/errors.ts';
import { nearest } from '../../settings/nearest.ts';
import { COMMON_OPTIONS } from '../arguments.ts';
import { COMMAND_NAMES, GROUPS } from '../command-names.ts';
import type { CommandName } from '../command-names.ts';
import type { CommandSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

const EXIT_CODES = `Exit codes of gt
    0  ok
    1  failed: a fault of gt, or of the disk; of "gt logs --grep": nothing was found
    2  usage: the command line is wrong
    3  precondition: no town, bad configuration, the world is not ready
    4  not found
    5  conflict: exists already, or superseded
    6  not allowed
    7  the daemon is unreachable
    8  doctor found problems
   75  try later
  124  timeout; what was asked for may have happened
  130  interrupted (Ctrl-C)
  143  terminated`;

const ENVIRONMENT = `Environment of gt
  GT_TOWN_ROOT            the town, when no --town is given
  GT_RIG                  the rig, when no --rig is given
  NO_COLOR, FORCE_COLOR   colour off, on
  GT_OWNER_EMAIL, GT_HEARTBEAT_INTERVAL, GT_POLECATS_MAX, GT_RUNTIME, GT_MODEL, GT_COMMAND, GT_WALL_CLOCK
                          settings of the daemon; they win over gastown.toml
  GT_OWNER_TOKEN_FILE     the file with the owner's token, for a town at an address
  GT_RUNNER_TOKEN         the token of "gt runner", instead of a file
  GT_DEBUG=1              where a fault of gt happened
An agent has also
  GT_RUNNER_SOCKET, GT_TOKEN, GT_STATE_DIR   how gt hook, prime, checkpoint and done reach the town
  GT_AGENT, GT_BEAD, GT_BRANCH, GT_TARGET_BRANCH, GT_BASE_SHA   who it is, and what it works on
  GT_ATTEMPT, GT_EPOCH, GT_ROUND, GT_KIND, GT_SOURCE_BEAD, GT_TARGET_SHA   which try this is
  GT_USAGE_FILE           where a program of the runtime "command" writes what it used`;

const SCRIPT = `The runtime "script": shell in the body of a bead, for trying things out and for chores. It is no AI.
It runs each block that is tagged gt-script in a worktree, and hands in what they changed. A body without one fails.

  Say hello in the README.

  \`\`\`gt-script
  echo hello >> README.md
  \`\`\`

  gt sling "Say hello" --rig app --body-file task.md   the body of one bead
  gt sling "Fix the login page" --rig app --runtime claude   one bead for an AI
  gt rig config app --runtime claude                   all beads of a rig`;

const TOPICS: Readonly<Record<string, string>> = {
  'exit-codes': EXIT_CODES,
  environment: ENVIRONMENT,
  script: SCRIPT,
  help: 'gt help: what commands there are, or one command or topic\n\nUsage: gt help [<command> | exit-codes | environment | script]',
};

/** `gt`, `gt --help`: at most 25 lines. */
export function rootHelp(argv: readonly string[]): number {
  const unknown = argv.find((text) => !['--help', '-h', '--json'].includes(text));
  if (unknown !== undefined) throw usage('unknown_option', `There is no option ${unknown}.`, 'See "gt --help".');
  process.stdout.write(`${rootText()}\n`);
  return EXIT.ok;
}

function rootText(): string {
  const lines = [
    'gt: sling work to coding agents, walk away, come back to merged code.',
    '',
    '  gt init ~/town && cd ~/town',
    '  gt rig add app git@example.com:me/app.git && gt up',
    '  gt sling "Fix the login page" --rig app',
    '',
  ];
  for (const group of GROUPS) {
    const names = COMMAND_NAMES.filter((entry) => entry.group === group).map((entry) => entry.name);
    lines.push(`${group.padEnd(12)}${wrap(joinFamilies(names))}`);
  }
  lines.push(
    '',
    'Every command takes --json, --town <dir> and --help.',
    'More: gt help <command>, gt help exit-codes, gt help environment',
  );
  return lines.join('\n');
}

/** `bead create, bead list` reads better as `bead create|list`. */
function joinFamilies(names: readonly string[]): readonly string[] {
  const families = new Map<string, string[]>();
  for (const name of names) {
    const [first = '', second] = name.split(' ');
    const verbs = families.get(first) ?? [];
    verbs.push(second ?? '');
    families.set(first, verbs);
  }
  return [...families].flatMap(([first, all]) => {
    const verbs = all.filter((verb) => verb !== '');
    // Some are a command by themselves, too.
    return [...(all.includes('') ? [first] : []), ...(verbs.length === 0 ? [] : [`${first} ${verbs.join('|')}`])];
  });
}

const LINE_CHARS = 68;

function wrap(words: readonly string[]): string {
  const lines: string[] = [''];
  for (const word of words) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length + 2 > LINE_CHARS) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last}, ${word}`;
  }
  return lines.join(`,\n${' '.repeat(12)}`);
}

export function commandHelp(name: string, spec: CommandSpec): number {
  process.stdout.write(`${commandText(name, spec)}\n`);
  return EXIT.ok;
}

/** What `gt <name> --help` prints. */
export function commandText(name: string, spec: CommandSpec): string {
  const options = Object.entries({ ...spec.options, ...COMMON_OPTIONS }).map(([option, its]) => {
    const short = its.short === undefined ? '' : `-${its.short}, `;
    return [`${short}--${option}${its.type === 'string' ? ` <${its.value ?? 'value'}>` : ''}`, its.help] as const;
  });
  const width = Math.max(...options.map(([left]) => left.length));
  // A word that is a command and a family of commands: "gt runner" runs one, "gt runner list" shows them.
  const verbs = membersOf(name);
  return [
    ...spec.examples.map((example) => `  $ ${example}`),
    '',
    `gt ${name}: ${spec.summary}`,
    '',
    `Usage: ${spec.usage}`,
    '',
    ...options.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    ...(spec.notes === undefined ? [] : ['', spec.notes]),
    ...(verbs.length === 0 ? [] : ['', `See also: ${verbs.map((verb) => `gt ${verb.name}`).join(', ')}`]),
  ].join('\n');
}

/**
 * What `gt bead` and `gt bead --help` print: the commands that begin so, with what each does. Without `--help` it is an
 * error, for nothing was asked for. Null where the words are no family, or name one of its commands.
 */
export function familyHelp(argv: readonly string[]): number | null {
  const [family = '', second] = argv;
  const text = second === undefined || second.startsWith('-') ? familyText(family) : null;
  if (text === null) return null;
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  }
  if (argv.includes('--json')) return null;
  process.stderr.write(`gt: "gt ${family}" needs one of its commands.\n\n${text}\n`);
  return EXIT.usage;
}

/** Exit 2, with the command that was probably meant. */
export function unknownCommand(argv: readonly string[]): never {
  const typed = argv.slice(0, 2).filter((word) => !word.startsWith('-'));
  const verbs = membersOf(typed[0] ?? '').map(({ name }) => name.split(' ')[1] ?? '');
  if (verbs.length > 0) {
    const near = typed[1] === undefined ? null : nearest(typed[1], verbs);
    const what =
      typed[1] === undefined
        ? `"gt ${typed[0] ?? ''}" needs one of its commands.`
        : `There is no command "gt ${typed.join(' ')}".`;
    throw usage(
      'unknown_command',
      what,
      near === null ? `It has: ${verbs.join(', ')}.` : `Did you mean "gt ${typed[0] ?? ''} ${near}"?`,
    );
  }
  const near = nearest(typed[0] ?? '', [...new Set(COMMAND_NAMES.map((entry) => entry.name.split(' ')[0] ?? ''))]);
  throw usage(
    'unknown_command',
    `There is no command "gt ${typed[0] ?? ''}".`,
    near === null ? 'See "gt --help" for all commands.' : `Did you mean "gt ${near}"?`,
  );
}

/** `gt help <topic>` or of a family of commands; false when there is none, so that it may be a command. */
export function printTopic(topic: string): boolean {
  const text = Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : familyText(topic);
  if (text === null || text === undefined) return false;
  process.stdout.write(`${text}\n`);
  return true;
}

const membersOf = (family: string): readonly CommandName[] =>
  COMMAND_NAMES.filter((entry) => entry.name.startsWith(`${family} `));

/** The commands of a family; null where the word is a command by itself, whose own help says more. */
function familyText(family: string): string | null {
  if (COMMAND_NAMES.some((entry) => entry.name === family)) return null;
  const members = membersOf(family);
  if (members.length === 0) return null;
  const width = Math.max(...members.map(({ name }) => name.length));
  return [
    `gt ${family} has these commands:`,
    ...members.map(({ name, summary }) => `  gt ${name.padEnd(width)}  ${summary}`),
    '',
    `More: gt ${family} <command> --help`,
  ].join('\n');
}

import { usage } from '../../core/errors.ts';
import { COMMAND_NAMES } from '../command-names.ts';
import { findCommand } from '../command-table.ts';
import type { CommandSpec } from '../command.ts';
import { COMMON_OPTIONS } from '../arguments.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { TownClient } from '../town-client.ts';

/** More names than this help nobody at a prompt. */
const NAMES_MAX = 200;

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_gt() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(gt completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _gt gt`,
  zsh: `#compdef gt
_gt() {
  local -a words_of_gt
  words_of_gt=(\${(f)"$(gt completion words -- "\${(@)words[2,CURRENT-1]}" 2>/dev/null)"})
  compadd -a words_of_gt || _files
}
if [ "$funcstack[1]" = _gt ]; then _gt "$@"; else compdef _gt gt; fi`,
  fish: `complete -c gt -f -a '(gt completion words -- (commandline -opc)[2..-1] 2>/dev/null)'`,
};

export const completion: CommandSpec = {
  usage: 'gt completion bash|zsh|fish',
  summary: 'print a completion script: commands, options, ids and names of this town',
  examples: ['eval "$(gt completion bash)"', 'gt completion fish > ~/.config/fish/completions/gt.fish'],
  args: ['<shell>', '[word…]'],
  notes:
    'zsh: gt completion zsh > a folder of $fpath, as _gt. The scripts call "gt completion words -- <words so far>".',
  run: async (context, args) => {
    const shell = args.at(0);
    if (shell === 'words') {
      const words = await candidates(context, args.positionals.slice(1));
      if (context.json) context.print(JSON.stringify({ words }));
      else if (words.length > 0) context.print(words.join('\n'));
      return EXIT.ok;
    }
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined)
      throw usage(
        'unknown_shell',
        `There is no completion for ${JSON.stringify(shell.slice(0, 40))}.`,
        `Use one of: ${Object.keys(SCRIPTS).join(', ')}.`,
        'shell',
      );
    context.print(context.json ? JSON.stringify({ shell, script }) : script);
    return EXIT.ok;
  },
};

/** What may come behind these words. */
async function candidates(context: Context, before: readonly string[]): Promise<readonly string[]> {
  const found = findCommand(before);
  if (found === null) {
    const [first] = before;
    const names = COMMAND_NAMES.map((entry) => entry.name.split(' '));
    return [
      ...new Set(
        names.filter(([head]) => before.length === 0 || head === first).map((name) => name[before.length] ?? ''),
      ),
    ]
      .filter((word) => word !== '')
      .toSorted();
  }
  const spec = await found.load();
  const last = before.at(-1) ?? '';
  const options = { ...spec.options, ...COMMON_OPTIONS };
  const pending = last.startsWith('--') && options[last.slice(2)]?.type === 'string' ? last.slice(2) : null;
  if (pending !== null) return namesFor(context, pending);
  const flags = Object.keys(options).map((name) => `--${name}`);
  return [...(await namesFor(context, kindOf(found.name, spec.args?.[0] ?? ''))), ...flags];
}

/** What kind of name each family of commands takes first. */
const KINDS: Readonly<Record<string, string>> = {
  bead: 'bead',
  convoy: 'convoy',
  escalation: 'escalation',
  logs: 'agent',
  mq: 'rig',
  'mq bounce': 'bead',
  'mq retry': 'bead',
  nudge: 'agent',
  'request-changes': 'bead',
  rig: 'rig',
  sling: 'bead',
  unsling: 'bead',
  why: 'bead',
};
/** These make something new, so there is no name to offer. */
const MAKERS = new Set(['bead create', 'convoy create', 'rig add']);

function kindOf(command: string, argument: string): string {
  const family = command.split(' ')[0] ?? '';
  if (argument === '' || MAKERS.has(command)) return '';
  const known = [command, family].find((name) => Object.hasOwn(KINDS, name));
  return known === undefined ? '' : (KINDS[known] ?? '');
}

const LISTS: Readonly<Record<string, string>> = {
  bead: `beads?status=open,in_progress,in_review&limit=${String(NAMES_MAX)}`,
  'depends-on': `beads?status=open,in_progress,in_review&limit=${String(NAMES_MAX)}`,
  rig: 'rigs',
  agent: 'agents',
  convoy: `convoys?limit=${String(NAMES_MAX)}`,
  escalation: 'escalations',
};

/** A shell that completes must not show errors: without a town there is nothing to offer. */
async function namesFor(context: Context, kind: string): Promise<readonly string[]> {
  const path = Object.hasOwn(LISTS, kind) ? LISTS[kind] : undefined;
  if (path === undefined) return [];
  try {
    const page = await new TownClient(context.town()).get<{ items: readonly { id: string }[] }>(path);
    return page.items.map((item) => item.id);
  } catch {
    return [];
  }
}

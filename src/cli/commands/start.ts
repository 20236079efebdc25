import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { WhyItem } from '../../api/contract/common.ts';
import type { StatusItem } from '../../api/contract/town.ts';
import { precondition, TownError, usage } from '../../core/errors.ts';
import { mustNotBeHeld } from '../../hosts/node/held-town.ts';
import { statusOf, startDaemon, stopDaemon, stopRunner } from '../../hosts/node/daemon-control.ts';
import { git } from '../../hosts/node/git.ts';
import { createTown } from '../../hosts/node/town-create.ts';
import { findTownRoot, writeDesired, type Town } from '../../hosts/node/town-files.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { paint, plain, state } from '../output.ts';
import { TownClient } from '../town-client.ts';

/** A runner is met about half a second after the daemon; one that can't start has ended twice by then, also on a busy machine. */
const RUNNER_WAIT_MS = 5_000;
const RUNNER_LOOK_MS = 100;

const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$/;

/** This program's entry point: source in a clone, compiled in a package. */
export const mainPath = (): string =>
  fileURLToPath(new URL(`../main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));

export const init: CommandSpec = {
  usage: 'gt init [dir] [--name <name>]',
  summary: 'make a town in a folder; a half-made one is completed, nothing is overwritten',
  examples: ['gt init ~/town', 'gt init . --name shop'],
  args: ['[dir]'],
  options: { name: { type: 'string', value: 'name', help: 'name of the town (default: of the folder)' } },
  run: async (context, args) => {
    const root = resolve(context.cwd, args.positionals[0] ?? context.townFlag ?? '.');
    mustBeFolder(root);
    const outer = findTownRoot(resolve(root, '..'));
    if (outer !== null)
      throw usage('town_inside_town', `${root} is inside the town ${outer}.`, 'Choose a folder outside of it.', 'dir');
    const fallback = basename(root)
      .replaceAll(/[^A-Za-z0-9 ._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '');
    const name = args.text('name') ?? (fallback === '' ? 'town' : fallback.slice(0, 60));
    if (!NAME.test(name))
      throw usage(
        'bad_name',
        `${JSON.stringify(name)} can't be the name of a town.`,
        'Use up to 60 letters, digits, spaces, ".", "_" or "-".',
        'name',
      );
    const { town, created } = createTown({ root, name, ownerEmail: await ownerEmail(), nowMs: Date.now() });
    if (context.json)
      context.print(JSON.stringify({ id: town.identity.id, name: town.identity.name, root: town.paths.root, created }));
    else
      context.print(
        `${created ? 'Made' : 'Kept'} the town ${paint(context.style, 'bold', town.identity.name)} in ${town.paths.root}`,
      );
    context.hint('Next: gt rig add <name> <git-url-or-path>, then gt up');
    return EXIT.ok;
  },
};

/** Errors: `not_a_folder`, `git_folder`. */
function mustBeFolder(root: string): void {
  const next = 'Name a new or empty folder: gt init <dir>.';
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === false)
    throw precondition('not_a_folder', `${root} is a file.`, next);
  for (let folder = root; folder !== dirname(folder); folder = dirname(folder)) {
    const isGit = ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)));
    if (isGit) throw precondition('git_folder', `${folder} holds the files of git itself, no work tree.`, next);
  }
}

/** The author's address of commits: what git would use here. */
async function ownerEmail(): Promise<string> {
  const answer = await git(['config', '--get', 'user.email']);
  const email = answer.stdout.trim();
  return answer.ok && email !== '' ? email : `${userInfo().username}@localhost`;
}

export const up: CommandSpec = {
  usage: 'gt up [--beside]',
  summary: 'start the town; waits until it answers',
  examples: ['gt up', 'gt up --json'],
  notes:
    'Nothing restarts a daemon that dies, or a machine that was rebooted: for that run "gt daemon run" under a service manager.',
  options: {
    beside: { type: 'boolean', help: 'of a restored town: although the town that the backup is of runs' },
  },
  run: async (context, args) => {
    const town = context.town();
    mustNotBeHeld(town.paths);
    if (!statusOf(town).running && !args.flag('beside')) await mindFormer(context, town);
    writeDesired(town.paths, 'up');
    const before = statusOf(town);
    const status = before.running ? before : await startDaemon({ town, main: mainPath() });
    print(context, { running: true, already: before.running, pid: status.pid, url: status.url, root: town.paths.root });
    if (before.running) await tellRefused(context, town);
    if (await tellRunner(context, town)) return EXIT.ok;
    context.hint('Give it work with: gt sling "<title>" --rig <rig>');
    return EXIT.ok;
  },
};

/** True when the runner does not start and that was told: work given out now would only wait. */
async function tellRunner(context: Context, town: Town): Promise<boolean> {
  const client = new TownClient(town);
  const untilMs = Date.now() + RUNNER_WAIT_MS;
  try {
    let { runner } = await client.get<StatusItem>('status');
    while (runner.status === 'unknown' && Date.now() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, RUNNER_LOOK_MS));
      ({ runner } = await client.get<StatusItem>('status'));
    }
    if (runner.status !== 'down') return false;
    const why = await client.get<WhyItem>('why/runner');
    context.hint(`${plain(why.sentence)}\nUntil then no agent starts. Look with: ${why.command ?? 'gt doctor'}`);
    return true;
  } catch (error) {
    // The daemon is up, which is what was asked for; what it can't tell now is told by the status.
    if (error instanceof TownError) return false;
    throw error;
  }
}

/** Errors: `former_town_runs`. */
async function mindFormer(context: Context, { paths }: Town): Promise<void> {
  const { besideFormer } = await import('../../hosts/node/restored.ts');
  const { error, hint } = besideFormer(paths);
  if (error !== null) throw error;
  if (hint !== null) context.hint(hint);
}

/** A town that is up goes on with its former settings; its next start would be refused. */
async function tellRefused(context: Context, { paths }: Town): Promise<void> {
  const { loadConfig } = await import('../../hosts/node/town-config.ts');
  const { mustTakeOf } = await import('../../hosts/node/must-take.ts');
  try {
    mustTakeOf(paths)(loadConfig(paths, context.env).rigs);
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    context.hint(`It runs with the settings that it had before: ${error.message} ${error.next}`);
  }
}

export const down: CommandSpec = {
  usage: 'gt down',
  summary: 'stop the daemon, the runner and its agents; their work is kept, and the town stays down after a reboot',
  examples: ['gt down', 'gt down --json'],
  run: async (context) => {
    const town = context.town();
    writeDesired(town.paths, 'down');
    if (statusOf(town).running) context.hint('Stopping; agents get time to hand over their work.');
    const hadDaemon = await stopDaemon(town, false);
    const hadRunner = await stopRunner(town);
    print(context, { running: false, already: !hadDaemon && !hadRunner, pid: null, url: null, root: town.paths.root });
    return EXIT.ok;
  },
};

function print(
  context: Context,
  answer: {
    readonly running: boolean;
    readonly already: boolean;
    readonly pid: number | null;
    readonly url: string | null;
    readonly root: string;
  },
): void {
  if (context.json) {
    context.print(JSON.stringify(answer));
    return;
  }
  const where = answer.running ? `  pid ${String(answer.pid)}  ${answer.url ?? ''}` : '';
  context.print(`${state(context.style, answer.running ? 'up' : 'down')}${answer.already ? ' already' : ''}${where}`);
}

import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import { precondition } from '../../core/errors.ts';
import type { Sandbox } from '../../core/model/isolation.ts';
import { pathSegment, type RunnerPaths } from '../paths.ts';
import { bwrapArguments, findBubblewrap, noBubblewrap } from './bubblewrap.ts';
import { containerArguments, requireProgram, wrapperEnvironment } from './container.ts';
import { cacheMounts, type Mount, packageFolder, programMounts, systemMounts } from './mounts.ts';
import type { OwnGit } from './own-git.ts';
import type { BoxView, Start } from './view.ts';
import { closeWay, isList, openWay, startedWithWay, wayMounts } from './way.ts';

/** Unit of `ulimit -f`, in bytes. */
const FILE_LIMIT_UNIT = 512;

export const boxesFolder = (paths: RunnerPaths): string => join(paths.state, 'boxes');

/** The folders of an attempt that nobody else has: its git directory, its home, its temporary files. */
export const boxFolder = (paths: RunnerPaths, name: string): string =>
  join(boxesFolder(paths), pathSegment(name, 'an attempt'));

const homeOf = (paths: RunnerPaths, name: string): string => join(boxFolder(paths, name), 'home');
const temporaryOf = (paths: RunnerPaths, name: string): string => join(boxFolder(paths, name), 'tmp');

/** The git directory of an isolated attempt, made or not. */
export function ownGitOf(paths: RunnerPaths, name: string, tree: { path: string; place: { gitDir: string } }): OwnGit {
  const link = tree.place.gitDir;
  const objects = join(resolve(link, '..', '..'), 'objects');
  return { dir: join(boxFolder(paths, name), 'work.git'), link, objects, worktree: tree.path };
}

/**
 * How to start a program inside. Errors (precondition): `isolation_unavailable`, `isolation_path`; nothing is ever started
 * without the sandbox that was asked for.
 */
export async function shutIn(sandbox: Sandbox, view: BoxView, program: Start): Promise<Start> {
  const start = byShell(program, view.fileBytesMax);
  await mkdir(homeOf(view.paths, view.name), { recursive: true, mode: 0o700 });
  await mkdir(temporaryOf(view.paths, view.name), { recursive: true, mode: 0o700 });
  const env = insideEnvironment(sandbox, start.env);
  if (sandbox.kind === 'bubblewrap') {
    const found = await findBubblewrap();
    if (!found.works) throw noBubblewrap(found);
    return inBubblewrap(sandbox, view, { ...start, env });
  }
  const { command, image } = sandbox;
  if (isList(sandbox.network))
    throw precondition(
      'isolation_unavailable',
      `isolation_unavailable: a list of hosts holds with the isolation "bubblewrap" only, not with "${sandbox.kind}".`,
      'Set network to "on" or "off" in gastown.toml, or isolation to "bubblewrap".',
    );
  if (command === null)
    throw precondition(
      'isolation_unavailable',
      `isolation_unavailable: the isolation "${sandbox.kind}" names no command.`,
      'Set isolation_command in gastown.toml.',
    );
  await requireProgram(sandbox);
  if (sandbox.kind === 'wrapper') {
    const boxEnv = wrapperEnvironment({ view, sandbox, home: homeOf(view.paths, view.name) });
    return {
      command: 'sh',
      args: ['-c', `exec ${command} "$@"`, 'sh', start.command, ...start.args],
      env: { ...env, ...boxEnv },
    };
  }
  const mounts = [...programMounts(), ...userMounts(sandbox, view.paths), ...ownMounts(view)];
  const around = containerArguments({ view, sandbox, mounts, names: Object.keys(env) });
  return {
    command: 'sh',
    args: ['-c', `exec ${command} "$@"`, 'sh', ...around, image ?? '', ...withOurPrograms(start)],
    env,
  };
}

async function inBubblewrap(sandbox: Sandbox, view: BoxView, start: Start): Promise<Start> {
  const folder = boxFolder(view.paths, view.name);
  await openWay(folder, sandbox.network, view.onRefused);
  const isListed = isList(sandbox.network);
  const mounts = [
    ...systemMounts(),
    ...cacheMounts(),
    ...userMounts(sandbox, view.paths),
    ...ownMounts(view),
    ...(isListed ? wayMounts(folder) : []),
  ];
  const around = bwrapArguments({ mounts, hasNetwork: sandbox.network === 'on', cwd: view.worktree });
  const inner = isList(sandbox.network) ? startedWithWay(start, sandbox.network, process.execPath) : start;
  return { command: 'bwrap', args: [...around, inner.command, ...inner.args], env: inner.env };
}

/**
 * A shell starts it, whose exit code tells a program that is missing from one that failed. No file grows beyond the limit
 * of all: between two looks at the disk one write could fill it.
 */
function byShell(start: Start, fileBytesMax: number | null): Start {
  const blocks = fileBytesMax === null ? 'sh' : String(Math.ceil(fileBytesMax / FILE_LIMIT_UNIT));
  const limit = fileBytesMax === null ? '' : 'ulimit -f "$0"; ';
  return { ...start, command: 'sh', args: ['-c', `${limit}exec "$@"`, blocks, start.command, ...start.args] };
}

/** The image has paths of its own for programs; `gt` and its Node come before them. */
const withOurPrograms = (start: Start): readonly string[] => [
  'sh',
  '-c',
  'PATH="$0:$PATH" exec "$@"',
  `${packageFolder()}:${dirname(process.execPath)}`,
  start.command,
  ...start.args,
];

/** Folders outside are not there: what names them would only be followed into nothing. */
function insideEnvironment(sandbox: Sandbox, env: Readonly<Record<string, string>>): Record<string, string> {
  const isOurs = (name: string): boolean => name.startsWith('XDG_') && env[name] === process.env[name];
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !isOurs(name)));
  // Tools that refuse to work unwatched as root ask for the second.
  return { HOME: homedir(), ...rest, TMPDIR: '/tmp', GT_ISOLATION: sandbox.kind, IS_SANDBOX: '1' };
}

/** The town is hidden, and of it only this attempt's own is put back. */
function ownMounts(view: BoxView): readonly Mount[] {
  const { paths, name, worktree, git, state } = view;
  return [
    { type: 'hide', at: paths.townRoot },
    { type: 'write', from: homeOf(paths, name), at: homedir() },
    { type: 'write', from: temporaryOf(paths, name), at: '/tmp' },
    { type: 'write', from: temporaryOf(paths, name), at: '/var/tmp' },
    { type: 'write', from: worktree, at: worktree },
    ...(state === null ? [] : [{ type: 'write', from: state, at: state } as const]),
    ...(git === null ? [] : gitMounts(git)),
    ...(view.hasSocket ? [{ type: 'write', from: paths.runnerSocket, at: paths.runnerSocket } as const] : []),
  ];
}

/** The file that names the git directory can't be turned to another one. */
export const gitMounts = (git: OwnGit): readonly Mount[] => [
  { type: 'write', from: git.dir, at: git.link },
  { type: 'read', from: git.objects, at: git.objects },
  { type: 'read', from: join(git.worktree, '.git'), at: join(git.worktree, '.git') },
];

/** What the settings show beyond the system. Errors: `isolation_path`. */
export function userMounts(sandbox: Sandbox, paths: Pick<RunnerPaths, 'townRoot'>): readonly Mount[] {
  const mount = (type: 'read' | 'write', given: string): Mount => {
    const at = given === '~' || given.startsWith('~/') ? join(homedir(), given.slice(1)) : given;
    const problem = whyNotShown(sandbox, paths.townRoot, at);
    if (problem === null) return { type, from: at, at };
    throw precondition(
      'isolation_path',
      `isolation_path: ${JSON.stringify(given)} can't be shown to agents: ${problem}.`,
      'Correct isolation_read or isolation_write in gastown.toml. It is tried again by itself.',
    );
  };
  return [...sandbox.read.map((path) => mount('read', path)), ...sandbox.write.map((path) => mount('write', path))];
}

/**
 * Links are followed: by one, the town would be seen at a place where nothing hides it. A folder around the town is fine
 * where the town can be hidden in it; engines of containers can't hide.
 */
function whyNotShown(sandbox: Sandbox, townRoot: string, at: string): string | null {
  if (!isAbsolute(at)) return 'it is not a full path';
  if (!existsSync(at)) return 'it does not exist on this machine';
  const [town, real] = [realpathSync(townRoot), realpathSync(at)];
  if (isInside(town, real)) return "it lies in the town's folder";
  const isHidden = sandbox.kind === 'bubblewrap' && isInside(resolve(at), townRoot) && town === townRoot;
  if (!isInside(real, town) || (isHidden && real === resolve(at))) return null;
  return "the town's folder lies in it, and would be seen";
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}

/** Removes what an ended attempt had for itself; its work is in the rig's clone by then. Never throws. */
export async function removeBox(paths: RunnerPaths, name: string): Promise<void> {
  const folder = boxFolder(paths, name);
  await closeWay(folder).catch(() => undefined);
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    // Caches of some tools are folders that nobody may write, and so nothing in them can be removed.
    await new Promise<void>((done) => {
      const child = spawn('chmod', ['-R', 'u+rwX', '--', folder], { stdio: 'ignore' });
      child.once('error', () => {
        done();
      });
      child.once('close', () => {
        done();
      });
    });
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

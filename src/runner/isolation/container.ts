import { spawn } from 'node:child_process';

import { precondition, TownError } from '../../core/errors.ts';
import { containerEngine, type Sandbox } from '../../core/model/isolation.ts';
import { ERROR_CHARS_MAX } from '../limits.ts';
import { plain, tail } from '../text.ts';
import { inOrder, type Mount } from './mounts.ts';
import type { BoxView } from './view.ts';

/** Exit code of docker and podman for "I could not make it"; what runs inside has others. */
export const CONTAINER_FAILED = 125;
/** A container that does not end within this time is told to the log, and tried again. */
const REMOVE_MS = 20_000;
/** Of a shell: there is no such program, so it has left nothing either. */
const NO_PROGRAM = 127;
/** What engines say of a container that is gone, and `sudo` of an engine that is not here. */
const NO_CONTAINER = /no such container|no container with (?:name|id)|command not found/i;

const nameOf = (view: Pick<BoxView, 'name'>): string => `gt-${view.name}`;

/**
 * Options that docker and podman share, between the program's own and the image. Variables go by name: their values, the
 * token among them, are in the environment and never in a command line.
 */
export function containerArguments(box: {
  readonly view: BoxView;
  readonly sandbox: Sandbox;
  readonly mounts: readonly Mount[];
  readonly names: readonly string[];
}): readonly string[] {
  const { view, sandbox, mounts, names } = box;
  return [
    '--rm',
    '--interactive',
    '--init',
    '--name',
    nameOf(view),
    ...(sandbox.network !== 'on' ? ['--network', 'none'] : []),
    '--workdir',
    view.worktree,
    ...inOrder(mounts).flatMap((mount) =>
      mount.type === 'hide' ? [] : ['--volume', `${mount.from}:${mount.at}${mount.type === 'read' ? ':ro' : ''}`],
    ),
    // The image has paths of its own for programs.
    ...names.filter((name) => name !== 'PATH').flatMap((name) => ['--env', name]),
  ];
}

/** What a wrapper of the user is told, by the environment: paths may have spaces. */
export function wrapperEnvironment(box: {
  readonly view: BoxView;
  readonly sandbox: Sandbox;
  readonly home: string;
}): Record<string, string> {
  const { view, sandbox, home } = box;
  return {
    GT_BOX_NAME: nameOf(view),
    GT_BOX_WORKTREE: view.worktree,
    GT_BOX_HOME: home,
    GT_BOX_NETWORK: sandbox.network === 'on' ? 'on' : 'off',
    ...(view.state === null ? {} : { GT_BOX_STATE: view.state }),
    ...(view.git === null
      ? {}
      : { GT_BOX_GIT: view.git.dir, GT_BOX_GIT_LINK: view.git.link, GT_BOX_OBJECTS: view.git.objects }),
  };
}

/**
 * Ends a container whose client is gone: killing the client leaves it running. Nothing for other isolations.
 * Errors (internal): `container_left`, when nobody can say that it is gone.
 */
export async function removeContainer(sandbox: Sandbox | undefined, name: string): Promise<void> {
  if (sandbox?.kind !== 'container') return;
  const engine = containerEngine(sandbox.command);
  // Its starts are refused, so there is none.
  if (engine === null) return;
  const said = await run(['sh', '-c', `exec ${engine} "$@"`, 'sh', 'rm', '--force', nameOf({ name })]);
  if (said.code === 0 || said.code === NO_PROGRAM || NO_CONTAINER.test(said.text)) return;
  throw new TownError('internal', 'container_left', {
    message: `The container ${nameOf({ name })} does not end: ${tail(plain(said.text.trim()), ERROR_CHARS_MAX)}`,
    next: `Look at it with "${engine} ps".`,
  });
}

/**
 * Errors (precondition): `isolation_unavailable`, when the program that makes containers is not here, or its command does
 * not say how they are removed.
 */
export async function requireProgram(sandbox: Sandbox): Promise<void> {
  const command = (sandbox.command ?? '').trim();
  if (sandbox.kind === 'container' && containerEngine(command) === null)
    throw precondition(
      'isolation_unavailable',
      `isolation_unavailable: ${JSON.stringify(command)} has no word "run", so a container that it makes could not be removed.`,
      'Correct isolation_command in gastown.toml: "docker run", "podman run".',
    );
  const program = command.split(/\s+/)[0] ?? '';
  if ((await run(['sh', '-c', 'command -v "$0"', program])).code === 0) return;
  throw precondition(
    'isolation_unavailable',
    `isolation_unavailable: this rig's agents run by ${JSON.stringify(program)} only, and there is no such program here.`,
    'Install it, or correct isolation_command in gastown.toml. It is tried again by itself.',
  );
}

function run(words: readonly [string, ...string[]]): Promise<{ readonly code: number; readonly text: string }> {
  const [program, ...args] = words;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: REMOVE_MS,
      killSignal: 'SIGKILL',
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString('utf8')).slice(0, ERROR_CHARS_MAX);
    });
    child.once('error', () => {
      resolve({ code: NO_PROGRAM, text });
    });
    child.once('close', (code) => {
      resolve({ code: code ?? -1, text });
    });
  });
}

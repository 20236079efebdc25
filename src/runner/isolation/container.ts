import { spawn } from 'node:child_process';

import type { Sandbox } from '../../core/model/isolation.ts';
import type { Mount } from './mounts.ts';
import type { BoxView } from './view.ts';

/** A container that does not end within this time is told to the log; the next sweep tries again. */
const REMOVE_MS = 20_000;

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
    ...(sandbox.network === 'off' ? ['--network', 'none'] : []),
    '--workdir',
    view.worktree,
    ...mounts.flatMap((mount) =>
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
    GT_BOX_NETWORK: sandbox.network,
    ...(view.state === null ? {} : { GT_BOX_STATE: view.state }),
    ...(view.git === null
      ? {}
      : { GT_BOX_GIT: view.git.dir, GT_BOX_GIT_LINK: view.git.link, GT_BOX_OBJECTS: view.git.objects }),
  };
}

/** Ends a container whose client is gone: killing the client leaves it running. Never throws; true: nothing is left. */
export function removeContainer(sandbox: Sandbox, name: string): Promise<boolean> {
  const program = (sandbox.command ?? '').trim().split(/\s+/)[0] ?? '';
  return new Promise((resolve) => {
    const child = spawn(program, ['rm', '--force', nameOf({ name })], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: REMOVE_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(0, 1_000);
    });
    child.once('error', () => {
      resolve(false);
    });
    child.once('close', (code) => {
      resolve(code === 0 || /no such container/i.test(said));
    });
  });
}

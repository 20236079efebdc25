import { spawn } from 'node:child_process';

import { precondition, type TownError } from '../../core/errors.ts';
import { plain, tail } from '../text.ts';
import { inOrder, linkAt, type Mount, systemMounts } from './mounts.ts';

/** A sandbox is made in milliseconds; a machine that needs longer than this for an empty one can't run agents. */
const PROBE_MS = 10_000;
const PROBE_CHARS_MAX = 300;

export interface BwrapBox {
  readonly mounts: readonly Mount[];
  /** False: nothing but a loopback of its own. */
  readonly hasNetwork: boolean;
  readonly cwd: string;
}

/**
 * Arguments of `bwrap` up to the command. Namespaces of its own for processes, users, IPC and host name: what runs inside
 * sees and signals nothing outside. It dies with whoever started it (the runner, never the daemon), and with the first
 * process inside. A session of its own, so that a signal reaches the program and not the sandbox around it.
 */
export function bwrapArguments(box: BwrapBox): readonly string[] {
  return [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(box.hasNetwork ? [] : ['--unshare-net']),
    '--cap-drop',
    'ALL',
    '--new-session',
    '--die-with-parent',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...inOrder(box.mounts).flatMap(argumentsOf),
    // What is hidden stays empty: nothing can be put there instead.
    ...box.mounts.flatMap((mount) => (mount.type === 'hide' ? ['--remount-ro', mount.at] : [])),
    '--remount-ro',
    '/',
    '--chdir',
    box.cwd,
    '--',
  ];
}

function argumentsOf(mount: Mount): readonly string[] {
  switch (mount.type) {
    case 'hide':
      return ['--tmpfs', mount.at];
    case 'write':
      return ['--bind', mount.from, mount.at];
    default: {
      const link = mount.from === mount.at ? linkAt(mount.at) : null;
      return link === null ? ['--ro-bind', mount.from, mount.at] : ['--symlink', link, mount.at];
    }
  }
}

export interface BwrapFound {
  readonly works: boolean;
  readonly version: string | null;
  /** Why it does not work. */
  readonly problem: string | null;
}

/** Makes an empty sandbox like those of agents and runs a program in it. Never throws. */
export async function probeBubblewrap(): Promise<BwrapFound> {
  const version = await run(['--version']);
  if (version.code === null) return { works: false, version: null, problem: 'bwrap is not installed' };
  const name = version.text.trim().replace('bubblewrap ', '');
  const tried = await run([
    ...bwrapArguments({ mounts: systemMounts(), hasNetwork: false, cwd: '/' }),
    'sh',
    '-c',
    'test -r /proc/self/status',
  ]);
  if (tried.code === 0) return { works: true, version: name, problem: null };
  const said = tail(plain(tried.text.trim()), PROBE_CHARS_MAX);
  return { works: false, version: name, problem: said === '' ? `it ended with ${String(tried.code)}` : said };
}

function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn('bwrap', [...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: PROBE_MS });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text = (text + chunk.toString('utf8')).slice(0, PROBE_CHARS_MAX * 4);
      });
    child.once('error', () => {
      resolve({ code: null, text });
    });
    child.once('close', (code) => {
      resolve({ code: code ?? -1, text });
    });
  });
}

let working: BwrapFound | null = null;

/** What works is asked once; what does not is asked again each time, so that installing it is enough. */
export async function findBubblewrap(): Promise<BwrapFound> {
  if (working !== null) return working;
  const found = await probeBubblewrap();
  if (found.works) working = found;
  return found;
}

/** A start that asked for bubblewrap is refused with this: it never runs without. */
export const noBubblewrap = (found: BwrapFound): TownError =>
  precondition(
    'isolation_unavailable',
    `isolation_unavailable: this rig's agents run in bubblewrap only, and that does not work here: ${found.problem ?? 'unknown'}.`,
    'Install it ("apt-get install bubblewrap") and allow user namespaces; "gt doctor" tests it. It is tried again by itself.',
  );

import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Network } from '../../core/model/isolation.ts';
import type { Mount } from './mounts.ts';
import type { Start } from './view.ts';
import { type OnRefused, WAY_SOCKET, WayOut } from './way-out.ts';

/** Inside: where the runner's socket appears, and where programs find their proxy. Nobody else listens in there. */
const SOCKET_INSIDE = '/run/gt-way.sock';
const PORT = 3_128;
const PROXY = `http://127.0.0.1:${String(PORT)}`;
const MAIN = fileURLToPath(new URL(`./way-main${extname(import.meta.url)}`, import.meta.url));
/** Exit code of a start whose way out could not be opened; agents and gates have others. */
export const WAY_FAILED = 125;

/** Open ways by the folder of their attempt. */
const ways = new Map<string, WayOut>();

export const isList = (network: Network): network is readonly string[] => typeof network !== 'string';

/** Opens the way out of a sandbox; nothing where its network is not a list. Errors: of the file system. */
export async function openWay(folder: string, network: Network, onRefused: OnRefused): Promise<void> {
  if (!isList(network) || ways.has(folder)) return;
  ways.set(folder, await WayOut.open(folder, network, onRefused));
}

/** What is open is closed, with all its connections. */
export async function closeWay(folder: string): Promise<void> {
  const way = ways.get(folder);
  ways.delete(folder);
  await way?.close();
}

export const wayMounts = (folder: string): readonly Mount[] => [
  { type: 'write', from: join(folder, WAY_SOCKET), at: SOCKET_INSIDE },
];

/**
 * The program, begun when its proxy inside listens. A pipe with a name says when; a forwarder that dies closes it, so that
 * nothing waits for it. Addresses of this machine go by it too: inside there is nothing else to reach.
 */
export function startedWithWay({ command, args, env }: Start, node: string): Start {
  const script = [
    `p=/tmp/.gt-way; rm -f "$p"; mkfifo "$p" || exit ${String(WAY_FAILED)}`,
    '"$0" --disable-warning=ExperimentalWarning "$1" "$2" "$3" > "$p" 2>/dev/null < /dev/null &',
    `read -r said < "$p" || { echo "The way out of the sandbox could not be opened." >&2; exit ${String(WAY_FAILED)}; }`,
    'rm -f "$p"; shift 3; exec "$@"',
  ].join('\n');
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy'];
  return {
    command: 'sh',
    args: ['-c', script, node, MAIN, SOCKET_INSIDE, String(PORT), command, ...args],
    env: {
      ...env,
      ...Object.fromEntries(names.map((name) => [name, PROXY])),
      NO_PROXY: '',
      no_proxy: '',
      // Node's own client asks a proxy only when it is told to.
      NODE_USE_ENV_PROXY: '1',
    },
  };
}

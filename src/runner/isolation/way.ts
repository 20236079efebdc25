import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parseAllowed } from '../../core/model/allowed-hosts.ts';
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
  ways.set(folder, await WayOut.open(folder, network, { onRefused }));
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

/** What a sandbox has for itself: the server that a test starts answers there. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '::1'];
const OWN_HOST = /^(?:localhost|.*\.localhost|127\.[\d.]+|::1)$/;

/** Hosts that are not asked of the proxy; none where the list leads to this machine, which has the same names outside. */
const directHosts = (list: readonly string[]): string =>
  list.some((entry) => OWN_HOST.test(parseAllowed(entry)?.host ?? '')) ? '' : OWN_HOSTS.join(',');

/**
 * The program, begun when its proxy inside listens. A pipe with a name says when; a forwarder that dies closes it, so that
 * nothing waits for it. Its folder is new each time: gates of one job share `/tmp`, and one may have left something there.
 */
export function startedWithWay({ command, args, env }: Start, list: readonly string[], node: string): Start {
  const script = [
    `d=$(mktemp -d) && p="$d/way" && mkfifo "$p" || exit ${String(WAY_FAILED)}`,
    '"$0" --disable-warning=ExperimentalWarning "$1" "$2" "$3" > "$p" 2>/dev/null < /dev/null &',
    `read -r said < "$p" || { echo "The way out of the sandbox could not be opened." >&2; exit ${String(WAY_FAILED)}; }`,
    'rm -rf "$d"; shift 3; exec "$@"',
  ].join('\n');
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy'];
  return {
    command: 'sh',
    args: ['-c', script, node, MAIN, SOCKET_INSIDE, String(PORT), command, ...args],
    env: {
      ...env,
      ...Object.fromEntries(names.map((name) => [name, PROXY])),
      NO_PROXY: directHosts(list),
      no_proxy: directHosts(list),
      // Node's own client asks a proxy only when it is told to.
      NODE_USE_ENV_PROXY: '1',
    },
  };
}

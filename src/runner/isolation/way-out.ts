import { lookup } from 'node:dns/promises';
import { type FileHandle, open, rm } from 'node:fs/promises';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { allowedBy, type AllowedHost, parseAllowed, parseTarget, type Target } from '../../core/model/allowed-hosts.ts';
import { WAY_ALIVE_MS, WAY_CONNECT_MS, WAY_CONNECTIONS_MAX, WAY_HALF_OPEN_MS, WAY_REFUSALS_MAX } from '../limits.ts';
import { reachOf } from './addresses.ts';

const HTTP_PORT = 80;
/** In the attempt's own folder. */
export const WAY_SOCKET = 'way.sock';

/** Told once for each place that was refused. */
export type OnRefused = (target: string, why: string) => void;

export interface WayOptions {
  readonly onRefused: OnRefused;
  /** Other than `WAY_HALF_OPEN_MS`. */
  readonly halfOpenMs?: number;
}

/** A request is answered with this status, and with these words. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The one way out of a sandbox whose network is a list: an HTTP proxy on a Unix socket in the attempt's own folder. Names are
 * looked up here, and the connection goes to the address that was judged: a name that leads to a private address later, or
 * to another one for the next who asks, leads nowhere.
 */
export class WayOut {
  readonly #server: Server;
  readonly #folder: FileHandle;
  readonly #list: readonly AllowedHost[];
  readonly #onRefused: OnRefused;
  readonly #told = new Set<string>();
  readonly #sockets = new Set<Socket>();
  readonly #halfOpenMs: number;
  #isClosed = false;

  private constructor(folder: FileHandle, list: readonly AllowedHost[], { onRefused, halfOpenMs }: WayOptions) {
    this.#folder = folder;
    this.#halfOpenMs = halfOpenMs ?? WAY_HALF_OPEN_MS;
    this.#list = list;
    this.#onRefused = onRefused;
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch((error: unknown) => {
        refuse(error, (status, text) => {
          if (response.headersSent) response.destroy();
          else response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
        });
      });
    });
    this.#server.maxConnections = WAY_CONNECTIONS_MAX;
    this.#server.on('drop', () => {
      this.#tell('one more connection', `${String(WAY_CONNECTIONS_MAX)} are open`);
    });
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#server.on('connect', (request, client: Socket, head: Buffer) => {
      this.#tunnel(request.url ?? '', client, head).catch((error: unknown) => {
        refuse(error, (status, text) => {
          client.end(
            `HTTP/1.1 ${String(status)} Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${text}`,
          );
        });
      });
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Errors: of the file system. `entries` were checked with the settings; what can't be read allows nothing. */
  static async open(folder: string, entries: readonly string[], options: WayOptions): Promise<WayOut> {
    const list = entries.flatMap((entry) => parseAllowed(entry) ?? []);
    await rm(join(folder, WAY_SOCKET), { force: true });
    const handle = await open(folder, 'r');
    const way = new WayOut(handle, list, options);
    await new Promise<void>((done, failed) => {
      way.#server.once('error', failed);
      // Names of sockets have at most 107 characters, and towns may lie deep: the folder is named by its number.
      way.#server.listen(`/proc/self/fd/${String(handle.fd)}/${WAY_SOCKET}`, done);
    });
    way.#server.unref();
    return way;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new Promise<void>((done) => {
      this.#server.close(() => {
        done();
      });
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await this.#folder.close();
  }

  async #tunnel(url: string, client: Socket, head: Buffer): Promise<void> {
    const upstream = await this.#connect(parseTarget(url, null), url);
    // Whoever asked may be gone by now.
    if (client.destroyed) return void upstream.destroy();
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    joined(client, upstream, this.#halfOpenMs);
  }

  /** Plain HTTP, by a full address as proxies get it. */
  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const given = request.url ?? '';
    const url = URL.canParse(given) ? new URL(given) : null;
    if (url?.protocol !== 'http:') throw new Refused(400, 'Ask for a full http:// address, or by CONNECT.');
    const port = url.port === '' ? HTTP_PORT : Number(url.port);
    const upstream = await this.#connect(parseTarget(`${url.hostname}:${String(port)}`, null), url.host);
    response.once('close', () => upstream.destroy());
    if (response.destroyed) return void upstream.destroy();
    const { 'proxy-connection': _hop, 'proxy-authorization': _login, ...headers } = request.headers;
    const onward = httpRequest({
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: 'close' },
      createConnection: () => upstream,
    });
    // A host may answer before it has read everything, and then its answer counts.
    pipeline(request, onward).catch(() => undefined);
    const answer = await answerOf(onward);
    response.writeHead(statusOf(answer), answer.headers);
    await pipeline(answer, response);
  }

  /** Errors: `Refused`. */
  async #connect(target: Target | null, asked: string): Promise<Socket> {
    if (target === null) throw new Refused(400, 'That is no host and port.');
    const name = `${target.host}:${String(target.port)}`;
    const entry = allowedBy(this.#list, target);
    if (entry === null) throw this.#refusal(name, 'it is not in the list "network" of the rig');
    const found = await addressesOf(target.host);
    if (this.#isClosed) throw new Refused(502, 'The way out is closed.');
    const address = addressFor(entry, found);
    if (address !== undefined) return this.#open(address, target.port);
    if (found.length === 0) throw new Refused(502, `${asked.slice(0, 300)} has no address.`);
    throw this.#refusal(name, `it leads to ${found[0] ?? ''}, which is not a public address`);
  }

  #open(host: string, port: number): Promise<Socket> {
    return new Promise((done, failed) => {
      const socket = connect({ host, port, allowHalfOpen: true, timeout: WAY_CONNECT_MS });
      this.#keep(socket);
      socket.once('connect', () => {
        // Streams of a model are silent for minutes.
        socket.setTimeout(0);
        socket.setKeepAlive(true, WAY_ALIVE_MS);
        done(socket);
      });
      socket.once('timeout', () => socket.destroy(new Error('no answer')));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        failed(new Refused(502, `Not reached: ${error.code ?? error.message}.`));
      });
    });
  }

  #tell(target: string, why: string): void {
    if (this.#told.has(target) || this.#told.size >= WAY_REFUSALS_MAX) return;
    this.#told.add(target);
    this.#onRefused(target, why);
  }

  #refusal(target: string, why: string): Refused {
    this.#tell(target, why);
    return new Refused(403, `network_refused: ${target} can't be reached from here: ${why}.\n`);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** The address that an entry of the list lets a connection go to. */
export const addressFor = (entry: AllowedHost, found: readonly string[]): string | undefined =>
  found.find((each) => {
    const reach = reachOf(each);
    return reach === 'public' || (reach === 'private' && entry.isPrivate);
  });

/** All addresses of a name, none where it has none; an address is its own. Never throws. */
export async function addressesOf(name: string): Promise<readonly string[]> {
  if (isIP(name) > 0) return [name];
  return (await lookup(name, { all: true }).catch(() => [])).map(({ address }) => address);
}

/** Two sockets as one. Each side may say its last word first; who then hears nothing for long is taken for gone. */
function joined(one: Socket, other: Socket, halfOpenMs: number): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.once('end', () => to.setTimeout(halfOpenMs, () => to.destroy()));
    from.once('close', () => to.destroy());
  }
}

/** What the host answers to a request. Errors: `Refused` when it hangs up or wants to speak something else than HTTP. */
const answerOf = (onward: ClientRequest): Promise<IncomingMessage> =>
  new Promise((done, failed) => {
    onward.once('response', done);
    onward.once('upgrade', (_answer, socket) => {
      socket.destroy();
      failed(new Refused(501, 'The host changes the protocol: ask for it by CONNECT.'));
    });
    const broken = (): void => {
      failed(new Refused(502, 'The host broke off without an answer.'));
    };
    onward.on('error', broken);
    onward.once('close', broken);
  });

/** Errors: `Refused` for a number that is no status of an answer, which Node would not send on. */
function statusOf({ statusCode = 0 }: IncomingMessage): number {
  if (statusCode < 200 || statusCode > 599) throw new Refused(502, 'The host answered with a status that is none.');
  return statusCode;
}

function refuse(error: unknown, answer: (status: number, text: string) => void): void {
  if (error instanceof Refused) answer(error.status, error.message);
  else answer(502, 'The way out failed.');
}

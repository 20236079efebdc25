import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

import { WebSocket, WebSocketServer } from 'ws';

import { FRAME_BYTES_MAX, HANDSHAKE_MS } from '../../api/contract/frames.ts';
import { Link } from '../../api/contract/link.ts';
import { bearerFor, newNonce } from '../../api/contract/runner-auth.ts';
import type { RunnerHealth } from '../../api/contract/runner-health.ts';
import { admit, isReady, welcome, type Known } from '../../api/lines/admission.ts';
import { bearerToRunner, calledWire } from '../../api/lines/called-wire.ts';
import { recordMet, serveRunner } from '../../api/lines/runner-line.ts';
import { RunnerTroubles } from '../../api/lines/runner-troubles.ts';
import { isTwin, TWIN_REASON, twinText } from '../../api/lines/twin.ts';
import { CALL_TIMEOUT_MS, WireRunnerClient } from '../../api/lines/wire-runner-client.ts';

import { trusted } from '../../core/model/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { RunnerClient } from '../../ports/runner-client.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import { textOf, watchLife } from '../../runner/sockets.ts';
import { HttpSender } from './runner-client.ts';
import { held } from './held.ts';
import { refuse } from './runner-sockets.ts';

/** WebSocket's code for it. */
const NOT_ALLOWED = 1008;
/** A runner that listens is looked for this often while it does not answer. */
const LOOK_EVERY_MS = 2_000;

export interface RunnerLinesOptions {
  readonly town: string;
  /** The town's own secret, of which its runners' tokens are made. */
  readonly key: string;
  readonly gateway: () => RunnerGateway;
  /** Carries out calls of runners and agents: the town's HTTP application. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly log: Log;
  readonly clock: Clock;
}

interface Line {
  readonly client: WireRunnerClient;
  readonly hangUp: () => void;
  /** Ends it with words for the other side. */
  readonly refuse: (reason: string) => void;
}

/** The lines to all runners but the one beside the daemon: those that dialled in, and those that are called. */
export class RunnerLines {
  readonly #options: RunnerLinesOptions;
  readonly #lines = new Map<string, Line>();
  readonly #called = new Map<string, AbortController>();
  /** Why those that are called were not met, as it was told last. */
  readonly #unanswered = new Map<string, string>();
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: FRAME_BYTES_MAX, perMessageDeflate: false });
  readonly #stopped = new AbortController();
  readonly #troubles: RunnerTroubles;
  #looking: NodeJS.Timeout | null = null;

  constructor(options: RunnerLinesOptions) {
    this.#options = options;
    this.#troubles = new RunnerTroubles(options.gateway, options);
  }

  client(id: string): RunnerClient | null {
    return this.#lines.get(id)?.client ?? null;
  }

  wire(id: string): WireRunnerClient | null {
    return this.#lines.get(id)?.client ?? null;
  }

  /** Nobody has a line at a start; who is there says so. */
  async start(): Promise<void> {
    for (const runner of await this.#options.gateway().list())
      if (runner.state !== 'down' && (await this.#isRemote(runner.id)))
        await this.#options.gateway().away(runner.id, 'suspect', 'the daemon started; it has not been heard of since');
    await this.#look();
  }

  /** Removed: its rights are gone, so its line ends at once. New: it is called, if it is one that is called. */
  changed(id: string): void {
    this.#called.get(id)?.abort();
    void this.#isRemote(id)
      .then((isKnown) => {
        if (!isKnown) this.#lines.get(id)?.hangUp();
      })
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#options.log.error('a changed runner is not looked at', { runner: id, cause: String(error) });
      });
  }

  stop(): void {
    this.#stopped.abort();
    if (this.#looking !== null) clearTimeout(this.#looking);
    for (const end of this.#called.values()) end.abort();
    for (const line of this.#lines.values()) line.hangUp();
    this.#server.close();
  }

  /** Takes runners that dial this server. */
  attach(server: Server): void {
    server.on('upgrade', (incoming, socket, head) => {
      // Node has let go of the socket: a caller that resets it would otherwise end the whole daemon.
      socket.on('error', () => socket.destroy());
      this.#upgrade(incoming, socket, head).catch((error: unknown) => {
        this.#options.log.warn('a runner was not connected', { cause: error instanceof Error ? error.message : '' });
        socket.destroy();
      });
    });
  }

  async #isRemote(id: string): Promise<boolean> {
    return (await this.#options.gateway().serials(id)) !== null;
  }

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const known = await admit(this.#door(), {
      path: incoming.url ?? '',
      header: (name) => {
        const value = incoming.headers[name];
        return typeof value === 'string' ? value : null;
      },
    });
    if (typeof known === 'number') {
      refuse(socket, known);
      return;
    }
    this.#server.handleUpgrade(incoming, socket, head, (connection) => {
      this.#greet(connection, known).catch(() => {
        connection.terminate();
      });
    });
  }

  #door() {
    const { town, key } = this.#options;
    return { town, key, serials: (id: string) => this.#options.gateway().serials(id) };
  }

  /** We prove ourselves, then it proves itself again with our fresh nonce. */
  async #greet(connection: WebSocket, known: Known): Promise<void> {
    const about = { ...known.about, townNonce: newNonce((count) => randomBytes(count)) };
    const late = setTimeout(() => {
      connection.terminate();
    }, HANDSHAKE_MS);
    connection.once('close', () => {
      clearTimeout(late);
    });
    connection.on('error', () => undefined);
    connection.once('message', (data) => {
      // Frames that come while this is compared are kept by the listener below only once it is there.
      connection.pause();
      isReady(textOf(data), known.verifier, about)
        .then(async (isProven) => {
          if (!isProven) {
            connection.close(NOT_ALLOWED, 'not proven');
            return;
          }
          clearTimeout(late);
          await this.#open(connection, known);
        })
        .catch(() => {
          connection.terminate();
        });
    });
    connection.send(JSON.stringify(await welcome(known.verifier, about)));
  }

  async #open(connection: WebSocket, known: Known): Promise<void> {
    const id = known.about.runner;
    if (known.isNext) await this.#options.gateway().rotated(id);
    const bearer = await bearerFor(known.verifier, id, 'to-town');
    const link = new Link({
      send: (text) => {
        if (connection.readyState === WebSocket.OPEN) connection.send(text);
      },
      serve: (call) => serveRunner(call, bearer, this.#options.fetch),
      abort: () => {
        connection.terminate();
      },
      after: (ms, work) => {
        const timer = setTimeout(work, ms);
        timer.unref();
        return () => {
          clearTimeout(timer);
        };
      },
    });
    connection.on('message', (data) => {
      link.receive(textOf(data));
    });
    watchLife(connection);
    const met: { instance: string | null } = { instance: null };
    const client = new WireRunnerClient(
      (call) => link.call(call, CALL_TIMEOUT_MS),
      () => (met.instance === null ? null : trusted.runner(met.instance)),
      (health) => {
        this.#troubles.heard(id, health);
      },
    );
    const line: Line = {
      client,
      hangUp: () => {
        connection.terminate();
      },
      refuse: (reason) => {
        connection.close(NOT_ALLOWED, reason);
      },
    };
    connection.once('close', () => {
      link.end('the connection was cut');
      this.#gone(id, line);
    });
    connection.resume();
    await this.#meet(id, line, (health) => {
      met.instance = health.instance;
    });
  }

  /** From here on the line is used. */
  async #meet(id: string, line: Line, met: (health: RunnerHealth) => void): Promise<void> {
    const health = await line.client.health();
    const client = this.#lines.get(id)?.client;
    const inUse = client === undefined ? null : { client, present: client.instance() };
    if (await isTwin(this.#options.gateway(), id, { instance: health.instance, inUse })) {
      line.refuse(TWIN_REASON);
      await this.#options.gateway().troubled(id, 'twin', twinText(id));
      return;
    }
    met(health);
    // Two may have come at once, when neither was in use yet: the later one stays.
    const former = this.#lines.get(id);
    this.#lines.set(id, line);
    if (former !== line) former?.hangUp();
    if (
      !(await recordMet(this.#options.gateway(), id, {
        client: line.client,
        health,
        troubles: this.#troubles.met(id, health),
        nowMs: this.#options.clock.now(),
      }))
    ) {
      line.hangUp();
      return;
    }
    this.#options.log.info('runner is connected', { runner: id, instance: health.instance });
  }

  #gone(id: string, line: Line): void {
    if (this.#lines.get(id) !== line) return;
    this.#lines.delete(id);
    if (this.#stopped.signal.aborted) return;
    this.#options.log.warn('line to a runner is cut', { runner: id });
    this.#options
      .gateway()
      .away(id, 'suspect', 'its line was cut')
      .catch((error: unknown) => {
        this.#options.log.error('cut line not recorded', { runner: id, cause: String(error) });
      });
  }

  /** Runners with an address are called. Without one that is away there is no timer: an idle town does nothing. */
  async #look(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    for (const runner of await this.#options.gateway().list())
      if (runner.url !== null && !this.#called.has(runner.id)) {
        const end = new AbortController();
        this.#called.set(runner.id, end);
        void this.#call(runner.id, runner.url, end.signal).finally(() => {
          this.#called.delete(runner.id);
          this.#lookAgain();
        });
      }
  }

  #lookAgain(): void {
    if (this.#stopped.signal.aborted || this.#looking !== null) return;
    this.#looking = setTimeout(() => {
      this.#looking = null;
      this.#look().catch((error: unknown) => {
        this.#options.log.error('runners are not looked for', { cause: String(error) });
        this.#lookAgain();
      });
    }, LOOK_EVERY_MS);
    this.#looking.unref();
  }

  /** It is looked for again; people are told once per cause, not every two seconds. */
  #notMet(id: string, url: string, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error);
    if (this.#unanswered.get(id) === cause) return;
    this.#unanswered.set(id, cause);
    this.#options.log.warn('runner does not answer at its address', { runner: id, url, cause });
  }

  /** Why the last try to meet a runner at its address failed; null: it did not. */
  unmet(id: string): string | null {
    return this.#unanswered.get(id) ?? null;
  }

  async #call(id: string, url: string, ended: AbortSignal): Promise<void> {
    if (!(await this.#isRemote(id))) return;
    const met: { instance: string | null } = { instance: null };
    const cut = new AbortController();
    const sender = new HttpSender({ url });
    const client = new WireRunnerClient(
      calledWire(this.#options, id, (bearer, call) => sender.send(bearer, call)),
      () => (met.instance === null ? null : trusted.runner(met.instance)),
      (health) => {
        this.#troubles.heard(id, health);
        const { instance } = health;
        // Another process answers there now, although nothing said that the first one ended: it is met anew.
        if (met.instance !== null && met.instance !== instance) cut.abort();
      },
    );
    ended.addEventListener('abort', () => {
      cut.abort();
    });
    const line: Line = {
      client,
      hangUp: () => {
        cut.abort();
      },
      refuse: () => {
        cut.abort();
      },
    };
    try {
      await this.#meet(id, line, (health) => {
        met.instance = health.instance;
        this.#unanswered.delete(id);
      });
      // It may have taken its next token just now.
      const serials = await this.#options.gateway().serials(id);
      if (serials === null) return;
      await held({ url }, await bearerToRunner(this.#options, id, serials.current), cut.signal);
    } catch (error) {
      this.#notMet(id, url, error);
    } finally {
      sender.close();
      this.#gone(id, line);
    }
  }
}

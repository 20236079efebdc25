import { FRAME_BYTES_MAX, HANDSHAKE_MS, PROTOCOL_HEADER } from '../../api/contract/frames.ts';
import { SILENCE_MAX_MS } from '../../api/contract/protocol.ts';
import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { Link, LinkLost } from '../../api/contract/link.ts';
import { protocolRange } from '../../api/contract/protocol.ts';
import { bearerFor, newNonce } from '../../api/contract/runner-auth.ts';
import { admit, isReady, verifierOf, welcome, type Refusal } from '../../api/lines/admission.ts';
import { recordMet, serveRunner } from '../../api/lines/runner-line.ts';
import { RunnerTroubles } from '../../api/lines/runner-troubles.ts';
import { isTwin, TWIN_REASON, twinText } from '../../api/lines/twin.ts';
import { CALL_TIMEOUT_MS, WireRunnerClient } from '../../api/lines/wire-runner-client.ts';
import { TownError } from '../../core/errors.ts';
import type { Runner } from '../../core/model/runner.ts';
import type { HostPorts } from '../../ports/host.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';
import type { CalledRunners } from './called-runners.ts';
import type { DurableSocket, DurableSockets } from './durable.ts';
import { changeSeat, idsOf, seatOf, type Seat } from './seat.ts';

/** What runners send as a sign of life; the platform answers the same, and the object sleeps on. */
const BEAT = 'beat';
/** Frames that may come while the runner's second proof is looked at; it sends what waits as soon as it has sent that. */
const EARLY_FRAMES_MAX = 64;
/** WebSocket's codes: not allowed, and too large. */
const NOT_ALLOWED = 1008;
const TOO_LARGE = 1009;
const GOING = 1000;

export interface ObjectLinesOptions {
  readonly sockets: DurableSockets;
  readonly town: string;
  /** The town's own secret, of which its runners' tokens are made. */
  readonly key: string;
  readonly gateway: () => RunnerGateway;
  /** Carries out calls of runners and agents: the town's HTTP application. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly ports: Pick<HostPorts, 'clock' | 'log' | 'after' | 'random'>;
  /** Those that listen. */
  readonly called: CalledRunners;
}

interface Proving {
  readonly done: Promise<boolean>;
  early: number;
}

/**
 * The lines of runners that dialled a town's object. What is known of a line is attached to its socket, so that the
 * object can be put away between two calls; links are made anew from that.
 */
export class ObjectLines {
  readonly #options: ObjectLinesOptions;
  readonly #links = new WeakMap<DurableSocket, Link>();
  readonly #troubles: RunnerTroubles;
  readonly #proving = new WeakMap<DurableSocket, Proving>();
  /** Ends the waiting for a greeting: a timer that is still set would keep the object awake. */
  readonly #greeted = new WeakMap<DurableSocket, () => void>();

  constructor(options: ObjectLinesOptions) {
    this.#options = options;
    this.#troubles = new RunnerTroubles(options.gateway, options.ports);
    options.sockets.setWebSocketAutoResponse(new WebSocketRequestResponsePair(BEAT, BEAT));
  }

  /** Whoever it is for, a call without a line fails when it is made. */
  client(id: string): WireRunnerClient {
    return new WireRunnerClient(
      (call) => this.call(id, call),
      () => null,
      (health) => {
        this.#troubles.heard(id, health);
      },
    );
  }

  /** A call from another object of this town. Errors: `runner_away`; no answer in time. */
  async call(id: string, call: WireCall): Promise<WireAnswer> {
    const socket = this.#met(id);
    if (socket === null) return this.#options.called.call(await this.#known(id), call);
    if (this.#isSilent(socket)) {
      this.#drop(socket, 'nothing is heard on its line');
      throw away(id);
    }
    try {
      return await this.#linkOf(socket).call(call, CALL_TIMEOUT_MS);
    } catch (error) {
      // Without a beat so far nobody can say whether the other side is there.
      const beat = this.#options.sockets.getWebSocketAutoResponseTimestamp(socket);
      if (error instanceof LinkLost && (beat === null || this.#isSilent(socket)))
        this.#drop(socket, 'no answer on its line');
      throw error;
    }
  }

  /** A runner that nobody removed; who it is for asks again otherwise. */
  async #known(id: string): Promise<Runner> {
    const runner = (await this.#options.gateway().list()).find((one) => one.id === id);
    if (runner === undefined || runner.url === null) throw away(id);
    return runner;
  }

  /** The object was made: lines that outlived it are used on, and whoever has none any more is away. */
  async opened(): Promise<void> {
    for (const socket of this.#options.sockets.getWebSockets()) {
      const seat = seatOf(socket);
      if (seat.state === 'greeting') this.#awaitReady(socket, seat);
      else if (seat.state === 'proven') this.#meetOrDrop(socket, seat.about.runner);
    }
    for (const runner of await this.#options.gateway().list())
      if ((runner.state === 'healthy' || runner.state === 'draining') && runner.url === null)
        await this.#noted(runner.id);
    this.look();
  }

  async #noted(id: string): Promise<void> {
    if (this.#open(id).length > 0 || (await this.#options.gateway().serials(id)) === null) return;
    await this.#options.gateway().away(id, 'suspect', 'the town started; it has not been heard of since');
  }

  /** Removed: its rights are gone, so its line ends at once. New: it is called, if it is one that is called. */
  changed(id: string): void {
    this.#settle(
      (async () => {
        if ((await this.#options.gateway().serials(id)) === null)
          for (const socket of this.#open(id)) this.#hangUp(socket, 'it was removed');
        this.#options.called.forget(id);
        await this.#options.called.look();
      })(),
      'a changed runner is not looked at',
      id,
    );
  }

  /** Calls those that listen and did not answer. */
  look(): void {
    this.#settle(this.#options.called.look(), 'runners are not looked for', null);
  }

  /** A runner that does not answer now is told when it is met again: the registry says what people want. */
  async drain(id: string, on: boolean, graceMs: number | null): Promise<void> {
    try {
      await this.client(id).drain(on, graceMs);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.#options.ports.log.warn('runner not told to drain', { runner: id, cause });
    }
  }

  /** A runner's request to connect. */
  async connect(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const known = await admit(this.#door(), {
      path: url.pathname + url.search,
      header: (name) => request.headers.get(name),
    });
    if (typeof known === 'number') return refusal(known);
    const about = { ...known.about, townNonce: newNonce((count) => this.#options.ports.random.bytes(count)) };
    const pair = new WebSocketPair();
    const socket = pair[1];
    this.#options.sockets.acceptWebSocket(socket, [about.runner]);
    const seat: Seat = {
      state: 'greeting',
      about,
      serial: known.serial,
      isNext: known.isNext,
      openedAtMs: this.#options.ports.clock.now(),
      idsBelow: 1,
    };
    socket.serializeAttachment(seat);
    this.#awaitReady(socket, seat);
    socket.send(JSON.stringify(await welcome(known.verifier, about, BEAT)));
    return new Response(null, { status: 101, webSocket: pair[0] });
  }

  /** One message of a runner. Ends when it is taken, not when it is answered. */
  async message(socket: DurableSocket, data: string | ArrayBuffer): Promise<void> {
    if (typeof data !== 'string' || isTooLarge(data)) {
      this.#drop(socket, 'a frame is too large or no text', TOO_LARGE);
      return;
    }
    if (seatOf(socket).state === 'greeting' && !(await this.#isProven(socket, data))) return;
    if (seatOf(socket).state === 'over') return;
    this.#linkOf(socket).receive(data);
  }

  closed(socket: DurableSocket): void {
    this.#gone(socket, 'its line was cut');
  }

  /** True for frames that came early and may be used now; the proof itself is used up. */
  async #isProven(socket: DurableSocket, text: string): Promise<boolean> {
    const proving = this.#proving.get(socket);
    if (proving === undefined) {
      this.#proving.set(socket, { done: this.#prove(socket, text), early: 0 });
      return false;
    }
    proving.early += 1;
    if (proving.early <= EARLY_FRAMES_MAX) return proving.done;
    this.#drop(socket, 'too many frames before the greeting was over', NOT_ALLOWED);
    return false;
  }

  /** Its second proof. The line is used once it was met on it. */
  async #prove(socket: DurableSocket, text: string): Promise<boolean> {
    const { about, serial, isNext } = seatOf(socket);
    const verifier = await verifierOf(this.#options, about.runner, serial);
    if (!(await isReady(text, verifier, about))) {
      this.#drop(socket, 'not proven', NOT_ALLOWED);
      return false;
    }
    if (seatOf(socket).state === 'over') return false;
    this.#greeted.get(socket)?.();
    changeSeat(socket, { state: 'proven' });
    if (isNext) await this.#options.gateway().rotated(about.runner);
    this.#meetOrDrop(socket, about.runner);
    return true;
  }

  #meetOrDrop(socket: DurableSocket, id: string): void {
    this.#settle(
      this.#meet(socket, id).catch((error: unknown) => {
        this.#drop(socket, 'it was not met');
        throw error;
      }),
      'a runner was not met',
      id,
    );
  }

  async #meet(socket: DurableSocket, id: string): Promise<void> {
    const client = this.#clientOn(socket);
    const health = await client.health();
    if (await this.#isTwin(socket, id, health.instance)) {
      this.#hangUp(socket, TWIN_REASON);
      await this.#options.gateway().troubled(id, 'twin', twinText(id));
      return;
    }
    // It may have been cut meanwhile, or be another one's that came at once: the later one stays.
    if (seatOf(socket).state === 'over') return;
    for (const other of this.#open(id)) if (other !== socket) this.#hangUp(other, 'it has another line now');
    changeSeat(socket, { state: 'met' });
    if (
      !(await recordMet(this.#options.gateway(), id, {
        client,
        health,
        troubles: this.#troubles.met(id, health),
        nowMs: this.#options.ports.clock.now(),
      }))
    )
      this.#hangUp(socket, 'it was removed');
    else this.#options.ports.log.info('runner is connected', { runner: id, instance: health.instance });
  }

  async #isTwin(socket: DurableSocket, id: string, instance: string): Promise<boolean> {
    const met = this.#met(id);
    if (met === socket) return false;
    const present = (await this.#options.gateway().list()).find((runner) => runner.id === id)?.instance ?? null;
    const inUse = met === null ? null : { client: this.#clientOn(met), present };
    return isTwin(this.#options.gateway(), id, { instance, inUse });
  }

  #clientOn(socket: DurableSocket): WireRunnerClient {
    const link = this.#linkOf(socket);
    return new WireRunnerClient(
      (call) => link.call(call, CALL_TIMEOUT_MS),
      () => null,
    );
  }

  #linkOf(socket: DurableSocket): Link {
    const known = this.#links.get(socket);
    if (known !== undefined) return known;
    const { about, serial } = seatOf(socket);
    const bearer = verifierOf(this.#options, about.runner, serial).then((verifier) =>
      bearerFor(verifier, about.runner, 'to-town'),
    );
    const link = new Link({
      send: (text) => {
        if (socket.readyState === 1) socket.send(text);
      },
      serve: async (call) => serveRunner(call, await bearer, this.#options.fetch),
      abort: (reason) => {
        this.#drop(socket, reason, NOT_ALLOWED);
      },
      after: (ms, work) => this.#options.ports.after(ms, work),
      nextId: idsOf(socket),
    });
    this.#links.set(socket, link);
    return link;
  }

  #awaitReady(socket: DurableSocket, seat: Seat): void {
    const leftMs = seat.openedAtMs + HANDSHAKE_MS - this.#options.ports.clock.now();
    const greeted = this.#options.ports.after(Math.max(0, leftMs), () => {
      if (seatOf(socket).state === 'greeting') this.#hangUp(socket, 'the greeting took too long');
    });
    this.#greeted.set(socket, greeted);
  }

  #door() {
    const { town, key } = this.#options;
    return { town, key, serials: (id: string) => this.#options.gateway().serials(id) };
  }

  /** Lines of a runner that proved itself on them: one, but for a moment. */
  #open(id: string): readonly DurableSocket[] {
    return this.#options.sockets.getWebSockets(id).filter((socket) => {
      const { state } = seatOf(socket);
      return state === 'proven' || state === 'met';
    });
  }

  #met(id: string): DurableSocket | null {
    return this.#open(id).find((socket) => seatOf(socket).state === 'met') ?? null;
  }

  /** No beat for so long. One that never sent any is not judged by them. */
  #isSilent(socket: DurableSocket): boolean {
    const beat = this.#options.sockets.getWebSocketAutoResponseTimestamp(socket);
    return beat !== null && this.#options.ports.clock.now() - beat.getTime() > SILENCE_MAX_MS;
  }

  #drop(socket: DurableSocket, reason: string, code: number = GOING): void {
    this.#gone(socket, reason);
    close(socket, code, reason);
  }

  /** As `#drop`, but nobody is told that the runner is away: it is no runner any more, or here on another line. */
  #hangUp(socket: DurableSocket, reason: string): void {
    this.#greeted.get(socket)?.();
    changeSeat(socket, { state: 'over' });
    this.#links.get(socket)?.end(reason);
    close(socket, NOT_ALLOWED, reason);
  }

  #gone(socket: DurableSocket, reason: string): void {
    const { state, about } = seatOf(socket);
    this.#greeted.get(socket)?.();
    this.#links.get(socket)?.end(reason);
    if (state === 'over') return;
    changeSeat(socket, { state: 'over' });
    if (state === 'greeting' || this.#open(about.runner).length > 0) return;
    this.#options.ports.log.warn('line to a runner is cut', { runner: about.runner });
    this.#settle(this.#options.gateway().away(about.runner, 'suspect', reason), 'cut line not recorded', about.runner);
  }

  #settle(work: Promise<unknown>, text: string, runner: string | null): void {
    work.catch((error: unknown) => {
      this.#options.ports.log.error(text, { runner, cause: error instanceof Error ? error.message : String(error) });
    });
  }
}

const isTooLarge = (text: string): boolean =>
  text.length * 3 > FRAME_BYTES_MAX && new TextEncoder().encode(text).length > FRAME_BYTES_MAX;

/** Which protocols we speak is no secret and tells the other side what to install. */
export const refusal = (status: Refusal): Response =>
  new Response(null, { status, headers: { [PROTOCOL_HEADER]: protocolRange() } });

const away = (id: string): TownError =>
  new TownError('unreachable', 'runner_away', {
    message: `The runner "${id}" has no line to the town now.`,
    next: `Look at it with "gt runner show ${id}"; what is there is shown again when it is back.`,
  });

/** One that is closed already stays so. */
function close(socket: DurableSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // Its other end was first.
  }
}

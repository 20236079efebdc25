import type { WireAnswer, WireCall } from '../../api/contract/frames.ts';
import { calledWire } from '../../api/lines/called-wire.ts';
import { recordMet } from '../../api/lines/runner-line.ts';
import { troublesOf } from '../../api/lines/runner-troubles.ts';
import { CALL_TIMEOUT_MS, WireRunnerClient, type RunnerWire } from '../../api/lines/wire-runner-client.ts';
import type { Runner } from '../../core/model/runner.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { RunnerGateway } from '../../ports/runner-gateway.ts';

/** One that does not answer is called again after waits that double, up to the second; a town may be away for days. */
const LOOK_MS_MIN = 2_000;
const LOOK_MS_MAX = 5 * 60_000;
/** A runner that was met so lately need not be asked who it is before the next call; a restart shows within this. */
const MET_FOR_MS = 30_000;
/** An answer larger than this is not one of ours. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface CalledRunnersOptions {
  readonly town: string;
  readonly key: string;
  readonly gateway: () => RunnerGateway;
  readonly clock: Clock;
  readonly log: Log;
  /** Wakes the object for `look`; null: no need. */
  readonly wakeAt: (atMs: number | null) => void;
}

/**
 * Runners that listen at an address. Nothing is held open to them, which would keep the object awake: who calls one
 * asks it first who it is, if that was not done just now, and a call that fails says that it is away.
 */
export class CalledRunners {
  readonly #options: CalledRunnersOptions;
  readonly #metAtMs = new Map<string, number>();
  /** Why those that are away were not met, as it was told last. */
  readonly #unanswered = new Map<string, string>();
  #waitMs = LOOK_MS_MIN;
  #looking: Promise<void> | null = null;
  /** An alarm was set for the next look. */
  #wakes = false;

  constructor(options: CalledRunnersOptions) {
    this.#options = options;
  }

  /** Errors: whatever kept it from answering in time. */
  async call(runner: Runner, call: WireCall): Promise<WireAnswer> {
    const { id } = runner;
    try {
      const metAtMs = this.#metAtMs.get(id);
      if (metAtMs === undefined || this.#options.clock.now() - metAtMs > MET_FOR_MS) await this.#meet(runner);
      return await this.#wire(runner)(call);
    } catch (error) {
      this.forget(id);
      await this.#options.gateway().away(id, 'suspect', 'it does not answer at its address');
      this.#lookIn(LOOK_MS_MIN);
      throw error;
    }
  }

  /** Its registration changed, or it did not answer. */
  forget(id: string): void {
    this.#metAtMs.delete(id);
    this.#waitMs = LOOK_MS_MIN;
  }

  /** Calls those that are away. Without one there is no alarm: an idle town does nothing. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const runners = await this.#options.gateway().list();
    const lost = runners.filter(
      ({ id, url, state }) => url !== null && ((state !== 'healthy' && state !== 'draining') || !this.#metAtMs.has(id)),
    );
    const met = await Promise.all(lost.map((runner) => this.#isMet(runner)));
    if (!met.every(Boolean)) this.#lookIn(this.#waitMs);
    else if (this.#wakes) {
      this.#wakes = false;
      this.#options.wakeAt(null);
    }
  }

  #lookIn(ms: number): void {
    this.#wakes = true;
    this.#options.wakeAt(this.#options.clock.now() + ms);
    this.#waitMs = Math.min(ms * 2, LOOK_MS_MAX);
  }

  async #isMet(runner: Runner): Promise<boolean> {
    try {
      await this.#meet(runner);
      return true;
    } catch (error) {
      this.#tell(runner, error instanceof Error ? error.message : String(error));
      if (runner.state === 'healthy' || runner.state === 'draining')
        await this.#options.gateway().away(runner.id, 'suspect', 'it does not answer at its address');
      return false;
    }
  }

  /** Once per cause, not at each look. */
  #tell(runner: Runner, cause: string): void {
    if (this.#unanswered.get(runner.id) === cause) return;
    this.#unanswered.set(runner.id, cause);
    this.#options.log.warn('runner does not answer at its address', { runner: runner.id, url: runner.url, cause });
  }

  async #meet(runner: Runner): Promise<void> {
    const client = new WireRunnerClient(this.#wire(runner), () => null);
    const health = await client.health();
    this.#unanswered.delete(runner.id);
    if (
      await recordMet(this.#options.gateway(), runner.id, {
        client,
        health,
        troubles: troublesOf(runner.id, health, this.#options.clock.now()),
        nowMs: this.#options.clock.now(),
      })
    )
      this.#metAtMs.set(runner.id, this.#options.clock.now());
  }

  #wire(runner: Runner): RunnerWire {
    const { id, url } = runner;
    return calledWire(this.#options, id, (bearer, call) => {
      if (url === null) throw new Error('it has no address');
      return send(url, bearer, call);
    });
  }
}

/** One call over HTTP. A runner that hangs would hold the object awake for ever, so it is given up in time. */
async function send(url: string, token: string, call: WireCall): Promise<WireAnswer> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (call.body !== null) headers['content-type'] = 'application/json';
  const response = await fetch(`${url.replace(/\/$/, '')}${call.path}`, {
    method: call.method,
    headers,
    // A stranger at the address must not send the credential elsewhere.
    redirect: 'manual',
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    ...(call.body === null ? {} : { body: call.body }),
  });
  const offset = Number(response.headers.get('x-next-offset') ?? Number.NaN);
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    body: await textWithin(response),
    next: Number.isSafeInteger(offset) ? offset : null,
  };
}

async function textWithin(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > ANSWER_BYTES_MAX) {
      await reader.cancel();
      throw new Error('the answer is too large');
    }
    text += decoder.decode(value, { stream: true });
  }
}

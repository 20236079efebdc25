import { CrashError } from './faulty-sql.ts';
import type { Prng } from './prng.ts';
import type { Scheduler } from './scheduler.ts';
import type { Weather } from './weather.ts';

export type Side = 'runner' | 'far' | 'brain';
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

export interface Call<T> {
  readonly label: string;
  readonly to: Side;
  readonly timeoutMs: number;
  /** What the receiver does; a rejection is its refusal. */
  readonly apply: () => Promise<T>;
  readonly done: (answer: Answer<T>) => void;
}

/** State of a receiver: it answers, nobody listens, or it takes calls but does not work on them before a moment. */
export type Reach = 'up' | 'down' | { readonly hungUntilMs: number };

/** The weather is the same for both machines. */
const weatherOf = (side: Side): 'runner' | 'brain' => (side === 'far' ? 'runner' : side);

/** The caller heard nothing that says whether it happened. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * All calls between brain and runner. A call may be lost, lose its answer, arrive twice or late, or arrive after its
 * caller gave up: everything that a socket can do to a request.
 */
export class Wire {
  readonly #time: Scheduler;
  readonly #weather: Weather;
  readonly #chance: Prng;
  reach: (side: Side) => Reach = () => 'up';

  constructor(time: Scheduler, weather: Weather, chance: Prng) {
    this.#time = time;
    this.#weather = weather;
    this.#chance = chance;
  }

  call<T>(call: Call<T>): void {
    let settled = false;
    const settle = (answer: Answer<T>): void => {
      if (settled) return;
      settled = true;
      forget();
      call.done(answer);
    };
    const forget = this.#time.after(call.timeoutMs, `timeout ${call.label}`, () => {
      settle({ ok: false, error: new NoAnswer(`${call.label}: no answer in time`) });
    });
    const side = weatherOf(call.to);
    const late = this.#weather.hits(`${side}_slow`);
    const delayMs = late ? this.#chance.between(500, 2 * call.timeoutMs) : this.#chance.between(1, 20);
    if (!this.#weather.hits(`${side}_lose`)) this.#deliver(call, delayMs, settle);
    if (this.#weather.hits(`${side}_twice`)) this.#deliver(call, delayMs + this.#chance.between(1, 30_000), settle);
  }

  #deliver<T>(call: Call<T>, delayMs: number, settle: (answer: Answer<T>) => void): void {
    this.#time.after(delayMs, `to ${call.to}: ${call.label}`, () => {
      const reach = this.reach(call.to);
      if (reach === 'down') {
        settle({ ok: false, error: new NoAnswer(`${call.label}: connection refused`) });
        return;
      }
      if (reach !== 'up') {
        this.#deliver(call, Math.max(1, reach.hungUntilMs - this.#time.nowMs), settle);
        return;
      }
      call.apply().then(
        (value) => {
          this.#answer(call, { ok: true, value }, settle);
        },
        (error: unknown) => {
          // The receiver died at it: there is nobody left who could answer.
          if (error instanceof CrashError) return;
          this.#answer(call, { ok: false, error }, settle);
        },
      );
    });
  }

  #answer<T>(call: Call<T>, answer: Answer<T>, settle: (answer: Answer<T>) => void): void {
    if (this.#weather.hits(`${weatherOf(call.to)}_answer`)) return;
    // An answer that is on its way when the line is cut is lost with it.
    if (call.to === 'far' && this.reach('far') === 'down') return;
    this.#time.after(this.#chance.between(1, 10), `from ${call.to}: ${call.label}`, () => {
      settle(answer);
    });
  }
}

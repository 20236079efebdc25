import type { Alarm } from '../../ports/alarm.ts';
import type { Clock } from '../../ports/clock.ts';

/** `setTimeout` takes a signed 32-bit count of milliseconds; a longer wait fires at once. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/**
 * An actor's wake-up as one host timer. It keeps no process alive (the daemon lives by its listeners) and holds
 * nothing durable: the actor stores its due time and sets it again at start, so an overdue one fires at once.
 */
export class TimerAlarm implements Alarm {
  readonly #clock: Clock;
  readonly #onAlarm: () => void;
  #timer: NodeJS.Timeout | null = null;
  #atMs: number | null = null;
  #closed = false;

  constructor(clock: Clock, onAlarm: () => void) {
    this.#clock = clock;
    this.#onAlarm = onAlarm;
  }

  set(atMs: number | null): void {
    if (this.#closed) return;
    this.#atMs = atMs;
    this.#arm();
  }

  /** When it is due; null when nothing is set. */
  dueAtMs(): number | null {
    return this.#atMs;
  }

  /** Forgets the wake-up for ever; later `set` calls do nothing. */
  close(): void {
    this.#closed = true;
    this.#atMs = null;
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#atMs === null) return;
    const waitMs = Math.min(Math.max(0, this.#atMs - this.#clock.now()), TIMEOUT_MS_MAX);
    this.#timer = setTimeout(() => {
      this.#fire();
    }, waitMs);
    this.#timer.unref();
  }

  #fire(): void {
    this.#timer = null;
    if (this.#atMs !== null && this.#atMs > this.#clock.now()) {
      this.#arm();
      return;
    }
    this.#atMs = null;
    this.#onAlarm();
  }
}

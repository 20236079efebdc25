import type { Alarm } from '../../ports/alarm.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { DurableStorage } from './durable.ts';

/**
 * Set before the work of an alarm begins, so that an object that dies in it is woken again. Longer than a turn takes,
 * shorter than anybody's patience.
 */
const PREARMED_MS = 10_000;

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * An actor's wake-up as the one alarm of its object. A platform that sees an alarm throw seven times drops it for ever,
 * so `ring` never throws, and while it works another alarm is set already.
 */
export class StorageAlarm implements Alarm {
  readonly #storage: DurableStorage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onAlarm: () => void;
  readonly #onAlso: () => void;
  readonly #prearmedMs: number;
  /** What storage was told last; undefined before the first word, when anything may be set. */
  #setMs: number | null | undefined;
  /** What the actor wants, and what else the object wants to be woken for: there is one alarm for both. */
  #wantedMs: number | null = null;
  #alsoMs: number | null = null;

  constructor(options: {
    readonly storage: DurableStorage;
    readonly clock: Clock;
    readonly log: Log;
    readonly onAlarm: () => void;
    /** The time given to `also` has come. */
    readonly onAlso?: () => void;
    /** For a test that can't wait as long. */
    readonly prearmedMs?: number;
  }) {
    this.#storage = options.storage;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onAlarm = options.onAlarm;
    this.#onAlso = options.onAlso ?? ((): void => undefined);
    this.#prearmedMs = options.prearmedMs ?? PREARMED_MS;
  }

  /** Part of the commit that the turn's writes are in. The same time again costs no row, and sets an alarm that was lost. */
  set(atMs: number | null): void {
    this.#wantedMs = atMs;
    this.#update();
  }

  /** A wake-up that is not the actor's; lost with the life of the object, whose next one asks again. */
  also(atMs: number | null): void {
    this.#alsoMs = atMs;
    this.#update();
  }

  #update(): void {
    const times = [this.#wantedMs, this.#alsoMs].filter((time) => time !== null);
    const atMs = times.length === 0 ? null : Math.min(...times);
    const known = this.#setMs;
    this.#setMs = atMs;
    this.#tell(known === atMs ? this.#repair(atMs) : this.#write(atMs));
  }

  /**
   * The alarm rang: does what is due and waits for `finished`. Never throws; whatever happens, an alarm is set while
   * there may be work.
   */
  async ring(finished: () => Promise<void>): Promise<void> {
    try {
      // A step of its own, on disk before the work: the end of a failing turn can't take it back.
      await this.#write((this.#setMs = this.#clock.now() + this.#prearmedMs));
      await this.#storage.sync();
      this.#ringAlso();
      this.#onAlarm();
      await finished();
    } catch (error) {
      this.#log.error('alarm failed', { cause: told(error) });
    }
  }

  #ringAlso(): void {
    if (this.#alsoMs === null || this.#alsoMs > this.#clock.now()) return;
    this.#alsoMs = null;
    this.#onAlso();
  }

  async #repair(atMs: number | null): Promise<void> {
    if (atMs !== null && (await this.#storage.getAlarm()) === null) await this.#write(atMs);
  }

  #write(atMs: number | null): Promise<void> {
    return atMs === null ? this.#storage.deleteAlarm() : this.#storage.setAlarm(atMs);
  }

  #tell(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#setMs = undefined;
      this.#log.error('alarm not set', { cause: told(error) });
    });
  }
}

import type { DurableStorage } from './durable.ts';
import type { StreamStub } from './rpc.ts';

const KEY = 'watched';
/** A change that could not be told is told again after this long. */
const AGAIN_MS = 1_000;
/** The stream's object answers within a second or is made anew; who reads has its cursor and comes again. */
const TRIES_MAX = 5;

/** Tells the readers' object that an actor recorded something, while there are readers: one call under way at a time. */
export class Watched {
  readonly #kv: DurableStorage['kv'];
  readonly #stream: () => StreamStub;
  readonly #after: (delayMs: number, work: () => void) => unknown;
  #isWatched: boolean;
  #isTelling = false;
  #isNews = false;
  /** Counts the calls that say somebody reads: an answer that nobody does may be older than one of them. */
  #watches = 0;

  constructor(
    kv: DurableStorage['kv'],
    stream: () => StreamStub,
    after: (delayMs: number, work: () => void) => unknown,
  ) {
    this.#kv = kv;
    this.#stream = stream;
    this.#after = after;
    this.#isWatched = kv.get(KEY) === true;
  }

  /** Somebody reads. */
  watch(): void {
    this.#watches += 1;
    this.#set(true);
  }

  #set(isWatched: boolean): void {
    if (this.#isWatched === isWatched) return;
    this.#isWatched = isWatched;
    this.#kv.put(KEY, isWatched);
  }

  /** After a turn. Never throws, never waits. */
  turned(address: string): void {
    if (!this.#isWatched) return;
    this.#isNews = true;
    if (!this.#isTelling) void this.#tell(address, 0);
  }

  async #tell(address: string, tries: number): Promise<void> {
    this.#isTelling = true;
    this.#isNews = false;
    const watches = this.#watches;
    try {
      const isRead = await this.#stream().changed(address);
      if (!isRead && watches === this.#watches) this.#set(false);
    } catch {
      if (tries < TRIES_MAX) {
        this.#after(AGAIN_MS, () => void this.#tell(address, tries + 1));
        return;
      }
    }
    this.#isTelling = false;
    if (this.#isNews) this.turned(address);
  }
}

import { decodePlaces } from '../../core/places.ts';
import type { StreamGateway } from '../../ports/stream-gateway.ts';
import type { StreamFrame } from '../contract/stream.ts';
import type { JournalItem } from '../contract/town.ts';
import { presentJournalEntry } from '../present.ts';
import { filterKey, wanted, type StreamFilter } from './filter.ts';

/** Rows that come within this time leave as one frame: sooner than anybody sees, rare enough for a thousand readers. */
export const GATHER_MS = 25;
/** Rows per frame: some 100 kB at most. */
export const FRAME_ROWS_MAX = 400;

/** A reader that misses no more than this joins the live ones; one that misses more is given room first. */
const LAST_ROWS_MAX = 5;

/** One reader, as its host has it. `Encoded` is a frame in the bytes or text of the host. */
export interface StreamReader<Encoded> {
  readonly filter: StreamFilter;
  /** False: it is gone, or too slow to be waited for; nothing more is sent to it. */
  send(frame: Encoded): boolean;
  /** Resolves when there is room for another page of what it missed; false when it is gone. */
  room(): Promise<boolean>;
}

export interface StreamHubOptions<Encoded> {
  readonly source: StreamGateway;
  readonly encode: (frame: StreamFrame) => Encoded;
  /** Runs `work` once after `delayMs`. */
  readonly after: (delayMs: number, work: () => void) => void;
  /** The journals could not be read; readers are told to come again. */
  readonly failed: (error: unknown) => void;
}

/**
 * Tells readers what the journals of a town's actors say, in the order of each actor. A change is read once and encoded once
 * per filter, however many read; without a reader nothing is read at all. All work is done one after the other, so that a
 * reader that catches up joins exactly where it has come to.
 */
export class StreamHub<Encoded> {
  readonly #options: StreamHubOptions<Encoded>;
  /** The live ones, each with the key of its filter. */
  readonly #readers = new Map<StreamReader<Encoded>, string>();
  /** Those that catch up. */
  #joining = 0;
  /** How far the live readers are; null before anybody was live. */
  #head: string | null = null;
  #changed = new Set<string>();
  #scheduled = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: StreamHubOptions<Encoded>) {
    this.#options = options;
  }

  get readers(): number {
    return this.#readers.size + this.#joining;
  }

  /** The cursor of the live readers; null before there was one. */
  get head(): string | null {
    return this.#head;
  }

  /** Readers that were live already, at `head`: after a host was put away and made anew. */
  restore(head: string, readers: readonly StreamReader<Encoded>[]): void {
    this.#head ??= head;
    for (const reader of readers) this.#readers.set(reader, filterKey(reader.filter));
  }

  /** An actor may have recorded something. Costs nothing while nobody reads. */
  changed(actor: string): void {
    if (this.readers === 0) return;
    this.#changed.add(actor);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.after(GATHER_MS, () => {
      this.#scheduled = false;
      void this.flush();
    });
  }

  /** Tells the live readers what the changed actors recorded; resolves when it is told. Never throws. */
  async flush(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const actors = [...this.#changed];
        this.#changed = new Set();
        if (actors.length > 0) await this.#advance(actors);
      });
    } catch (error) {
      // What was not told is behind the cursor that everybody has: they come again and get it.
      this.end('the journals could not be read');
      this.#options.failed(error);
    }
  }

  /**
   * Tells a reader what it missed since `cursor` (null: nothing), and from then on everything. Resolves when it is live
   * or gone. Errors: `bad_cursor`, before anything was sent.
   */
  async join(reader: StreamReader<Encoded>, cursor: string | null): Promise<void> {
    this.#joining += 1;
    try {
      let at = cursor;
      do {
        const from = at;
        at = await this.#inTurn(() => (from === null ? this.#begin(reader) : this.#catchUp(reader, from)));
      } while (at !== null && (await reader.room()));
    } finally {
      this.#joining -= 1;
    }
  }

  leave(reader: StreamReader<Encoded>): void {
    this.#readers.delete(reader);
    if (this.readers === 0) this.#changed.clear();
  }

  /** Says good-bye to one that is live. */
  dismiss(reader: StreamReader<Encoded>, reason: string): void {
    if (this.#readers.delete(reader)) reader.send(this.#bye(reason));
  }

  /** Says good-bye to everybody. */
  end(reason: string): void {
    const frame = this.#bye(reason);
    for (const reader of this.#readers.keys()) reader.send(frame);
    this.#readers.clear();
  }

  #bye(reason: string): Encoded {
    return this.#options.encode({ type: 'bye', cursor: this.#head ?? '', reason });
  }

  /** A reader that wants no past: it begins where everything is now. */
  async #begin(reader: StreamReader<Encoded>): Promise<null> {
    if (this.#readers.size > 0) await this.#advance(null);
    else this.#head = await this.#options.source.now();
    return this.#goLive(reader);
  }

  /** One page of what was missed. Answers where it ends; null when the reader is live now, or gone. */
  async #catchUp(reader: StreamReader<Encoded>, cursor: string): Promise<string | null> {
    const page = await this.#options.source.after(cursor, FRAME_ROWS_MAX);
    if (page.isGap) return this.#beginAnew(reader);
    if (!this.#tell(reader, page.items.map(presentJournalEntry), page.cursor)) return null;
    // What it was sent must be on its way before it counts as live: a live one that has much unread is dropped.
    if (page.items.length > LAST_ROWS_MAX) return page.cursor;
    if (this.#readers.size === 0) {
      this.#head = page.cursor;
      return this.#goLive(reader);
    }
    // All was read after the head was made, so this reader is before nobody. The others are brought to now; what of that
    // it has not seen is told to it alone, and then all are at one place.
    const places = decodePlaces(page.cursor);
    const news = await this.#advance(null);
    const unseen = news.filter(({ actor, seq }) => seq > (places[actor] ?? 0));
    return this.#tell(reader, unseen, this.#head ?? page.cursor) ? this.#goLive(reader) : null;
  }

  async #beginAnew(reader: StreamReader<Encoded>): Promise<null> {
    if (this.#readers.size > 0) await this.#advance(null);
    else this.#head = await this.#options.source.now();
    const reason = 'What lies before this was put away, or is of another history.';
    const frame = this.#options.encode({ type: 'reset', cursor: this.#head ?? '', reason });
    return reader.send(frame) ? this.#goLive(reader) : null;
  }

  #goLive(reader: StreamReader<Encoded>): null {
    const frame = this.#options.encode({ type: 'ready', cursor: this.#head ?? '' });
    if (reader.send(frame)) this.#readers.set(reader, filterKey(reader.filter));
    return null;
  }

  /** Brings the live readers to now; answers what was new. Null: all actors are looked at. */
  async #advance(actors: readonly string[] | null): Promise<readonly JournalItem[]> {
    const news: JournalItem[] = [];
    for (let isMore = this.#head !== null && this.#readers.size > 0; isMore;) {
      const page = await this.#options.source.after(this.#head ?? '', FRAME_ROWS_MAX, actors ?? undefined);
      this.#head = page.isGap ? await this.#options.source.now() : page.cursor;
      if (page.isGap) this.#resetAll();
      const items = page.items.map(presentJournalEntry);
      news.push(...items);
      this.#deliver(items, this.#head);
      isMore = page.isMore && !page.isGap;
    }
    return news;
  }

  #resetAll(): void {
    const reason = 'A journal is not the one that was read before.';
    const frame = this.#options.encode({ type: 'reset', cursor: this.#head ?? '', reason });
    for (const reader of this.#readers.keys()) if (!reader.send(frame)) this.#readers.delete(reader);
  }

  #deliver(items: readonly JournalItem[], cursor: string): void {
    const encoded = new Map<string, Encoded | null>();
    for (const [reader, key] of this.#readers) {
      let frame = encoded.get(key);
      if (frame === undefined) encoded.set(key, (frame = this.#frameOf(reader.filter, items, cursor)));
      if (frame !== null && !reader.send(frame)) this.#readers.delete(reader);
    }
  }

  #frameOf(filter: StreamFilter, items: readonly JournalItem[], cursor: string): Encoded | null {
    const of = items.filter((item) => wanted(filter, item));
    return of.length === 0 ? null : this.#options.encode({ type: 'delta', cursor, items: of });
  }

  /** False: the reader is gone. Nothing that it wants: nothing is sent. */
  #tell(reader: StreamReader<Encoded>, items: readonly JournalItem[], cursor: string): boolean {
    const frame = this.#frameOf(reader.filter, items, cursor);
    return frame === null || reader.send(frame);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work);
    this.#work = result.catch(() => undefined);
    return result;
  }
}

import type { BeadDetail } from '../../../core/queries.ts';
import { parseBeadId, type BeadId } from '../../../core/model/ids.ts';
import type { Log } from '../../../ports/log.ts';
import type { StreamGateway } from '../../../ports/stream-gateway.ts';
import { readIfThere, writeFileAtomic } from '../atomic-file.ts';
import { otlpBody, spansOf, type Span } from './spans.ts';
import type { TraceTarget } from './target.ts';

/** Beads that end within this time leave together. */
const GATHER_MS = 1_000;
const PAGE_ROWS = 400;
/** Some 500 kB, and the ends of a few hundred beads: what waits for a receiver that is away. */
const QUEUE_SPANS_MAX = 2_000;
const BATCH_SPANS_MAX = 500;
const SEND_TIMEOUT_MS = 10_000;
/** A receiver that is away is asked again after this, doubled up to a minute. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Answers after which the same may be sent again (OTLP/HTTP); every other refusal is final. */
const RETRIABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const BEAD = 'bead:';
const ENDS: ReadonlySet<string | null> = new Set(['closed', 'failed']);

export interface TelemetryOptions {
  readonly town: { readonly id: string; readonly name: string };
  readonly source: StreamGateway;
  readonly getBead: (id: BeadId) => Promise<BeadDetail>;
  readonly target: TraceTarget;
  /** Where it is kept how far the journals were told. */
  readonly cursorFile: string;
  readonly log: Log;
}

/**
 * Tells an OpenTelemetry receiver what became of beads: one trace per branch, when a bead has ended, read from what is recorded.
 * It never holds up a turn: it looks after the commit, keeps a bounded number of spans, and drops the oldest, counted. Spans
 * have computed ids and the cursor moves when they are sent, so a crash tells again and doubles nothing.
 */
export class Telemetry {
  readonly #options: TelemetryOptions;
  #cursor: string;
  #queue: Span[] = [];
  #timer: NodeJS.Timeout | null = null;
  #work: Promise<void> = Promise.resolve();
  #retryMs = RETRY_FIRST_MS;
  /** The cursor as its file has it. */
  #kept: string;
  #isStopped = false;
  #isTelling = false;
  /** Something changed while it told. */
  #isDue = false;
  readonly #cut = new AbortController();
  #sent = 0;
  #dropped = 0;

  private constructor(options: TelemetryOptions, cursor: string) {
    this.#options = options;
    this.#cursor = cursor;
    this.#kept = cursor;
  }

  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const kept = readIfThere(options.cursorFile)?.trim() ?? '';
    const cursor = kept === '' ? await options.source.now() : kept;
    // From the first start on nothing is passed over, also when the receiver is away until the next one.
    if (kept === '') writeFileAtomic(options.cursorFile, `${cursor}\n`);
    const telemetry = new Telemetry(options, cursor);
    telemetry.changed();
    return telemetry;
  }

  get sent(): number {
    return this.#sent;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** After a turn; costs a timer at most. While a receiver is asked, or waited for, it costs nothing. */
  changed(): void {
    if (this.#isTelling) this.#isDue = true;
    else this.#after(GATHER_MS);
  }

  /** Nothing goes out any more; what is not told yet is told at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#cut.abort();
    await this.#work;
  }

  #after(ms: number): void {
    if (this.#timer !== null || this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#work = this.#tell();
    }, ms).unref();
  }

  async #tell(): Promise<void> {
    this.#isTelling = true;
    this.#isDue = false;
    let againMs: number | null = RETRY_MAX_MS;
    try {
      againMs = await this.#told();
    } catch (error) {
      this.#options.log.warn('traces could not be made', {
        cause: error instanceof Error ? error.message : String(error),
      });
    }
    this.#isTelling = false;
    if (againMs !== null) this.#after(againMs);
    else if (this.#isDue) this.#after(GATHER_MS);
  }

  /** One page, and all that waits to be sent; in how long there is more to do, null: nothing is. */
  async #told(): Promise<number | null> {
    const isMore = await this.#readOn();
    if (!(await this.#send())) {
      this.#retryMs = Math.min(RETRY_MAX_MS, 2 * this.#retryMs);
      return this.#retryMs;
    }
    this.#retryMs = RETRY_FIRST_MS;
    if (this.#kept !== this.#cursor) writeFileAtomic(this.#options.cursorFile, `${this.#cursor}\n`);
    this.#kept = this.#cursor;
    return isMore ? 0 : null;
  }

  /** One page of the journals: beads that ended. True: there is more. */
  async #readOn(): Promise<boolean> {
    const page = await this.#options.source.after(this.#cursor, PAGE_ROWS);
    const ended = page.items.filter(({ entity, from, to }) => entity.startsWith(BEAD) && from !== to && ENDS.has(to));
    for (const id of new Set(ended.map(({ entity }) => entity.slice(BEAD.length)))) {
      const bead = await this.#options.getBead(parseBeadId(id)).catch(() => null);
      if (bead !== null) this.#queue.push(...spansOf(this.#options.town.id, bead));
    }
    const tooMany = this.#queue.length - QUEUE_SPANS_MAX;
    if (tooMany > 0) this.#dropped += this.#queue.splice(0, tooMany).length;
    this.#cursor = page.isGap ? await this.#options.source.now() : page.cursor;
    return page.isMore && !page.isGap;
  }

  /** False: the receiver is away, and what is in the queue stays there. */
  async #send(): Promise<boolean> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH_SPANS_MAX);
      const answer = await this.#post(otlpBody(this.#options.town, batch));
      if (answer === 'again') return false;
      this.#queue = this.#queue.slice(batch.length);
      if (answer === 'taken') this.#sent += batch.length;
      else this.#dropped += batch.length;
    }
    return true;
  }

  async #post(body: string): Promise<'taken' | 'refused' | 'again'> {
    const { url, headers } = this.#options.target;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(SEND_TIMEOUT_MS), this.#cut.signal]),
      });
      await answer.body?.cancel();
      if (answer.ok) return 'taken';
      this.#options.log.warn('traces were not taken', { status: answer.status });
      return RETRIABLE.has(answer.status) ? 'again' : 'refused';
    } catch (error) {
      this.#options.log.warn('traces could not be sent', { cause: error instanceof Error ? error.name : 'unknown' });
      return 'again';
    }
  }
}

/** Virtual time: events in order of (moment, number). Nothing in the simulation happens but by an event. */
export interface SimEvent {
  readonly atMs: number;
  readonly seq: number;
  readonly label: string;
  readonly run: () => void;
  /** A wake-up that comes by itself for ever; it does not keep the simulation going. */
  readonly background: boolean;
  cancelled: boolean;
}

/** The wall clock of every story begins here. */
const WALL_START_MS = 1_800_000_000_000;

export class Scheduler {
  /** Monotonic: what timers count. The wall clock of the machine is `nowMs + wallOffsetMs`. */
  nowMs = 0;
  wallOffsetMs = WALL_START_MS;
  readonly #heap: SimEvent[] = [];
  #seq = 0;
  #foreground = 0;

  /** By how much the wall clock jumped in all. */
  get jumpedMs(): number {
    return this.wallOffsetMs - WALL_START_MS;
  }

  get wallMs(): number {
    return this.nowMs + this.wallOffsetMs;
  }

  /** Events that are not mere wake-ups. */
  get foreground(): number {
    return this.#foreground;
  }

  /** Runs `run` after `delayMs`; the answer cancels it. */
  after(delayMs: number, label: string, run: () => void, background = false): () => void {
    this.#seq += 1;
    const atMs = this.nowMs + Math.max(0, Math.round(delayMs));
    const event: SimEvent = { atMs, seq: this.#seq, label, run, background, cancelled: false };
    if (!background) this.#foreground += 1;
    this.#push(event);
    return () => {
      if (event.cancelled) return;
      event.cancelled = true;
      if (!background) this.#foreground -= 1;
    };
  }

  /** Takes the next event and moves time to it. */
  next(): SimEvent | null {
    for (;;) {
      const event = this.#pop();
      if (event === null) return null;
      if (event.cancelled) continue;
      event.cancelled = true;
      if (!event.background) this.#foreground -= 1;
      this.nowMs = Math.max(this.nowMs, event.atMs);
      return event;
    }
  }

  /** Moment of the next event, cancelled ones left out. */
  peekMs(): number | null {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0]?.atMs ?? null;
  }

  #push(event: SimEvent): void {
    const heap = this.#heap;
    heap.push(event);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, event)) break;
      heap[index] = above;
      heap[parent] = event;
      index = parent;
    }
  }

  #pop(): SimEvent | null {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined) return null;
    if (heap.length > 0) {
      heap[0] = last;
      sink(heap, last);
    }
    return top;
  }
}

const before = (a: SimEvent, b: SimEvent): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);

function sink(heap: SimEvent[], moved: SimEvent): void {
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    if (left === undefined) return;
    const right = heap[2 * index + 2];
    const pickRight = right !== undefined && before(right, left);
    const child = pickRight ? right : left;
    if (before(moved, child)) return;
    heap[index] = child;
    index = 2 * index + (pickRight ? 2 : 1);
    heap[index] = moved;
  }
}

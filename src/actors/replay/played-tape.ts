import { toHex, type Tape } from '../kernel/tape.ts';
import type { TurnInput } from '../../store/turn-store.ts';

/** The tape of a turn that runs again: it gives what was recorded, and notices who asks for more. */
export class PlayedTape implements Tape {
  readonly isLive = false;
  #input: TurnInput = { calls: [], drawn: '', room: { all: 0 } };
  #given: number[] = [];
  #asked = 0;

  load(input: TurnInput): void {
    this.#input = input;
    this.#given = [...(input.drawn.match(/../g) ?? [])].map((pair) => Number.parseInt(pair, 16));
    this.#asked = 0;
  }

  /** What the turn drew and what was recorded, when they differ. */
  mismatch(): string | null {
    if (this.#asked === this.#given.length) return null;
    return `it drew ${String(this.#asked)} random bytes, ${String(this.#given.length)} were recorded`;
  }

  begin(): void {
    this.#asked = 0;
  }

  bytes(count: number): Uint8Array {
    const from = this.#asked;
    this.#asked += count;
    return Uint8Array.from({ length: count }, (_, index) => this.#given[from + index] ?? 0);
  }

  drawn(): string {
    return toHex(this.#given.slice(0, this.#asked));
  }

  room(): TurnInput['room'] {
    return this.#input.room;
  }
}

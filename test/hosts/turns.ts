/**
 * Who has its turn next. In a history turns are held until nothing is on its way, and then given one at a time, to whom
 * is drawn: so each turn takes in the same on both hosts, however long a call takes there.
 */
export class TurnOrder {
  /** False: turns begin when the host says, as they do in the field. */
  holds = false;
  readonly #held = new Set<string>();
  readonly #draw: (below: number) => number;

  constructor(draw: (below: number) => number) {
    this.#draw = draw;
  }

  hold(address: string): void {
    this.#held.add(address);
  }

  /** It has its turn, or died. */
  taken(address: string): void {
    this.#held.delete(address);
  }

  isHeld(address: string): boolean {
    return this.#held.has(address);
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  /** Whose turn it is; null: nobody asked for one. */
  next(): string | null {
    const waiting = [...this.#held].toSorted();
    const address = waiting[waiting.length > 1 ? this.#draw(waiting.length) : 0];
    if (address === undefined) return null;
    this.#held.delete(address);
    return address;
  }
}

interface Trip {
  readonly from: string;
  readonly to: string;
  /** On the way there, with its receiver, on the way back. */
  state: 'going' | 'there' | 'coming';
}

/** Calls between objects. Nothing else of a town on virtual time takes longer than the work of one event. */
export class Trips {
  #last = 0;
  readonly #trips = new Map<number, Trip>();

  begins(from: string, to: string): number {
    this.#last += 1;
    this.#trips.set(this.#last, { from, to, state: 'going' });
    return this.#last;
  }

  arrived(id: number): void {
    this.#to(id, 'there');
  }

  answered(id: number): void {
    this.#to(id, 'coming');
  }

  ended(id: number): void {
    this.#trips.delete(id);
  }

  /** Nobody waits for its own calls any more, and who called it is about to hear that it is gone. */
  died(address: string): void {
    for (const [id, trip] of this.#trips) {
      if (trip.from === address) this.#trips.delete(id);
      else if (trip.to === address) trip.state = 'coming';
    }
  }

  #to(id: number, state: Trip['state']): void {
    const trip = this.#trips.get(id);
    if (trip !== undefined) trip.state = state;
  }

  /** For the one who asks what hangs. */
  text(): string {
    return JSON.stringify([...this.#trips.values()]);
  }

  get isMoving(): boolean {
    for (const { state } of this.#trips.values()) if (state !== 'there') return true;
    return false;
  }
}

/** A death that comes in the middle of a step, at the moment when the next turn but `turns` is given. */
export interface Doom {
  turns: number;
  /** Before that turn, with all that waits for it; in it, before its commit. */
  readonly how: 'waiting' | 'in its turn';
  /** Who dies while it waits: who has the turn, an actor by its number, or all of them. */
  readonly who: number | 'next' | 'all';
}

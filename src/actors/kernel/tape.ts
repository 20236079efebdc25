import type { Random } from '../../ports/ids.ts';
import type { ClaimRoom } from '../../store/kernel-store.ts';

/** One thing that was asked of an actor, by name, as plain data: what a turn did can be run again from it. */
export type Call = readonly [name: string, ...args: readonly unknown[]];

/** A call that came without a name; a replay stops there and says so. */
export const UNNAMED: Call = ['?'];

/** What a turn took in from outside besides its database: it is recorded with the turn. */
export interface Tape extends Random {
  /** False while a recorded turn runs again: nothing goes outside then. */
  readonly isLive: boolean;
  /** A turn begins; what is drawn from now on is its own. */
  begin(): void;
  /** All that the turn has drawn, in hexadecimal. */
  drawn(): string;
  /** How many effects the turn may claim; `counted` is what this process has free. */
  room(counted: ClaimRoom): ClaimRoom;
}

export const toHex = (bytes: Iterable<number>): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The tape of an actor at work: real chance, remembered for the length of a turn. */
export class LiveTape implements Tape {
  readonly isLive = true;
  readonly #random: Random;
  #drawn: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  begin(): void {
    this.#drawn = [];
  }

  bytes(count: number): Uint8Array {
    const bytes = this.#random.bytes(count);
    this.#drawn.push(...bytes);
    return bytes;
  }

  drawn(): string {
    return toHex(this.#drawn);
  }

  room(counted: ClaimRoom): ClaimRoom {
    return counted;
  }
}

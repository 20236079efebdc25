import type { Rates } from './rates.ts';

/**
 * How many fresh entries are tested as one list: the size at which an entry costs the fewest runs of the gates, counting
 * those that take a red list apart. Few bad ones make large lists worth it; with many, one at a time is best.
 */
export function groupSize(rates: Rates, most: number): number {
  const costs = new GroupCosts(rates);
  let best = 1;
  for (let size = 2; size <= most; size += 1) if (costs.fresh(size) / size < costs.fresh(best) / best) best = size;
  return best;
}

/** Expected runs until everybody of a list has landed or was given back, when red lists are halved. */
class GroupCosts {
  readonly #pass: number;
  readonly #flake: number;
  readonly #fresh = new Map<number, number>();
  readonly #red = new Map<number, number>();

  constructor({ bad, flake }: Rates) {
    this.#pass = 1 - bad;
    this.#flake = flake;
  }

  /** Chance that a run of so many is green. */
  #green(count: number): number {
    return (1 - this.#flake) * this.#pass ** count;
  }

  fresh(count: number): number {
    const known = this.#fresh.get(count);
    if (known !== undefined) return known;
    const cost = 1 + (1 - this.#green(count)) * this.#afterRed(count);
    this.#fresh.set(count, cost);
    return cost;
  }

  /** One alone is run again; of several the first half is tested: red, the others are fresh again; green, they are suspects. */
  #afterRed(count: number): number {
    if (count === 1) return 1;
    const known = this.#red.get(count);
    if (known !== undefined) return known;
    const half = Math.ceil(count / 2);
    const rest = count - half;
    const halfRed = Math.min(1, (1 - this.#green(half)) / Math.max(1e-9, 1 - this.#green(count)));
    const cost = 1 + halfRed * (this.#afterRed(half) + this.fresh(rest)) + (1 - halfRed) * this.#afterRed(rest);
    this.#red.set(count, cost);
    return cost;
  }
}

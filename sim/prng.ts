/** Seeded chance. Streams are made by name, so that leaving one thing out of a plan does not shift all the others. */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(name: string) {
    this.#a = hash32(name, 0x9e3779b9);
    this.#b = hash32(name, 0x243f6a88);
    this.#c = hash32(name, 0xb7e15162);
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** One step of sfc32: small, fast, and good enough to explore with. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + sum) >>> 0;
    return sum;
  }

  /** 0 ≤ x < `below`. */
  int(below: number): number {
    return below <= 0 ? 0 : this.uint32() % below;
  }

  /** `low` ≤ x < `high`. */
  between(low: number, high: number): number {
    return low + this.int(high - low);
  }

  chance(probability: number): boolean {
    return this.uint32() / 2 ** 32 < probability;
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[this.int(list.length)];
  }

  /** Picks a key of a table of weights. */
  weighted<Name extends string>(table: Readonly<Record<Name, number>>): Name {
    const names = Object.keys(table) as Name[];
    let left = this.int(names.reduce((sum, name) => sum + table[name], 0));
    for (const name of names) {
      left -= table[name];
      if (left < 0) return name;
    }
    throw new Error('an empty table of weights');
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.uint32() & 0xff);
  }
}

/** FNV-1a with a final mix, so that names that differ in one digit start far apart. */
export function hash32(text: string, basis = 0x811c9dc5): number {
  let hash = basis >>> 0;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

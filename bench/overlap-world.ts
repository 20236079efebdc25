/**
 * A line of work whose entries change files, some of them the same: those conflict, or break each other although each is
 * fine by itself. Of that a train may know which files an entry changes, and nothing else.
 */
import { NO_STATS, type TrainStats } from '../src/core/model/train.ts';
import { learn, ratesOf } from '../src/core/train/rates.ts';
import { Prng } from '../sim/prng.ts';
import { type Entry, Line, type World } from './train-world.ts';

export interface OverlapWorld extends World {
  /** Of the entries that are bad, the part that is so only together with another one that changes the same file. */
  readonly share: number;
  /** Parts of the repository; an entry stays in one, and some are busier than others. */
  readonly areas: number;
  /** Chance that two entries which change the same file break each other, unseen by a merge. */
  readonly breaks: number;
}

interface Change extends Entry {
  readonly id: number;
  readonly paths: readonly number[];
  /** It shares a path with something that landed since its agent began, or that stood in line when it came. */
  isTangled: boolean;
  /** Another one broke it. */
  isBroken: boolean;
}

/** Entries that land while an agent works. */
const LANDED_MEANWHILE = 20;
/** A change of one to three files; of an area's thirty the first are changed most often. */
const FILES_MOST = 3;
const FILES = 30;
const AREA_SKEW = 1.6;
const FILE_SKEW = 1.5;
/** One in ten changes a file that everybody does, and that breaks nobody: a lock file, a list of changes. */
const HOT_CHANCE = 0.1;
const HOT = -1;
/** Two that change the same file conflict so often that git sees it. */
const CONFLICTS = 0.15;

export class OverlapLine extends Line {
  broken = 0;
  givenBack = 0;
  readonly #world: OverlapWorld;
  readonly #made: Prng;
  readonly #changes = new Map<Entry, Change>();
  #landed: readonly Change[] = [];
  readonly #pairs = new Map<string, number>();
  #rates: Readonly<Record<'tangled' | 'calm', TrainStats>> = { tangled: NO_STATS, calm: NO_STATS };

  constructor(world: OverlapWorld) {
    super(world);
    this.#world = world;
    this.#made = new Prng(`${world.seed} changes`);
  }

  override front(count: number): readonly Entry[] {
    while (this.entries.length < count) {
      const change = this.#make();
      if (change === null) continue;
      this.#changes.set(change, change);
      this.entries.push(change);
    }
    return this.entries.slice(0, count);
  }

  override mergeable(entries: readonly Entry[]): readonly Entry[] {
    const merged: Entry[] = [];
    for (const entry of entries) if (!merged.some((other) => this.#conflict(other, entry))) merged.push(entry);
    return merged;
  }

  override isGreen(entries: readonly Entry[]): boolean {
    const isGreen = super.isGreen(entries);
    return isGreen && !entries.some((one, at) => entries.slice(0, at).some((other) => this.#break(other, one)));
  }

  override land(entries: readonly Entry[]): void {
    super.land(entries);
    this.#learn(entries, 'landed');
    for (const landed of entries) {
      const staying = this.entries.filter((entry) => !this.#conflict(landed, entry));
      this.entries.splice(0, this.entries.length, ...staying);
      for (const change of staying.map((entry) => this.#of(entry))) {
        if (this.#break(landed, change)) change.isBad = change.isBroken = true;
        if (this.overlap(landed, change)) change.isTangled = true;
      }
      this.#landed = [...this.#landed, this.#of(landed)].slice(-LANDED_MEANWHILE);
    }
  }

  override giveBack(entry: Entry): void {
    super.giveBack(entry);
    this.givenBack += 1;
    if (this.#of(entry).isBroken) this.broken += 1;
    this.#learn([entry], 'bad');
  }

  /** They change the same file, as far as a list of paths tells. */
  overlap(one: Entry, other: Entry): boolean {
    return this.#of(one).paths.some((path) => this.#of(other).paths.includes(path));
  }

  isTangled(entry: Entry): boolean {
    return this.#of(entry).isTangled;
  }

  /** How often such entries were bad lately. */
  badOf(kind: 'tangled' | 'calm'): number {
    return ratesOf(this.#rates[kind]).bad;
  }

  #learn(entries: readonly Entry[], what: 'landed' | 'bad'): void {
    const add = (kind: 'tangled' | 'calm'): TrainStats => {
      const count = entries.filter((entry) => this.isTangled(entry) === (kind === 'tangled')).length;
      return learn(this.#rates[kind], { landed: 0, bad: 0, runs: 0, flakes: 0, [what]: count });
    };
    this.#rates = { tangled: add('tangled'), calm: add('calm') };
  }

  #of(entry: Entry): Change {
    const change = this.#changes.get(entry);
    if (change === undefined) throw new Error('it is not of this line');
    return change;
  }

  /** Null: it conflicts with what landed while its agent worked, so it never comes into line. */
  #make(): Change | null {
    const { areas, bad, share } = this.#world;
    const area = this.#skewed(areas, AREA_SKEW);
    const files = Array.from(
      { length: 1 + this.#made.int(FILES_MOST) },
      () => area * FILES + this.#skewed(FILES, FILE_SKEW),
    );
    const paths = this.#made.chance(HOT_CHANCE) ? [...files, HOT] : files;
    const isBad = this.#made.chance(bad * (1 - share));
    const change: Change = { id: this.#made.uint32(), paths, isBad, mark: null, isTangled: false, isBroken: false };
    this.#changes.set(change, change);
    if (this.#landed.some((landed) => this.#conflict(landed, change))) return null;
    change.isBroken = this.#landed.some((landed) => this.#break(landed, change));
    change.isBad ||= change.isBroken;
    change.isTangled = [...this.#landed, ...this.entries].some((other) => this.overlap(other, change));
    return change;
  }

  #skewed(count: number, skew: number): number {
    return Math.floor(count * (this.#made.uint32() / 2 ** 32) ** skew);
  }

  #conflict(one: Entry, other: Entry): boolean {
    return this.#shareFile(one, other) && this.#chanceOf(one, other, 'conflict') < CONFLICTS;
  }

  #break(one: Entry, other: Entry): boolean {
    return this.#shareFile(one, other) && this.#chanceOf(one, other, 'break') < this.#world.breaks;
  }

  #shareFile(one: Entry, other: Entry): boolean {
    return this.#of(one).paths.some((path) => path !== HOT && this.#of(other).paths.includes(path));
  }

  /** Of the pair, whoever is asked about first: it is so from the beginning. */
  #chanceOf(one: Entry, other: Entry, what: string): number {
    const ids = [this.#of(one).id, this.#of(other).id].toSorted((a, b) => a - b);
    const name = `${this.#world.seed} ${what} ${ids.join(' ')}`;
    const chance = this.#pairs.get(name) ?? new Prng(name).uint32() / 2 ** 32;
    this.#pairs.set(name, chance);
    return chance;
  }
}

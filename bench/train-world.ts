/** A line of work that never ends, with entries that are bad and gates that fail for nothing, on a clock of test runs. */
import { conclude } from '../src/core/train/conclude.ts';
import { isAlone, isRedAgain, nextMark, remarks } from '../src/core/train/marks.ts';
import { NO_STATS, type TrainStats } from '../src/core/model/train.ts';
import { planRound, type RoundPlan } from '../src/core/train/plan.ts';
import { learn, ratesOf } from '../src/core/train/rates.ts';
import type { TrainSetup } from '../src/core/train/setup.ts';
import { Prng } from '../sim/prng.ts';

export interface World {
  readonly bad: number;
  readonly flake: number;
  readonly lanes: number;
  readonly batch: number;
  readonly landings: number;
  readonly seed: string;
}

/** `rounds`: lengths of one test run that went by. */
export interface Score {
  landed: number;
  /** Good entries that were given back for nothing. */
  wronged: number;
  rounds: number;
  runs: number;
}

export interface Entry {
  isBad: boolean;
  mark: string | null;
}

/** What the next round is, of those at the front of the line. */
export type Planner = (front: readonly Entry[], setup: TrainSetup) => RoundPlan;

const asTheTownDoes: Planner = (front, setup) =>
  planRound(
    front.map(({ mark }) => ({ mark })),
    setup,
  );

/** The line: its front is made when it is looked at. */
export class Line {
  readonly entries: Entry[] = [];
  readonly score: Score = { landed: 0, wronged: 0, rounds: 0, runs: 0 };
  readonly #world: World;
  readonly #made: Prng;
  readonly #runs: Prng;

  constructor(world: World) {
    this.#world = world;
    this.#made = new Prng(`${world.seed} entries`);
    this.#runs = new Prng(`${world.seed} runs`);
  }

  front(count: number): readonly Entry[] {
    while (this.entries.length < count)
      this.entries.push({ isBad: this.#made.int(1_000_000) < this.#world.bad * 1_000_000, mark: null });
    return this.entries.slice(0, count);
  }

  /** Those of a list that can be merged onto each other in this order. */
  mergeable(entries: readonly Entry[]): readonly Entry[] {
    return entries;
  }

  /** One run of the gates. */
  isGreen(entries: readonly Entry[]): boolean {
    this.score.runs += 1;
    const flakes = this.#runs.int(1_000_000) < this.#world.flake * 1_000_000;
    return !flakes && !entries.some(({ isBad }) => isBad);
  }

  land(entries: readonly Entry[]): void {
    this.score.landed += entries.length;
    this.#leave(entries);
  }

  giveBack(entry: Entry): void {
    if (!entry.isBad) this.score.wronged += 1;
    this.#leave([entry]);
  }

  #leave(entries: readonly Entry[]): void {
    for (const entry of entries) this.entries.splice(this.entries.indexOf(entry), 1);
  }
}

/** The town's own train: the plan and the conclusion that the refinery uses. The untouched target is known to pass. */
export const ourTrain = (world: World): Score => trainOn(new Line(world), world, asTheTownDoes);

/** A train with this plan; all else is the town's own. */
export function trainOn(line: Line, world: World, plan: Planner): Score {
  const state: State = { stats: NO_STATS };
  for (let n = 0; line.score.landed < world.landings && n < 20 * world.landings; n += 1)
    ourRound(world, { line, state, plan, front: line.front(2 * world.batch), name: String(n) });
  return line.score;
}

/** When an entry came and how long it waited until it landed or was given back, in runs of the gates. */
export interface Wait {
  readonly cameAt: number;
  readonly waited: number;
}

/** `many` stand in line, and one more comes with each run of the gates. Those who are still in line at the end count too. */
export function waitsOf(world: World, many: number, rounds: number): readonly Wait[] {
  const line = new Line(world);
  const state: State = { stats: NO_STATS };
  const came = new Map<Entry, number>();
  const waits: Wait[] = [];
  const leaves = (entry: Entry, at: number): void => {
    const cameAt = came.get(entry) ?? at;
    waits.push({ cameAt, waited: at - cameAt });
    came.delete(entry);
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const entry of line.front(round === 0 ? many : line.entries.length + 1))
      if (!came.has(entry)) came.set(entry, round);
    ourRound(world, { line, state, plan: asTheTownDoes, front: [...line.entries], name: String(round) });
    for (const entry of came.keys()) if (!line.entries.includes(entry)) leaves(entry, round + 1);
  }
  for (const entry of came.keys()) leaves(entry, rounds);
  return waits;
}

interface State {
  stats: TrainStats;
}

interface Round {
  readonly line: Line;
  readonly state: State;
  readonly plan: Planner;
  readonly front: readonly Entry[];
  readonly name: string;
}

function ourRound(world: World, { line, state, plan: planner, front, name }: Round): void {
  const plan = planner(front, { lanes: world.lanes, batchMax: world.batch, rates: ratesOf(state.stats) });
  const members = plan.entries.flatMap((place) => front[place] ?? []);
  const before = line.score.runs;
  const judged = plan.lists
    .filter((list) => list.length > 0)
    .slice(0, world.lanes)
    .map((list) => {
      const merged = line.mergeable(list.flatMap((place) => members[place] ?? []));
      const entries = list.filter((place) => merged.some((entry) => entry === members[place]));
      return { entries, isGreen: line.isGreen(merged) };
    });
  line.score.rounds += 1;
  const said = conclude(judged);
  const others = line.entries.filter((entry) => !members.includes(entry));
  const marks = members.map(({ mark }) => mark);
  const landing = (said.land?.entries ?? []).flatMap((place) => members[place] ?? []);
  const blamed = members.filter((entry, place) => !landing.includes(entry) && isRedAgain(said, marks, place));
  const flakes = landing.filter((entry) => isAlone(marks[members.indexOf(entry)] ?? null)).length;
  for (const [place, entry] of members.entries()) entry.mark = nextMark(said, { marks, name }, place);
  const changed = remarks(said, marks);
  for (const entry of others)
    if (entry.mark !== null && changed.has(entry.mark)) entry.mark = changed.get(entry.mark) ?? null;
  const seen = { landed: landing.length, bad: blamed.length, runs: line.score.runs - before, flakes };
  state.stats = learn(state.stats, seen);
  line.land(landing);
  for (const entry of blamed) line.giveBack(entry);
}

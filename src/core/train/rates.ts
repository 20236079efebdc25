import { RATE_MEMORY, RATE_PRIOR_BAD, RATE_PRIOR_FLAKE, RATE_PRIOR_WEIGHT } from '../limits.ts';
import type { TrainStats } from '../model/train.ts';

/** Chance that an entry fails its gates by its own fault, and that a run of gates is red without any fault. */
export interface Rates {
  readonly bad: number;
  readonly flake: number;
}

const THOUSAND = 1_000;

/** What one round showed. */
export interface RoundOutcome {
  readonly landed: number;
  readonly bad: number;
  readonly runs: number;
  readonly flakes: number;
}

/** The rates as far as the train knows them; a train that knows nothing expects what is usual. */
export function ratesOf(stats: TrainStats): Rates {
  const of = (hits: number, all: number, prior: number): number =>
    (hits / THOUSAND + prior * RATE_PRIOR_WEIGHT) / (all / THOUSAND + RATE_PRIOR_WEIGHT);
  return {
    bad: of(stats.bad, stats.entries, RATE_PRIOR_BAD),
    flake: of(stats.flakes, stats.runs, RATE_PRIOR_FLAKE),
  };
}

/** Adds a round; of what was known before, each new entry and run makes a little be forgotten. */
export function learn(stats: TrainStats, seen: RoundOutcome): TrainStats {
  const keep = (count: number): number => (1 - 1 / RATE_MEMORY) ** count;
  const entries = seen.landed + seen.bad;
  const mix = (before: number, by: number, added: number): number => Math.round(before * keep(by) + added * THOUSAND);
  return {
    entries: mix(stats.entries, entries, entries),
    bad: mix(stats.bad, entries, seen.bad),
    runs: mix(stats.runs, seen.runs, seen.runs),
    flakes: mix(stats.flakes, seen.runs, seen.flakes),
  };
}

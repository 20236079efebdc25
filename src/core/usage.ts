import { priceOf, type Price } from './prices.ts';
import type { UsageOfModel } from './facts.ts';

/** One US dollar. Money is whole millionths of it everywhere. */
export const MICRO_USD = 1_000_000;

/** All that an attempt has said to have used so far. Null: nothing was said, which is not the same as nothing used. */
export interface Usage {
  readonly tokensIn: number | null;
  readonly tokensOut: number | null;
  /** Input that the provider had already; not part of `tokensIn`. */
  readonly tokensCached: number | null;
  readonly microUsd: number | null;
  /** Some of it has no price: `microUsd` is only the known part. */
  readonly gap: boolean;
  /** The model that most of the output came from. */
  readonly model: string | null;
}

export const NO_USAGE: Usage = {
  tokensIn: null,
  tokensOut: null,
  tokensCached: null,
  microUsd: null,
  gap: false,
  model: null,
};

/** Adds up what an attempt reported, model by model; tokens without a said cost are priced by the table. */
export function totalUsage(models: readonly UsageOfModel[], own: Readonly<Record<string, Price>>): Usage {
  if (models.length === 0) return NO_USAGE;
  const sum = (pick: (row: UsageOfModel) => number): number => models.reduce((total, row) => total + pick(row), 0);
  const costs = models.map((row) => costOf(row, own));
  const known = costs.flatMap((cost) => (cost.microUsd === null ? [] : [cost.microUsd]));
  return {
    tokensIn: sum((row) => row.tokensIn),
    tokensOut: sum((row) => row.tokensOut),
    tokensCached: sum((row) => row.tokensCached),
    microUsd: known.length === 0 ? null : known.reduce((total, cost) => total + cost, 0),
    gap: costs.some((cost) => cost.gap),
    model: models.toSorted((a, b) => b.tokensOut - a.tokensOut)[0]?.model ?? null,
  };
}

function costOf(row: UsageOfModel, own: Readonly<Record<string, Price>>): { microUsd: number | null; gap: boolean } {
  if (row.unpricedIn + row.unpricedOut + row.unpricedCached === 0) return { microUsd: row.microUsd, gap: false };
  const price = priceOf(row.model, own);
  if (price === null) return { microUsd: row.microUsd, gap: true };
  // Dollars for a million tokens are millionths of a dollar for one.
  const cost = row.unpricedIn * price.input + row.unpricedOut * price.output + row.unpricedCached * price.cached;
  return { microUsd: (row.microUsd ?? 0) + Math.ceil(cost), gap: false };
}

/** Reports hold totals, so the larger one is the later one: nothing that was counted is taken back. */
export function laterUsage(before: Usage, now: Usage): Usage {
  const larger = (a: number | null, b: number | null): number | null => (a === null ? b : Math.max(a, b ?? 0));
  return {
    tokensIn: larger(before.tokensIn, now.tokensIn),
    tokensOut: larger(before.tokensOut, now.tokensOut),
    tokensCached: larger(before.tokensCached, now.tokensCached),
    microUsd: larger(before.microUsd, now.microUsd),
    gap: now.gap,
    model: now.model ?? before.model,
  };
}

export const tokensOf = (usage: Usage): number | null =>
  usage.tokensIn === null ? null : usage.tokensIn + (usage.tokensOut ?? 0) + (usage.tokensCached ?? 0);

/** What one attempt weighs in one unit. `spent` holds what is assumed. */
export interface Weight {
  readonly spent: number;
  readonly reserved: number;
  readonly assumed: number;
}

/**
 * While it lives, what it has not used of its estimate is reserved. After its end an attempt that ran and did not say (all
 * of) what it used counts with its estimate: budgets err on the side of stopping. A later report takes the place of that.
 */
export function weightOf(attempt: {
  readonly used: number | null;
  readonly isComplete: boolean;
  readonly estimate: number;
  readonly state: 'live' | 'ended' | 'never_ran';
}): Weight {
  const used = attempt.used ?? 0;
  const rest = Math.max(0, attempt.estimate - used);
  if (attempt.state === 'live') return { spent: used, reserved: rest, assumed: 0 };
  const assumed = attempt.state === 'never_ran' || attempt.isComplete ? 0 : rest;
  return { spent: used + assumed, reserved: 0, assumed };
}

import type { BeadId, ConvoyId, RigName } from './model/ids.ts';

/** What sums may be told by. A bead stands for all rework of its branch; a day is one of UTC, that of the attempt's begin. */
export const COST_KEYS = ['rig', 'convoy', 'bead', 'agent', 'model', 'day'] as const;
export type CostKey = (typeof COST_KEYS)[number];

/** What a person asks of `gt costs`. */
export interface CostFilter {
  readonly rig?: RigName | undefined;
  readonly convoy?: ConvoyId | undefined;
  /** A bead with all rework of its branch. */
  readonly bead?: BeadId | undefined;
  /** Attempts that began then or later, and merges since. */
  readonly sinceMs?: number | undefined;
  readonly by?: CostKey | undefined;
}

/** Sums over attempts. What is unknown is counted, never taken for nothing. */
export interface CostSum {
  readonly attempts: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly tokensCached: number;
  /** The part of the cost that is known; null: of no attempt that ran it is. */
  readonly microUsd: number | null;
  /** Attempts that ran and whose cost is not known, or not all of it. */
  readonly unknownCost: number;
  readonly unknownTokens: number;
  readonly reservedMicroUsd: number;
  readonly reservedTokens: number;
  /** What budgets count for attempts that did not say. */
  readonly assumedMicroUsd: number;
  readonly assumedTokens: number;
}

/** Attempts that are alike in what they were and what became of them. */
export interface CostGroup {
  readonly rig: string;
  readonly runtime: string;
  readonly model: string | null;
  /** Why it was wasted: an outcome, or `not_merged` for accepted work that was then cancelled or failed; null: not wasted. */
  readonly waste: string | null;
  /** Of what was asked for; null: it has none (no convoy, a model that nobody named). */
  readonly key: string | null;
  readonly sum: CostSum;
}

export interface CostReport {
  readonly total: CostSum;
  readonly merged: number;
  /** Known cost by merged change; null without a merge or a known cost. */
  readonly perMergedMicroUsd: number | null;
  readonly waste: readonly { readonly cause: string; readonly sum: CostSum }[];
  readonly engines: readonly { readonly runtime: string; readonly model: string | null; readonly sum: CostSum }[];
  readonly rigs: readonly { readonly rig: string; readonly sum: CostSum }[];
  /** Sums by what was asked for, dearest first, days in order; empty when nothing was. */
  readonly groups: readonly { readonly key: string | null; readonly sum: CostSum }[];
}

const NOTHING: CostSum = {
  attempts: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  microUsd: null,
  unknownCost: 0,
  unknownTokens: 0,
  reservedMicroUsd: 0,
  reservedTokens: 0,
  assumedMicroUsd: 0,
  assumedTokens: 0,
};

function add(a: CostSum, b: CostSum): CostSum {
  return {
    attempts: a.attempts + b.attempts,
    tokensIn: a.tokensIn + b.tokensIn,
    tokensOut: a.tokensOut + b.tokensOut,
    tokensCached: a.tokensCached + b.tokensCached,
    microUsd: a.microUsd === null ? b.microUsd : a.microUsd + (b.microUsd ?? 0),
    unknownCost: a.unknownCost + b.unknownCost,
    unknownTokens: a.unknownTokens + b.unknownTokens,
    reservedMicroUsd: a.reservedMicroUsd + b.reservedMicroUsd,
    reservedTokens: a.reservedTokens + b.reservedTokens,
    assumedMicroUsd: a.assumedMicroUsd + b.assumedMicroUsd,
    assumedTokens: a.assumedTokens + b.assumedTokens,
  };
}

/** Groups and merges of all rigs as one report, dearest first. */
export function costReport(groups: readonly CostGroup[], merged: number, asked?: CostKey): CostReport {
  const total = groups.reduce((sum, group) => add(sum, group.sum), NOTHING);
  const by = (rows: readonly CostGroup[], key: (group: CostGroup) => string): readonly [CostGroup, CostSum][] => {
    const sums = new Map<string, [CostGroup, CostSum]>();
    for (const row of rows) sums.set(key(row), [row, add(sums.get(key(row))?.[1] ?? NOTHING, row.sum)]);
    return [...sums.values()].toSorted(
      ([, a], [, b]) => (b.microUsd ?? 0) - (a.microUsd ?? 0) || b.attempts - a.attempts,
    );
  };
  const keyed = asked === undefined ? [] : by(groups, (group) => JSON.stringify(group.key));
  const told = keyed.map(([group, sum]) => ({ key: group.key, sum }));
  return {
    total,
    merged,
    perMergedMicroUsd: merged === 0 || total.microUsd === null ? null : Math.round(total.microUsd / merged),
    waste: by(
      groups.filter((group) => group.waste !== null),
      (group) => group.waste ?? '',
    ).map(([group, sum]) => ({ cause: group.waste ?? '', sum })),
    engines: by(groups, (group) => JSON.stringify([group.runtime, group.model])).map(([group, sum]) => ({
      runtime: group.runtime,
      model: group.model,
      sum,
    })),
    rigs: by(groups, (group) => group.rig).map(([group, sum]) => ({ rig: group.rig, sum })),
    groups: asked === 'day' ? told.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1)) : told,
  };
}

const MICRO = 1_000_000;
const CENTS = 2;
const SMALL = 4;

/** Money for people: cents, and more digits where cents would show nothing. */
export function dollars(microUsd: number): string {
  const usd = microUsd / MICRO;
  return `$${usd.toFixed(usd !== 0 && Math.abs(usd) < 1 ? SMALL : CENTS)}`;
}

/** Groups of three digits, the same on every host. */
export const tokenCount = (tokens: number): string => `${String(tokens).replace(/\B(?=(?:\d{3})+$)/g, ',')} tokens`;

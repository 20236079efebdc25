/** What every bench answers. A bench measures; it never fails for being slow, because the machine may be loaded. */
export interface Result {
  readonly bench: string;
  /** Printed in this order, with units. */
  readonly figures: Readonly<Record<string, string>>;
  readonly goal: string;
  /** Null where the goal can't be judged in one run. */
  readonly holds: boolean | null;
  readonly ratio: number;
  /** What was divided by what. */
  readonly ratioOf: string;
}

/** `rounds` of the caller, or null for the bench's own number. */
export type Bench = (rounds: number | null) => Promise<Result>;

export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** One line for a series. */
export const spread = (values: readonly number[]): string =>
  `median ${ms(median(values))}, p90 ${ms(quantile(values, 0.9))}, max ${ms(Math.max(...values))} (n=${String(values.length)})`;

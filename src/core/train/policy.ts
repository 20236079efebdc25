import type { TrainSetup } from './setup.ts';

/** Lengths of the lists from the front of the line that are tested at once; at most one per lane. */
export function prefixLengths(
  count: number,
  setup: Pick<TrainSetup, 'lanes' | 'batchMax' | 'rates'>,
): readonly number[] {
  const most = Math.min(count, setup.batchMax);
  if (most <= 0 || setup.lanes <= 0) return [];
  const step = Math.max(1, Math.ceil(most / setup.lanes));
  return [...new Set(Array.from({ length: setup.lanes }, (_, n) => Math.min(most, (n + 1) * step)))];
}

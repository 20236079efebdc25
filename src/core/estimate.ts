import { ESTIMATE_FIRST_MICRO_USD, ESTIMATE_FIRST_TOKENS } from './limits.ts';

/** Runtimes that cost nothing unless they say so: a recipe is not an AI. */
export const FREE_RUNTIMES: ReadonlySet<string> = new Set(['script']);

/** What an attempt is expected to use: what its like used lately, or a first guess. */
export function estimateOf(
  runtime: string,
  average: { readonly tokens: number | null; readonly microUsd: number | null },
): { readonly tokens: number; readonly microUsd: number } {
  const free = FREE_RUNTIMES.has(runtime);
  return {
    tokens: average.tokens ?? (free ? 0 : ESTIMATE_FIRST_TOKENS),
    microUsd: average.microUsd ?? (free ? 0 : ESTIMATE_FIRST_MICRO_USD),
  };
}

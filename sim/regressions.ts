import type { Selection } from './run.ts';

/** Seeds that once found a bug, with what it was; they stay for ever. */
export interface Regression extends Selection {
  readonly found: string;
}

export const REGRESSIONS: readonly Regression[] = [];

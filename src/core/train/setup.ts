import type { Rates } from './rates.ts';

/** What the plan of a round goes by, beside the line. */
export interface TrainSetup {
  /** Lists that are tested at once. */
  readonly lanes: number;
  /** Entries of one list at most. */
  readonly batchMax: number;
  readonly rates: Rates;
}

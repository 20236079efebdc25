/** Why the settings of the town's file are not the ones that the town works with. */
export interface RefusedSettings {
  /** What is wrong with them, as a sentence. */
  readonly message: string;
  /** What mends them, as a sentence. */
  readonly next: string;
  /** When they were refused; null: found just now, by somebody who reads without the daemon. */
  readonly sinceMs: number | null;
}

/** Why the runner beside the daemon does not come up, as its host saw it. */
export interface RunnerTrouble {
  /** Starts in a row that came to nothing. */
  readonly starts: number;
  /** The last line that its process wrote, or how it ended, as a sentence. */
  readonly cause: string;
  /** When the first of those starts came to nothing. */
  readonly sinceMs: number;
}

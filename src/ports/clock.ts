/** The only source of time: integer milliseconds since the epoch, never going back. */
export interface Clock {
  now(): number;
  /** From here on `now` is at least `atMs`: what was recorded before a restart is never in the future. */
  raise?(atMs: number): void;
}

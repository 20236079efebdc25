/** One wake-up per actor. */
export interface Alarm {
  /** Replaces the wake-up; null clears it. A time in the past fires at once. */
  set(atMs: number | null): void;
}

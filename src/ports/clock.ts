/** The only source of time: integer milliseconds since the epoch, never going back. */
export interface Clock {
  now(): number;
}

/** Why an order to a runner is not done yet although it was tried. */
export interface JobTrouble {
  /** How often it was asked for, the present try included. */
  readonly tries: number;
  /** What was said last; git's words and those of the git host. */
  readonly error: string;
  /** At the latest then it is asked for again. */
  readonly nextAtMs: number;
}

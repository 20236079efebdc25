/** What happens in some stories only, each of a chance of its own, so that the other stories stay what they are. */

/** How long a story is worked in, and how long anything may go wrong in it. */
export interface Times {
  readonly workMs: number;
  readonly stormMs: number;
}

/** What somebody does once. */
export interface OwnStep<Kind extends string> {
  readonly id: string;
  readonly atMs: number;
  readonly kind: Kind;
}

/** What goes wrong for a while. */
export interface OwnFault<Kind extends string> extends OwnStep<Kind> {
  readonly durationMs: number;
  readonly strength: number;
  readonly countdown: number;
}

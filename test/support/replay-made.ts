/** What can run its own history again. */
export interface Replayable {
  /** Throws if the history ends in another state. */
  replay(): void;
}

/** Apart from the towns themselves, so that a test file without one does not load the actors. */
export const made = new Set<Replayable>();

/** Every virtual town of a test must come to the same state when its history runs again. */
export function replayAll(): void {
  const towns = [...made];
  made.clear();
  for (const town of towns) town.replay();
}

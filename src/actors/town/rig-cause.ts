/** Causes that name a branch: each rig has its own `main`, and what stands in one must not count for another. */
const OF_A_BRANCH = /^(train|feature):/;

/** A rig's cause as the town keeps it: one open escalation per cause and rig. Also for its subject, where that is the same. */
export const causeInTown = (rig: string, cause: string): string =>
  cause.replace(OF_A_BRANCH, (_whole, kind: string) => `${kind}:${rig}/`);

/** The same as the rig says it. */
export const causeInRig = (rig: string, cause: string): string => {
  const kind = OF_A_BRANCH.exec(cause)?.[1];
  const mine = `${kind ?? ''}:${rig}/`;
  return kind !== undefined && cause.startsWith(mine) ? `${kind}:${cause.slice(mine.length)}` : cause;
};

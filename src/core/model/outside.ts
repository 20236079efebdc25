/**
 * How work came to its target without a train. `pushed`: the target was moved to the work's own commits, or whoever wrote
 * them (by name and address) merged them there. `by_hand`: somebody else made a merge commit.
 */
export const OUTSIDE = ['pushed', 'by_hand'] as const;
export type Outside = (typeof OUTSIDE)[number];

/** The commit that brought work into its target. Without `outside`: a train did, or an older runner does not say. */
export interface Brought {
  readonly mergeSha: string;
  readonly outside?: Outside | undefined;
  /** The head is itself the commit with which a train landed this other merge request. */
  readonly madeFor?: string | undefined;
}

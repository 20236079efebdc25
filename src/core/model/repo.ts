/** A rig's repository, as a runner is told of it. */
export interface Repo {
  readonly rig: string;
  readonly url: string;
  readonly targetBranch: string;
  readonly shared?: boolean | undefined;
  /** What may look like a key and be pushed all the same; null: commits are not searched for keys. */
  readonly secretsAllowed?: readonly string[] | null | undefined;
  /**
   * Set for a branch that the town keeps itself: a commit that the target must contain. When the branch is gone or was
   * rewritten, it is put back before anything else.
   */
  readonly restore?: string | undefined;
}

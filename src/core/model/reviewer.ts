/** What follows when the review agent of a rig says nothing until its deadline, or nothing that can be used. */
export const UNANSWERED = ['ask', 'go_on'] as const;
export type Unanswered = (typeof UNANSWERED)[number];

/** An agent that looks at each merge request before the train may take it. Its word adds work or a question, never a merge. */
export interface Reviewer {
  readonly runtime: string;
  readonly model: string | null;
  /** From the moment it is asked until it must have answered. */
  readonly timeoutMs: number;
  readonly unanswered: Unanswered;
}

import type { MergeStyle } from '../core/facts.ts';
import type { ForgeSite, PullEnd, PullRequest } from '../core/model/pull-request.ts';

/** What to open. A repeat adopts what is there. */
export interface OpenPullRequest {
  readonly site: ForgeSite;
  /** Name of the branch that has the work; it must be on the host. */
  readonly head: string;
  /** The commit that was pushed there. By it a pull request that is over already is recognised as this one. */
  readonly headSha: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  /** The last pull request of this branch that is known to be over: of those that are over only younger ones are adopted. */
  readonly after: number | null;
}

/** Which one. Numbers are of one project. */
export interface PullRequestRef {
  readonly site: ForgeSite;
  readonly number: number;
}

export interface MergePullRequest {
  readonly ref: PullRequestRef;
  /** It merges this commit or nothing. */
  readonly expectedHead: string;
  /** It merges into this branch or nothing. */
  readonly expectedBase: string;
  readonly style: MergeStyle;
  /** Of the merge or squash commit; a rebase has none. */
  readonly title: string;
  readonly message: string;
}

/** Which pull request of a cancelled bead to close, and what is said there. */
export interface ClosePullRequest {
  readonly site: ForgeSite;
  /** Null: nobody knows whether it was opened; it is looked for by its branch. */
  readonly number: number | null;
  readonly head: string;
  /** What the town writes into the body of each that it opens itself. */
  readonly ours: string;
  /** A line of its comment, by which that is recognised. */
  readonly mark: string;
  /** Who cancelled and why; said once, however often it is asked for. */
  readonly comment: string;
}

export interface PullClosed {
  readonly state: 'ok';
  readonly end: PullEnd;
  readonly number: number | null;
  /** Null unless merged. */
  readonly mergeSha: string | null;
}

/** It will not get better by itself. */
export interface ForgeRefusal {
  readonly state: 'refused';
  /**
   * `no_token`: there is none at its place. `no_right`: the host does not accept the token, or it may not do this.
   * `not_found`: no such project or pull request, or the token may not see it. `moved`: the project has another address.
   * `no_commits`: the branch has nothing that the base lacks. `wrong_base`: the branch has an open pull request for another
   * base, or its base was changed. `head_moved`: its branch is not at the expected commit. `closed`: it was closed without
   * a merge. `not_mergeable`: the host refuses to merge it as it is (draft, conflict, a rule). `bad_style`: the project does
   * not allow that style of merging. `invalid`: the host refuses the request for another reason.
   */
  readonly code:
    | 'no_token'
    | 'no_right'
    | 'not_found'
    | 'moved'
    | 'no_commits'
    | 'wrong_base'
    | 'head_moved'
    | 'closed'
    | 'not_mergeable'
    | 'bad_style'
    | 'invalid';
  /** A sentence for people, with words of the host in it; bounded, never with the token. */
  readonly error: string;
}

/** Nothing is known: no answer, half an answer, a limit, a failure there. To be asked again; neither done nor failed. */
export interface ForgeLater {
  readonly state: 'later';
  readonly error: string;
  /** The host said when; null: as the caller likes. */
  readonly retryAfterMs: number | null;
}

export type ForgeAnswer = { readonly state: 'ok'; readonly pullRequest: PullRequest } | ForgeLater | ForgeRefusal;

/**
 * A code host with pull requests. Every call answers within the deadline of an effect and never throws. A call may be
 * repeated at any time: it finds what an earlier one did, although that one's answer was lost.
 */
export interface Forge {
  /**
   * Opens a pull request, or adopts the branch's: the open one, whoever opened it, else the youngest that is over and
   * had this very commit. So the answer may be merged or closed.
   */
  open(request: OpenPullRequest): Promise<ForgeAnswer>;
  /** Looks at it. With the tag of an earlier look: `unchanged` when nothing is new. Null looks at everything. */
  look(ref: PullRequestRef, tag: string | null): Promise<ForgeAnswer | { readonly state: 'unchanged' }>;
  /**
   * Merges it, or puts it into the host's queue when the base demands that (the answer is then open and `inQueue`). One
   * that is merged already is `ok`, with the commit that it has there: the caller compares.
   */
  merge(request: MergePullRequest): Promise<ForgeAnswer>;
  /** Says once that its work was cancelled, and closes it if the town opened it. What is over is left as it is. */
  close(request: ClosePullRequest): Promise<PullClosed | ForgeLater | ForgeRefusal>;
}

/** What speaks to a code host by its own API. GitLab calls a pull request a merge request; here it is one word. */
export type ForgeKind = 'github' | 'gitlab';

/** Where a rig's pull requests are. Plain data: it is stored with the rig's settings. */
export interface ForgeSite {
  readonly kind: ForgeKind;
  /** Address of the API without a slash at its end, such as `https://api.github.com`. */
  readonly apiUrl: string;
  /** `owner/name`; GitLab may have groups in groups. */
  readonly project: string;
  /** Where the token is (`env:NAME`, `file:/path`), never the token. */
  readonly token: string;
}

/** Names the place of a number: the same number elsewhere is somebody else's. The token is no part of it. */
export const siteKey = ({ kind, apiUrl, project }: ForgeSite): string => `${kind} ${apiUrl} ${project}`;

export type PullRequestState = 'open' | 'merged' | 'closed';

/**
 * `clean`: the host would merge it now. `conflict`: not without work on the branch. `behind`: the host wants the base in the
 * branch first. `blocked`: a rule of the host (a missing approval or check, a right). `unknown`: the host has not said yet.
 */
export type Mergeability = 'clean' | 'conflict' | 'behind' | 'blocked' | 'unknown';

/** Of the head's checks together: one red makes `red`, else one that runs makes `running`. `unknown`: not to be read now. */
export type ChecksState = 'none' | 'running' | 'green' | 'red' | 'unknown';

/** A check that failed. All of it is outsiders' text. */
export interface FailingCheck {
  readonly name: string;
  readonly url: string | null;
  /** What the check says of itself, shortened; may be empty. */
  readonly text: string;
  /** It was stopped, or waits for somebody: nothing that work on the branch changes. */
  readonly isForPeople?: true;
}

/** Somebody's last word in a review. Where its words stand in talks, or are none, the body is empty. */
export interface RequestedChange {
  /** The host's own: who says no again has another one. Empty where the host does not tell them apart. */
  readonly id: string;
  readonly by: string;
  readonly body: string;
}

/** A talk about the change that nobody has marked as resolved. */
export interface OpenThread {
  /** The host's own, stable. */
  readonly id: string;
  readonly path: string | null;
  readonly line: number | null;
  /** Who began it, and how. */
  readonly by: string;
  readonly body: string;
  /** The newest answer; null: nobody answered. */
  readonly last: Reply | null;
}

/** An answer in a talk. */
export interface Reply {
  readonly id: string;
  readonly by: string;
  readonly body: string;
}

/** A pull request as its host shows it: facts without judgement. Texts and lists are bounded; texts are data, never orders. */
export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly state: PullRequestState;
  readonly isDraft: boolean;
  /** The branch that it comes from; null: one of another project, such as a fork. */
  readonly branch: string | null;
  /** The branch it would merge into, as it is set now: people may change it. */
  readonly base: string;
  /**
   * The tip of its branch as the host knows it; null: the branch is gone. Once merged: the commit that was merged, wherever
   * the branch is by then.
   */
  readonly headSha: string | null;
  /** The commit on the base that has the work; null unless merged. */
  readonly mergeSha: string | null;
  readonly mergeable: Mergeability;
  readonly checks: { readonly state: ChecksState; readonly failing: readonly FailingCheck[] };
  /** People with the right to write whose last word is an approval that still counts there. */
  readonly approvals: number;
  /** People with the right to write whose last word asks for changes. */
  readonly changesRequested: readonly RequestedChange[];
  readonly threads: readonly OpenThread[];
  /** In the host's own merge queue (GitHub), or set to merge by itself when its pipeline passed (GitLab). */
  readonly inQueue: boolean;
  /** Opaque. Given to the next look, so that nothing new costs next to nothing. */
  readonly tag: string;
}

/**
 * What became of closing one whose work was cancelled. `closed`: it is, whoever did that. `merged`: people did, meanwhile
 * or before. `left`: somebody else opened it; it has a comment and stays open. `none`: the branch has none of the town's.
 */
export type PullEnd = 'closed' | 'merged' | 'left' | 'none';

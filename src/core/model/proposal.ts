import type { Evidence } from './bead.ts';
import type { BeadId, Sha } from './ids.ts';
import type { PullEnd, PullRequest } from './pull-request.ts';

/** Whom or what a pull request waits for before it is merged. */
export const WAITS_FOR = ['people', 'checks', 'forge', 'delay', 'target'] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/**
 * What the forge answered to being asked to open or to merge; that it did not answer is no answer. `site` is who answered;
 * see `siteKey`.
 */
export type ForgeSaid =
  | { readonly state: 'ok'; readonly pullRequest: PullRequest; readonly site: string }
  | { readonly state: 'refused'; readonly code: string; readonly error: string };

/** What the forge is asked to do after the commit; `key` is the step's, so that a late answer is known as such. */
export interface ForgeAsk {
  readonly kind: 'open' | 'merge' | 'close';
  readonly key: string;
}

/** That its pull request is to be closed because its work was cancelled, and what came of that. */
export interface Closing {
  /** `asked`: an answer is awaited. `refused`: it can't be closed, or nobody answered. */
  readonly state: 'asked' | 'refused' | PullEnd;
  /** How often it was asked for; the key of the present question. */
  readonly asks: number;
  readonly askedAtMs: number;
  /** Null: it is not known whether one was opened. */
  readonly number: number | null;
  /** As what people merged it. */
  readonly mergeSha: string | null;
  readonly error: string | null;
  /** A person was told what only a person can do about it. */
  readonly isTold: boolean;
  /** The merge that a person was told of when it was asked for before; missing: of none. */
  readonly toldMergeSha?: string | null;
}

/** What is recorded of the pull request of a merge request. Its steps stand in the review. */
export interface Proposal {
  readonly beadId: BeadId;
  /** Null: not opened yet, or the one before is over and the next is not opened yet. */
  readonly number: number | null;
  readonly url: string | null;
  /** Where that number is (`siteKey`); null: not known, as of rows older than this column. */
  readonly site: string | null;
  /** The last pull request of the branch that is over. */
  readonly over: number | null;
  /** As it was seen last; null before the first look. */
  readonly seen: PullRequest | null;
  /** When what is seen changed last. */
  readonly changedAtMs: number;
  /**
   * The last look that is recorded: each with news does that, and each that finds the branch at another commit than the
   * one that is proposed. Null: none since that commit is proposed.
   */
  readonly lookedAtMs: number | null;
  /** The last head that the forge named; once merged, the one that was merged. */
  readonly seenHead: Sha | null;
  /** The answer to the present step's question. */
  readonly said: ForgeSaid | null;
  /** Why looking at it is refused; null while it is not. */
  readonly lookError: string | null;
  /** Since when the forge does not answer; null while it does. */
  readonly silentSinceMs: number | null;
  readonly waitsFor: WaitsFor | null;
  readonly waitReason: string | null;
  readonly waitSinceMs: number | null;
  /** Since when nothing but the delay is in the way. */
  readonly readyAtMs: number | null;
  /** What people and checks said that an agent was given already; see `feedbackOf`. */
  readonly given: readonly string[];
  /** The head that passed the rig's own gates on the target, and when. */
  readonly testedHead: Sha | null;
  readonly testedAtMs: number | null;
  /** The head was pushed by somebody else. */
  readonly isAdopted: boolean;
  /** The forge was asked to open one, and has not said what it did. */
  readonly isOpenAsked: boolean;
  /** Null: nothing is to be closed. */
  readonly closing: Closing | null;
  /** How often the forge was asked to merge this head. */
  readonly asks: number;
  /** When the forge was asked last to merge it without having said that it did; null: never. */
  readonly askedAtMs: number | null;
  /** What is recorded of a cancel when it is carried out; null: none waits. */
  readonly cancel: Evidence | null;
  /** Not before then is the forge asked, or the target looked at, again. */
  readonly retryAtMs: number;
}

/** Columns of a proposal that a decision sets; what is missing stays. */
export type ProposalChange = Partial<Omit<Proposal, 'beadId' | 'changedAtMs' | 'lookedAtMs'>>;

/** Answers of a merge job that are about more than a clean merge. */
import type { Brought } from './outside.ts';

/**
 * Riders that are in no list. `behind`: it conflicts only with entries before it, so it waits for them. `conflict`: with the
 * target itself. `merged`: it is on the target already.
 * `revives`: it would bring back what people took out of the target.
 */
export type LeftOut =
  | { readonly mergeRequest: string; readonly why: 'behind'; readonly paths: readonly string[] }
  | {
      readonly mergeRequest: string;
      readonly why: 'conflict';
      readonly paths: readonly string[];
      readonly message: string;
    }
  | ({ readonly mergeRequest: string; readonly why: 'merged' } & Brought)
  | ({ readonly mergeRequest: string; readonly why: 'revives' } & Revived);

/** What an entry would bring back: commits of former tips of the target that are not on it any more. */
export interface Revived {
  /** The newest of these tips. */
  readonly from: string;
  /** Of all former tips together. */
  readonly commits: number;
  /** Further former tips of which it would bring something back. */
  readonly also?: readonly string[] | undefined;
}

/**
 * The target is not what it was. `rewritten`: it does not contain the tip that was seen last; the counts are of what went,
 * and null where the runner does not have it. `revives`: the entry would bring some of that back, and nobody said that it may.
 */
export type TargetRewrite =
  | {
      readonly result: 'rewritten';
      readonly from: string;
      readonly targetSha: string;
      readonly commits: number | null;
      /** Merge requests of the town that were merged there and are not any more. */
      readonly merged: number | null;
    }
  | ({ readonly result: 'revives'; readonly targetSha: string } & Revived);

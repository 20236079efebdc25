import type { Repo } from './repo.ts';

/** Git work that judges a claim: its ref is checked, then its head becomes the bead's public branch. */
export type ClaimJob = (
  | {
      readonly kind: 'verify';
      readonly key: string;
      readonly repo: Repo;
      readonly ref: string;
      readonly claimedHead: string;
      readonly base: string;
      /** Work on a conflict: the commit that it must merge with cleanly; one that is not here is passed over. */
      readonly against?: string | undefined;
    }
  | {
      readonly kind: 'promote';
      readonly key: string;
      readonly repo: Repo;
      readonly branch: string;
      readonly head: string;
      readonly expectedOld: string | null;
    }
) & {
  /**
   * True: the work was made at another runner, which may still bring it to the origin, so that what is missing here is no
   * verdict. False: nobody else can have it any more, or nobody else ever had.
   */
  readonly elsewhere?: boolean | undefined;
};

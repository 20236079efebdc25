import type { Selection } from './run.ts';

/** Seeds that once found a bug, with what it was; they stay for ever. */
export interface Regression extends Selection {
  readonly found: string;
}

/**
 * A change of the plan or of what people and agents do makes other stories of the same seeds: then what was found stays
 * covered by the bugs in `planted.ts`, which hunt for a seed of their own.
 */
export const REGRESSIONS: readonly Regression[] = [
  { seed: 1, keep: null, found: 'a second "done" with more commits was accepted without them' },
  { seed: 2, keep: null, found: 'the end of a bead was told once; who began to wait for it later waited for ever' },
  { seed: 10, keep: null, found: 'what outlived a takeover held its agent and branch until the wall clock' },
  { seed: 27, keep: null, found: 'a bead was dispatched while it hung on the hook of an agent of the same takeover' },
  { seed: 64, keep: null, found: 'a bead that ended before its convoy started was never told to its waiters' },
  { seed: 2_001, keep: null, found: 'settings of a turn that failed stayed in memory and were never written' },
  { seed: 1_297, keep: null, found: 'a bead that left a staged convoy was never named to its waiters in another rig' },
  {
    seed: 348,
    keep: null,
    found: 'a look of before the night was taken for a push by somebody else, and the rework was dropped',
  },
  {
    seed: 245,
    keep: null,
    found: 'a merge that was asked for again was not judged by what a look between had found',
  },
  {
    seed: 5_068,
    keep: null,
    found: 'a look that began without a number ended the looks at the pull request that was opened meanwhile',
  },
  {
    seed: 5_190,
    keep: null,
    found: 'two rounds of rework of one branch were dispatched at once, and the whole schedule was set aside',
  },
  { seed: 850, keep: null, found: 'who waits in another rig for what was reopened long before was never told its end' },
  {
    seed: 1_157,
    keep: null,
    found: 'a branch that was deleted before its pull request was opened was never made again',
  },
  {
    seed: 2_116,
    keep: null,
    found: 'a pull request that was opened late stayed open after the cancel, since a former one was found first',
  },
  { seed: 1_831, keep: null, found: 'what somebody had emptied before its forge merged it was called merged' },
  { seed: 8_337, keep: null, found: 'commits that came after an accepted "no change" were called accepted' },
  { seed: 6_050, keep: null, found: 'with pull requests nobody heard that the target itself is red' },
  {
    seed: 180,
    keep: null,
    found: 'changes were made to work whose push had landed without an answer, and those were lost',
  },
];

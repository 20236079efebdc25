import { describe, expect, it } from 'vitest';
import { convoy, convoyBead, landing } from '../../test/support/convoy-builder.ts';
import { landedCommits } from './landed-commits.ts';
import type { ConvoyBead } from './model/convoy.ts';
import type { ConvoyLanding } from './model/landing.ts';

const BRANCH = 'gt/hq-cv-00000';
const merged = (position: number, sha: string | null, over: Partial<ConvoyBead> = {}): ConvoyBead =>
  convoyBead(position, { closeReason: 'merged', mergeTarget: 'main', mergeSha: sha, ...over });
const landed = (position: number, sha: string | null, over: Partial<ConvoyLanding> = {}): ConvoyLanding =>
  landing(position, { state: 'landed', target: 'main', mergeSha: sha, ...over });

const places = (
  beads: readonly ConvoyBead[],
  landings: readonly ConvoyLanding[] = [],
  featureBranch: string | null = null,
): unknown =>
  landedCommits(convoy({ featureBranch }), {
    beads,
    landings,
    defaultTarget: (rig) => (rig === 'web' ? 'trunk' : undefined),
  });

describe('where a convoy landed', () => {
  it('is a list of commits for each branch of each rig', () => {
    expect(places([merged(0, 'a'), merged(1, 'b'), merged(2, 'c'), merged(3, 'd', { mergeTarget: 'next' })])).toEqual([
      { rig: 'api', target: 'main', commits: ['a'] },
      { rig: 'web', target: 'main', commits: ['b', 'c'] },
      { rig: 'web', target: 'next', commits: ['d'] },
    ]);
  });

  it('names a commit once, however many beads it brought', () => {
    expect(places([merged(1, 'b'), merged(2, 'b')])).toEqual([{ rig: 'web', target: 'main', commits: ['b'] }]);
  });

  it('holds only what was merged, with a commit', () => {
    expect(places([merged(0, 'a', { closeReason: 'no_change' }), merged(0, null)])).toEqual([]);
  });

  it('takes the target of the rig where none was recorded; without one it is unknown', () => {
    const unrecorded = { mergeTarget: null };
    expect(places([merged(0, 'a', unrecorded), merged(1, 'b', unrecorded)])).toEqual([
      { rig: 'web', target: 'trunk', commits: ['b'] },
    ]);
  });

  it('counts the landing of a feature branch, not the merges into it', () => {
    const beads = [merged(0, 'a', { mergeTarget: BRANCH }), merged(1, 'b')];
    const landings = [landed(0, 'l'), landed(1, 'x', { state: 'ordered' }), landed(2, null)];
    expect(places(beads, landings, BRANCH)).toEqual([
      { rig: 'web', target: 'main', commits: ['b'] },
      { rig: 'api', target: 'main', commits: ['l'] },
    ]);
  });

  it('without a feature branch leaves no merge out, whatever its target is', () => {
    expect(places([merged(1, 'b', { mergeTarget: null })], [], null)).toEqual([
      { rig: 'web', target: 'trunk', commits: ['b'] },
    ]);
  });
});

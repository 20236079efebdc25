import { describe, expect, it } from 'vitest';
import { attempt, bead, beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { pullView, UNOPENED } from '../../../test/support/pull-table.ts';
import type { AttemptFacts } from '../view.ts';
import { pullRequest } from './pull-request.ts';
import { claimKey, isOfClaim, promoteKey, verifyKey } from './verify-done.ts';

describe('a job', () => {
  it('is one of a claim when it verifies or promotes what an agent claims', () => {
    const claimed = attempt(bead(), { claimedHead: commit(5), headSha: commit(5), claimedAtMs: NOW });
    expect([verifyKey(claimed), promoteKey(claimed)].map(isOfClaim)).toEqual([true, true]);
  });

  it('of a merge request is none of a claim, also where it brings a branch to the origin', () => {
    const said = { state: 'refused', code: 'invalid', error: 'head is invalid' } as const;
    const view = pullView({ step: 'opening', pull: UNOPENED, said });
    const [step] = pullRequest(view, beadId('merge'), NOW).decisions[0]?.actions ?? [];
    const key = step?.type === 'merge_step' ? (step.job?.key ?? '') : '';
    expect(key).toBe('again:api-merge:3');
    expect(isOfClaim(key)).toBe(false);
  });
});

describe('the job that a claim waits for', () => {
  const claimed = { claimedHead: commit(5), headSha: commit(6), claimedAtMs: NOW };
  const keyFor = (claim: AttemptFacts['claim']): string | null => claimKey(attempt(bead(), { ...claimed, claim }));
  const at = attempt(bead(), claimed);

  it('is its check in git, then the bringing of its branch to the origin', () => {
    expect(keyFor({ state: 'verifying', kind: 'done' })).toBe(verifyKey(at));
    expect(keyFor({ state: 'promoting', kind: 'done' })).toBe(promoteKey(at));
  });

  it('is none without a claim, and while the claim is with the town', () => {
    const states = ['recorded', 'verified', 'promoted'] as const;
    expect([keyFor(null), ...states.map((state) => keyFor({ state, kind: 'done' }))]).toEqual([null, null, null, null]);
  });
});

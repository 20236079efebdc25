import { describe, expect, it } from 'vitest';
import { attempt, bead, beadId, commit, NOW } from '../../../test/support/rig-view-builder.ts';
import { pullView, UNOPENED } from '../../../test/support/pull-table.ts';
import { pullRequest } from './pull-request.ts';
import { isOfClaim, promoteKey, verifyKey } from './verify-done.ts';

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

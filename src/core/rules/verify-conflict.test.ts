import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  commit,
  NOW,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import type { Bead } from '../model/bead.ts';
import type { Feature } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import type { ReviewFacts } from '../view.ts';
import { verifyDone } from './verify-done.ts';

const source = bead({ status: 'in_review', branch: 'gt/api-task1' });
const conflict = bead({ id: beadId('rework'), kind: 'conflict', status: 'in_progress', branchOf: source.id });
const merging = review(source, { step: 'reworking', rounds: 1 });
/** Where the target was seen, the last time first. */
const seen = { formerTips: [commit(7), commit(6)] };

interface Given {
  readonly of?: Partial<Bead>;
  readonly merging?: Partial<ReviewFacts>;
  readonly world?: Partial<World>;
}

/** The job that judges the work on a conflict that is claimed to be done. */
function judging({ of, merging: over, world = seen }: Given) {
  const work = { ...conflict, ...of };
  const claim = attempt(work, {
    claimedHead: commit(5),
    claimedAtMs: NOW - 10,
    claim: { state: 'recorded', kind: 'done' },
  });
  const reviews = [{ ...merging, ...over }];
  const view = rigView({ beads: [source, work], reviews, attempts: [claim], ...world });
  const [action] = verifyDone(view, claim.id, NOW).decisions[0]?.actions ?? [];
  if (action?.type !== 'verify_done') throw new Error('its claim is not judged');
  return action.job;
}

describe('work on a conflict', () => {
  it('is judged against the target as it was seen last: the train would find the same conflict again', () => {
    expect(judging({})).toMatchObject({ kind: 'verify', base: merging.headSha, against: commit(7) });
  });

  it('is judged against what a branch that the town keeps must hold, whatever was seen of it before', () => {
    const feature: Feature = {
      branch: 'gt/hq-cv-00000',
      convoyId: trusted.convoy('hq-cv-00000'),
      state: 'ready',
      headSha: commit(3),
      stepKey: null,
      reason: null,
      retryAtMs: null,
      escalated: false,
      version: 1,
    };
    const of = { targetBranch: feature.branch };
    const against = (features: readonly Feature[]) => judging({ of, world: { ...seen, features } });
    expect(against([feature])).toMatchObject({ against: commit(3) });
    expect(against([{ ...feature, headSha: null }])).toMatchObject({ against: commit(7) });
  });

  it.each<[string, Given]>([
    ['a pull request: only the next merge knows where its target is', { merging: { strategy: 'pr' } }],
    ['a target that was never seen', { world: {} }],
    ['another rework, which need not merge with anything', { of: { kind: 'rework' } }],
    ['a bead that continues no branch', { of: { branchOf: null, baseSha: commit(1) } }],
  ])('is judged by its own commits alone: %s', (_case, given) => {
    const job = judging(given);
    expect(job).toMatchObject({ kind: 'verify', claimedHead: commit(5) });
    expect(job).not.toHaveProperty('against');
  });
});

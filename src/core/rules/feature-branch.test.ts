import { describe, expect, it } from 'vitest';
import { bead, commit, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import { BRANCH_JOB_DEADLINE_MS, FEATURE_RETRY_MS } from '../limits.ts';
import type { Feature } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import { featureBranch, repoFor } from './feature-branch.ts';

const BRANCH = 'gt/hq-cv-00000';
const feature = (over: Partial<Feature> = {}): Feature => ({
  branch: BRANCH,
  convoyId: trusted.convoy('hq-cv-00000'),
  state: 'lost',
  headSha: commit(3),
  stepKey: null,
  reason: 'Somebody rewrote it.',
  retryAtMs: null,
  escalated: false,
  version: 7,
  ...over,
});
/** A bead that merges into it. */
const user = bead({ targetBranch: BRANCH });
const judge = (of: Feature, beads = [user]): unknown => featureBranch(rigView({ features: [of], beads }), BRANCH, NOW);

const nothing = { decisions: [], wakeAtMs: null };
const one = (reason: string, ...actions: readonly object[]): object => ({
  decisions: [{ rule: 'feature-branch', entity: 'train:gt/hq-cv-00000', reason, actions }],
  wakeAtMs: null,
});
const step = (from: string, to: string, more: object): object => ({
  type: 'feature_step',
  branch: BRANCH,
  from,
  to,
  job: null,
  ...more,
});
const resolved = { type: 'resolve_escalation', causeKey: 'feature:gt/hq-cv-00000', bead: null };

describe('the feature branch of a convoy', () => {
  it('is nothing that an ordinary branch is', () => {
    expect(featureBranch(rigView(), 'main', NOW)).toEqual(nothing);
  });

  it.each(['staged', 'checking'] as const)('is left alone while it is %s', (state) => {
    expect(judge(feature({ state }))).toEqual(nothing);
  });

  it.each([
    ['made', null, {}],
    ['put back at its last known good commit', commit(3), { restore: commit(3) }],
  ])('is %s before anything needs it', (_case, headSha, restore) => {
    expect(judge(feature({ state: 'wanted', headSha }))).toEqual(
      one(
        'it must be on the origin with all that was merged into it',
        step('wanted', 'checking', {
          retryAtMs: NOW + BRANCH_JOB_DEADLINE_MS,
          job: {
            kind: 'branch',
            key: 'branch:api:gt/hq-cv-00000:7',
            repo: { rig: 'api', url: '/remotes/api.git', targetBranch: BRANCH, ...restore },
            from: 'main',
          },
        }),
      ),
    );
  });

  it('that has no verdict at its deadline is told to a person once', () => {
    const state = 'checking';
    expect(judge(feature({ state, retryAtMs: NOW + 1 }))).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    const told = (what: string): object => ({
      type: 'raise_escalation',
      causeKey: 'feature:gt/hq-cv-00000',
      severity: 'high',
      category: 'convoy',
      subject: 'convoy:hq-cv-00000',
      message: `The feature branch gt/hq-cv-00000 of hq-cv-00000 is not ${what} after 10 min: the runner or the git host does not answer, or refuses the branch. Nothing of the convoy runs or merges in this rig until then. It is asked for again by itself; look into the runner's log.`,
    });
    expect(judge(feature({ state, retryAtMs: NOW, headSha: null }))).toEqual(
      one('the verdict is overdue', told('made')),
    );
    expect(judge(feature({ state, retryAtMs: NOW }))).toEqual(one('the verdict is overdue', told('checked')));
    expect(judge(feature({ state, retryAtMs: NOW, escalated: true }))).toEqual(nothing);
  });

  it('is told with what the last try met, of the order that it waits for', () => {
    const late = feature({ state: 'checking', retryAtMs: NOW, stepKey: 'branch:api:gt/hq-cv-00000:7' });
    const troubles = {
      other: { tries: 9, error: 'disk full', nextAtMs: NOW },
      'branch:api:gt/hq-cv-00000:7': { tries: 2, error: 'protected branch\nhook declined', nextAtMs: NOW },
    };
    expect(featureBranch(rigView({ features: [late], beads: [user], troubles }), BRANCH, NOW)).toEqual(
      one(
        'the verdict is overdue',
        expect.objectContaining({
          message:
            'The feature branch gt/hq-cv-00000 of hq-cv-00000 is not checked after 10 min: the runner or the git host does not answer, or refuses the branch. Nothing of the convoy runs or merges in this rig until then. It is asked for again by itself. It was asked for 2 times at /remotes/api.git; the last try failed: protected branch hook declined.',
        }),
      ),
    );
  });

  it('takes its alarm back once it is whole', () => {
    expect(judge(feature({ state: 'ready', escalated: true }))).toEqual(one('it is whole again', resolved));
    expect(judge(feature({ state: 'ready' }))).toEqual(nothing);
  });

  describe('that is lost', () => {
    const again = step('lost', 'lost', { retryAtMs: NOW + FEATURE_RETRY_MS });
    const alarm = (reason: string, head: string): object => ({
      type: 'raise_escalation',
      causeKey: 'feature:gt/hq-cv-00000',
      severity: 'high',
      category: 'convoy',
      subject: 'convoy:hq-cv-00000',
      message: `The feature branch gt/hq-cv-00000 of hq-cv-00000 can't be used: ${reason} Nothing of the convoy runs or merges in this rig until it is whole. Its last known good commit is ${head}.`,
    });

    it('is told to a person, once, and looked at again later', () => {
      expect(judge(feature())).toEqual(one('Somebody rewrote it.', again, alarm('Somebody rewrote it.', commit(3))));
      expect(judge(feature({ escalated: true }))).toEqual(one('Somebody rewrote it.', again));
    });

    it('may be lost without a reason and without a commit', () => {
      expect(judge(feature({ reason: null, headSha: null }))).toEqual(
        one('it is not on the origin', again, alarm('it is not on the origin', 'unknown')),
      );
    });

    it('is looked at again at its moment', () => {
      expect(judge(feature({ retryAtMs: NOW + 1 }))).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
      expect(judge(feature({ retryAtMs: NOW }))).toEqual(
        one('a person may have mended it', step('lost', 'wanted', { retryAtMs: null })),
      );
    });

    it('rests when nobody needs it any more', () => {
      const rests = step('lost', 'staged', { retryAtMs: null });
      expect(judge(feature(), [])).toEqual(one('nobody needs it any more', rests));
      expect(judge(feature({ escalated: true }), [])).toEqual(one('nobody needs it any more', rests, resolved));
    });
  });
});

describe('what the runner is told of a target', () => {
  it('of a branch that the town keeps, what must be in it', () => {
    const at = (over: Partial<Feature>): unknown => repoFor(rigView({ features: [feature(over)] }), BRANCH);
    const repo = { rig: 'api', url: '/remotes/api.git', targetBranch: BRANCH };
    expect(at({})).toEqual({ ...repo, restore: commit(3) });
    expect(at({ headSha: null })).toEqual(repo);
    expect(repoFor(rigView(), 'main')).toEqual({ ...repo, targetBranch: 'main' });
  });
});

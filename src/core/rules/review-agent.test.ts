import { describe, expect, it } from 'vitest';
import {
  bead,
  beadId,
  commit,
  mergeRequest,
  NOW,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { REVIEW_FAILURES_MAX, REVIEW_ROUNDS_MAX } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Reviewer } from '../model/reviewer.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeTrain } from './merge-train.ts';
import { reviewAgent } from './review-agent.ts';

const reviewer: Reviewer = { runtime: 'claude', model: null, timeoutMs: 60_000, unanswered: 'ask' };
const source = bead({ status: 'in_review' });
const world = (
  over: Partial<ReviewFacts>,
  config: Partial<Reviewer> | null,
  mine: readonly Bead[] = [],
): Partial<World> => {
  const row = review(source, over);
  const reviewers = config === null ? {} : { reviewer: { ...reviewer, ...config } };
  const reviews = { reviews: [row], line: row.step === 'queued' ? [row] : [] };
  return { config: rigConfig('api', reviewers), beads: [source, mergeRequest(source), ...mine], ...reviews };
};
const asked = (over: Partial<ReviewFacts>, config: Partial<Reviewer> | null = {}) =>
  reviewAgent(rigView(world(over, config)), beadId('merge'), NOW).decisions;
const begun = (over: Partial<ReviewFacts>, config: Partial<Reviewer> | null = {}): number =>
  mergeTrain(rigView(world(over, config)), 'main', NOW).decisions.length;

describe('a review agent', () => {
  it('is asked once about each head, and nothing merges before', () => {
    const [decision] = asked({});
    expect(decision?.actions).toMatchObject([
      { type: 'merge_step', fromStep: 'queued', toStep: 'reworking', reviewAsked: commit(10) },
      { type: 'create_rework', kind: 'review', mergeRequest: 'api-merge' },
    ]);
    expect(begun({})).toBe(0);
    expect(asked({ reviewAsked: commit(10) })).toEqual([]);
    expect(begun({ reviewAsked: commit(10) })).toBe(1);
    expect(asked({ reviewAsked: commit(9) })).toHaveLength(1);
    expect(begun({ reviewAsked: commit(9) })).toBe(0);
    expect(asked({}, null)).toEqual([]);
    expect(begun({}, null)).toBe(1);
    for (const step of ['gating', 'reworking', 'ended'] as const) expect(asked({ step })).toEqual([]);
  });

  it('is not asked again after some rounds: that would go on for ever', () => {
    const rounds = REVIEW_ROUNDS_MAX;
    expect(asked({ rounds })[0]?.actions.map(({ type }) => type)).toEqual([
      'merge_step',
      'hold_bead',
      'raise_escalation',
    ]);
    expect(asked({ rounds }, { unanswered: 'go_on' })).toEqual([]);
    expect([begun({ rounds }), begun({ rounds }, { unanswered: 'go_on' })]).toEqual([0, 1]);
  });

  const mine = (over: Partial<Bead> = {}): Bead =>
    bead({ id: beadId('look'), kind: 'review', branchOf: source.id, status: 'in_progress', createdAtMs: NOW, ...over });
  const end = (over: Partial<Bead>, config: Partial<Reviewer> | null, nowMs = NOW) =>
    reviewAgent(rigView(world({ step: 'reworking' }, config, [mine(over)])), beadId('look'), nowMs);

  it('has its time, and then its silence is told or the work goes on', () => {
    expect(end({}, {})).toEqual({ decisions: [], wakeAtMs: NOW + 60_000 });
    const types = (config: Partial<Reviewer> | null, over: Partial<Bead> = {}, nowMs = NOW): readonly string[] =>
      end(over, config, nowMs).decisions.flatMap(({ actions }) => actions.map(({ type }) => type));
    const on = ['transition_bead', 'advance_review'];
    expect(types({}, {}, NOW + 60_000)).toEqual([...on, 'hold_bead', 'raise_escalation']);
    expect(types({ unanswered: 'go_on' }, {}, NOW + 60_000)).toEqual(on);
    expect(types({ unanswered: 'go_on' }, { failures: REVIEW_FAILURES_MAX, status: 'open' })).toEqual(on);
    expect(types({ unanswered: 'go_on' }, { hold: 'needs_human', status: 'open' })).toEqual(on);
    expect(types(null)).toEqual(on);
    expect(types({}, { status: 'closed' }, NOW + 60_000)).toEqual([]);
  });
});

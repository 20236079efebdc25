import { describe, expect, it } from 'vitest';
import {
  attempt,
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
import { told } from '../../../test/support/pull-table.ts';
import { REVIEW_FAILURES_MAX, REVIEW_ROUNDS_MAX } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Reviewer } from '../model/reviewer.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeTrain } from './merge-train.ts';
import { awaitsReview, reviewAgent } from './review-agent.ts';

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

describe('what a review agent is asked', () => {
  const look = (over: Partial<ReviewFacts> = {}, config: Partial<Reviewer> = {}, mine: Partial<Bead> = {}): string => {
    const { beads = [], ...rest } = world(over, config);
    const changed = beads.map((one) => (one.id === beadId('merge') ? { ...one, ...mine } : one));
    return told(reviewAgent(rigView({ ...rest, beads: changed }), beadId('merge'), NOW));
  };

  it('is one bead about one head, which takes the merge request out of line', () => {
    expect(look()).toMatchInlineSnapshot(`
      "review-agent bead:api-merge: the review agent is asked about c10
      step of api-merge: queued -> reworking | job null, reviewAsked c10, heldReason its review agent looks at it
      create_rework | mergeRequest api-merge, kind review, title Review gt/api-task1, body Look at gt/api-task1 at c10 before it is merged into main., notBeforeMs 0, preferAgent null"
    `);
  });

  it('is nothing more after its rounds: a person looks, or the gates decide alone', () => {
    expect(look({ rounds: REVIEW_ROUNDS_MAX })).toMatchInlineSnapshot(`
      "review-agent bead:api-merge: it was reworked 3 times already, so its review agent is not asked again
      step of api-merge: queued -> reworking | job null, reviewAsked c10, heldReason it was reworked 3 times already, so its review agent is not asked again
      hold_bead | bead api-merge, hold needs_human, reason Nobody has reviewed api-task1: it was reworked 3 times already, so its review agent is not asked again. Look at gt/api-task1, then "gt bead retry api-task1" to let it merge, or "gt request-changes api-task1".
      tell a person | causeKey bead:api-task1, severity high, category merge, subject bead:api-task1
        Nobody has reviewed api-task1: it was reworked 3 times already, so its review agent is not asked again. Look at gt/api-task1, then "gt bead retry api-task1" to let it merge, or "gt request-changes api-task1"."
    `);
    expect(look({ rounds: REVIEW_ROUNDS_MAX - 1 }, { unanswered: 'go_on' })).toContain('create_rework');
    expect(look({ rounds: REVIEW_ROUNDS_MAX }, { unanswered: 'go_on' })).toBe('nothing');
  });

  it.each<[string, Partial<Bead>]>([
    ['is held', { hold: 'held' }],
    ['waits for a person', { hold: 'needs_human' }],
    ['is blocked', { openBlockers: 1 }],
    ['is not open', { status: 'in_progress' }],
    ['has ended', { status: 'closed' }],
  ])('is nothing while its merge request %s', (_what, over) => {
    expect(look({}, {}, over)).toBe('nothing');
  });

  it('is nothing of work that may have landed: the next merge says', () => {
    expect(look({ candidateSha: commit(20) })).toBe('nothing');
    expect(look({ step: 'pushing', candidateSha: commit(20) })).toBe('nothing');
  });

  it('is nothing of what was looked at before, of pull requests, and of what is no merge request', () => {
    const of = (changed: Partial<Bead>, over: Partial<ReviewFacts> = {}): string => {
      const { beads = [], ...rest } = world(over, {});
      const view = rigView({
        ...rest,
        beads: beads.map((one) => (one.id === source.id ? { ...one, ...changed } : one)),
      });
      return told(reviewAgent(view, beadId('merge'), NOW));
    };
    expect(of({})).toContain('create_rework');
    expect(of({ kind: 'landing' })).toBe('nothing');
    expect(of({ kind: 'revert' })).toBe('nothing');
    expect(of({}, { strategy: 'pr' })).toBe('nothing');
    const plain = rigView({ ...world({}, {}), beads: [source, bead({ id: beadId('merge') })] });
    expect(told(reviewAgent(plain, beadId('merge'), NOW))).toBe('nothing');
  });

  it('is nothing where a bead or its record is missing', () => {
    const config = rigConfig('api', { reviewer });
    const none = rigView({ config, beads: [source, mergeRequest(source)] });
    expect(told(reviewAgent(none, beadId('merge'), NOW))).toBe('nothing');
    expect(told(reviewAgent(none, beadId('gone'), NOW))).toBe('nothing');
    const gone = rigView({ config, beads: [mergeRequest(source)], reviews: [review(source)] });
    expect(told(reviewAgent(gone, beadId('merge'), NOW))).toBe('nothing');
    expect(awaitsReview(gone, review(source))).toBe(false);
  });
});

describe('a review that ends without an answer', () => {
  const mine = (over: Partial<Bead>): Bead =>
    bead({ id: beadId('look'), kind: 'review', branchOf: source.id, status: 'in_progress', createdAtMs: NOW, ...over });
  const end = (
    over: Partial<Bead> = {},
    {
      config = {},
      row = {},
      more = {},
    }: { config?: Partial<Reviewer> | null; row?: Partial<ReviewFacts>; more?: Partial<World> } = {},
    nowMs = NOW + 60_000,
  ): string =>
    told(
      reviewAgent(
        rigView({ ...world({ step: 'reworking', ...row }, config, [mine(over)]), ...more }),
        beadId('look'),
        nowMs,
      ),
    );

  it('is closed at its deadline, and its merge request goes on as it was, or to a person', () => {
    expect(end({}, {}, NOW + 59_999)).toBe('looks again +1min');
    expect(end()).toMatchInlineSnapshot(`
      "review-agent bead:api-look: its review agent said nothing within 1 min
      bead api-look: in_progress -> closed | closeReason cancelled, evidence {note its review agent said nothing within 1 min}
      advance_review | mergeRequest api-merge, head c10, isLast true
      hold_bead | bead api-merge, hold needs_human, reason Nobody has reviewed api-task1: its review agent said nothing within 1 min. Look at gt/api-task1, then "gt bead retry api-task1" to let it merge, or "gt request-changes api-task1".
      tell a person | causeKey bead:api-task1, severity high, category merge, subject bead:api-task1
        Nobody has reviewed api-task1: its review agent said nothing within 1 min. Look at gt/api-task1, then "gt bead retry api-task1" to let it merge, or "gt request-changes api-task1"."
    `);
    expect(end({}, { config: { unanswered: 'go_on' } })).toMatchInlineSnapshot(`
      "review-agent bead:api-look: its review agent said nothing within 1 min
      bead api-look: in_progress -> closed | closeReason cancelled, evidence {note its review agent said nothing within 1 min}
      advance_review | mergeRequest api-merge, head c10, isLast true"
    `);
  });

  it('says what else ended it', () => {
    const first = (text: string): string => text.split('\n')[0] ?? '';
    expect(first(end({}, { config: null }))).toBe('review-agent bead:api-look: the rig has no review agent any more');
    const failed = 'review-agent bead:api-look: its review agent failed';
    expect(first(end({ failures: REVIEW_FAILURES_MAX }, {}, NOW))).toBe(failed);
    expect(first(end({ hold: 'needs_human' }, {}, NOW))).toBe(failed);
    expect(end({ failures: REVIEW_FAILURES_MAX - 1 }, {}, NOW)).toBe('looks again +1min');
    expect(end({ hold: 'held' }, {}, NOW)).toBe('looks again +1min');
  });

  it('moves no merge request that does not wait for it', () => {
    expect(end({}, { row: { step: 'queued' }, config: { unanswered: 'go_on' } })).toBe(
      [
        'review-agent bead:api-look: its review agent said nothing within 1 min',
        'bead api-look: in_progress -> closed | closeReason cancelled, evidence {note its review agent said nothing within 1 min}',
      ].join('\n'),
    );
  });

  it('is not taken from an agent that has claimed to be done: its claim ends it', () => {
    const claimed = attempt(mine({}), { claim: { state: 'recorded', kind: 'no_change' } });
    expect(end({}, { more: { attempts: [claimed] } })).toBe('nothing');
    expect(end({}, { more: { attempts: [{ ...claimed, claim: null }] } })).toContain('closed');
  });

  it('decides nothing where it belongs to nothing', () => {
    expect(end({ branchOf: null })).toBe('nothing');
    expect(end({}, { more: { reviews: [] } })).toBe('nothing');
  });
});

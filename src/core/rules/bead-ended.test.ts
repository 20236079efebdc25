import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  mergeRequest,
  NOW,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { CLOSE_REASONS, type Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import { COMMITTED_STEPS, MERGE_STEPS, PULL_STEPS, ROUND_STEPS } from '../model/review.ts';
import { beadEnded } from './bead-ended.ts';

const closed = (over: Partial<Bead> = {}): Bead => bead({ status: 'closed', closeReason: 'cancelled', ...over });
const judge = (ended: Bead, world: Partial<World> = {}) =>
  beadEnded(rigView({ ...world, beads: [ended, ...(world.beads ?? [])] }), ended.id, NOW).decisions.flatMap(
    (row) => row.actions,
  );

describe('beadEnded', () => {
  it.each(['open', 'in_progress', 'in_review'] as const)('says nothing of a bead that is %s', (status) => {
    const live = bead({ status });
    const world = { attempts: [attempt(live)], watched: [live.id], dependents: { [live.id]: [beadId('other')] } };
    expect(judge(live, world)).toEqual([]);
  });

  it('says nothing more once everybody knows', () => {
    const ended = closed();
    expect(judge(ended, { watched: [ended.id], reported: [ended.id] })).toEqual([]);
  });

  it('ends the attempt that still works on it (T10)', () => {
    const ended = closed();
    const live = attempt(ended);
    expect(judge(ended, { attempts: [live] })).toEqual([
      {
        type: 'end_attempt',
        attempt: live.id,
        outcome: 'cancelled',
        reason: 'The bead ended: cancelled.',
        signature: null,
      },
    ]);
    expect(judge(ended, { attempts: [{ ...live, endedAtMs: NOW, outcome: 'done' }] })).toEqual([]);
  });

  it.each([
    ['review', 'no_change', 'no_change'],
    ['review', 'cancelled', 'cancelled'],
    ['task', 'no_change', 'cancelled'],
  ] as const)(
    'ends the attempt of a %s that ended as %s as %s: a review ends with a word',
    (kind, closeReason, outcome) => {
      const ended = closed({ kind, closeReason });
      expect(judge(ended, { attempts: [attempt(ended)] })).toMatchObject([{ type: 'end_attempt', outcome }]);
    },
  );

  it.each(CLOSE_REASONS)('clears those that wait for it exactly if it ended well: %s', (closeReason) => {
    const status = closeReason === 'attempts_exhausted' || closeReason === 'merge_failed' ? 'failed' : 'closed';
    const ended = bead({ status, closeReason });
    const cleared = ['merged', 'no_change', 'integrated'].includes(closeReason);
    expect(judge(ended, { dependents: { [ended.id]: [beadId('w1'), beadId('w2')] } })).toEqual([
      { type: 'resolve_blocker', blocker: ended.id, dependents: [beadId('w1'), beadId('w2')], cleared },
    ]);
  });

  describe('of a source with a merge request', () => {
    const source = closed();

    it('dissolves its round: the candidates of the others were made with this one among them', () => {
      const other = bead({ id: beadId('other'), status: 'in_review' });
      const rider = review(other, { beadId: beadId('merge2'), step: 'gating', position: 1 });
      const row = mergeRequest(source, { status: 'in_progress' });
      const at = (step: 'gating' | 'queued', ...others: readonly (typeof rider)[]): readonly unknown[] =>
        judge(source, {
          beads: [row, other],
          reviews: [review(source, { step, position: step === 'gating' ? 0 : null }), ...others],
        });
      expect(at('gating', rider)[0]).toEqual({
        type: 'dissolve_round',
        target: 'main',
        except: row.id,
        reason: 'api-task1 ended',
      });
      const second = { ...rider, beadId: beadId('merge3'), position: 2 };
      for (const alone of [at('gating'), at('queued', rider, second)])
        expect(alone).not.toContainEqual(expect.objectContaining({ type: 'dissolve_round' }));
    });

    it.each(MERGE_STEPS)('ends it at step %s, unless a push is under way', (step) => {
      const active = [...ROUND_STEPS, ...PULL_STEPS].includes(step);
      const row = mergeRequest(source, { status: active ? 'in_progress' : 'open' });
      const actions = judge(source, { beads: [row], reviews: [review(source, { step })] });
      if (COMMITTED_STEPS.includes(step) || step === 'ended') expect(actions).toEqual([]);
      else
        expect(actions).toEqual([
          {
            type: 'merge_step',
            mergeRequest: row.id,
            fromStep: step,
            toStep: 'ended',
            job: null,
            heldReason: 'its source ended',
          },
          { type: 'transition_bead', bead: row.id, from: row.status, to: 'closed', closeReason: 'source_ended' },
        ]);
    });

    it('ends the rework that the merge request waits for', () => {
      const rework = bead({ id: beadId('rework'), kind: 'rework', branchOf: source.id, status: 'in_progress' });
      const world = { beads: [mergeRequest(source), rework], reviews: [review(source, { step: 'reworking' })] };
      expect(judge(source, world).at(-1)).toEqual({
        type: 'transition_bead',
        bead: rework.id,
        from: 'in_progress',
        to: 'closed',
        closeReason: 'source_ended',
      });
    });

    it('leaves a merge request alone whose bead is gone', () => {
      expect(judge(source, { reviews: [review(source)] })).toEqual([]);
    });

    it('leaves a merge request alone that has ended', () => {
      const row = mergeRequest(source, { status: 'closed', closeReason: 'merged' });
      expect(judge(source, { beads: [row], reviews: [review(source, { step: 'queued' })] })).toEqual([]);
    });
  });

  describe('of a rework bead', () => {
    const source = bead({ status: 'in_review' });
    const rework = (over: Partial<Bead>): Bead =>
      bead({ id: beadId('rework'), kind: 'rework', branchOf: source.id, ...over });
    const world = { beads: [source, mergeRequest(source)], reviews: [review(source, { step: 'reworking' })] };

    it('asks a person when it failed, with the next step', () => {
      const question =
        'The rework api-rework of api-task1 ended as attempts_exhausted. Look at it, then "gt bead retry api-task1".';
      expect(judge(rework({ status: 'failed', closeReason: 'attempts_exhausted' }), world)).toEqual([
        { type: 'hold_bead', bead: beadId('merge'), hold: 'needs_human', reason: question },
        {
          type: 'raise_escalation',
          causeKey: 'bead:api-task1',
          severity: 'high',
          category: 'merge',
          subject: 'bead:api-task1',
          message: question,
        },
      ]);
    });

    it.each(['integrated', 'no_change', 'source_ended'] as const)('asks nobody when it ended as %s', (closeReason) => {
      expect(judge(rework({ status: 'closed', closeReason }), world)).toEqual([]);
    });

    it('takes back what a feedback bead was given: nobody answered it', () => {
      const failed = rework({ kind: 'feedback', status: 'failed', closeReason: 'attempts_exhausted' });
      const taken = { type: 'pull_note', mergeRequest: beadId('merge'), change: { given: [] } };
      expect(judge(failed, world)).toContainEqual(taken);
      expect(judge({ ...failed, kind: 'conflict' }, world)).toHaveLength(2);
    });

    it('asks once, and not when the merge request went on', () => {
      const failed = rework({ status: 'failed', closeReason: 'attempts_exhausted' });
      const held = { ...world, beads: [source, mergeRequest(source, { hold: 'needs_human' })] };
      expect(judge(failed, held)).toEqual([]);
      expect(judge(failed, { ...world, reviews: [review(source, { step: 'queued' })] })).toEqual([]);
    });

    it('asks nobody when the merge request or its bead is gone', () => {
      const failed = rework({ status: 'failed', closeReason: 'attempts_exhausted' });
      expect(judge(failed, { ...world, reviews: [] })).toEqual([]);
      expect(judge(failed, { ...world, beads: [source] })).toEqual([]);
    });

    it('asks a person also when its source is gone', () => {
      const failed = rework({ status: 'failed', closeReason: 'attempts_exhausted' });
      const actions = judge(failed, { ...world, beads: [mergeRequest(source)] });
      expect(actions.map((action) => action.type)).toEqual(['hold_bead', 'raise_escalation']);
    });

    it('gives a landing up, for which the convoy decides what follows', () => {
      const failed = rework({ status: 'failed', closeReason: 'attempts_exhausted' });
      const landing = { ...source, kind: 'landing' as const };
      const beads = [landing, mergeRequest(landing)];
      const why = 'its rework api-rework ended as attempts_exhausted';
      const end = { to: 'failed', closeReason: 'merge_failed', evidence: { note: why } };
      expect(judge(failed, { ...world, beads })).toEqual([
        {
          type: 'merge_step',
          mergeRequest: beadId('merge'),
          fromStep: 'reworking',
          toStep: 'ended',
          job: null,
          heldReason: why,
        },
        { type: 'transition_bead', bead: beadId('merge'), from: 'open', ...end },
        { type: 'transition_bead', bead: landing.id, from: 'in_review', ...end },
      ]);
      expect(judge(failed, { ...world, beads: [{ ...landing, status: 'closed' }, mergeRequest(landing)] })).toEqual([]);
      const ended = mergeRequest(landing, { status: 'failed' });
      expect(judge(failed, { ...world, beads: [landing, ended] })).toEqual([]);
    });

    it('does not end the merge request of its source', () => {
      expect(judge(rework({ status: 'closed', closeReason: 'integrated' }), world)).toEqual([]);
    });
  });

  describe('of a bead that the town watches', () => {
    it('tells the town once, with the evidence', () => {
      const evidence = { mergeSha: trusted.sha('f'.repeat(40)) };
      const ended = closed({ closeReason: 'merged', evidence, convoyId: trusted.convoy('hq-cv-00000') });
      expect(judge(ended, { watched: [ended.id] })).toEqual([
        {
          type: 'send_message',
          key: `ended:${ended.id}`,
          message: {
            type: 'bead_ended',
            bead: ended.id,
            convoy: 'hq-cv-00000',
            status: 'closed',
            closeReason: 'merged',
            mergeSha: evidence.mergeSha,
            target: 'main',
            note: '',
          },
        },
      ]);
    });

    it('tells what is known of the end of one that was given up', () => {
      const ended = bead({ status: 'failed', closeReason: null, evidence: { target: 'release', note: 'Five times.' } });
      expect(judge(ended, { watched: [ended.id] })).toEqual([
        {
          type: 'send_message',
          key: 'ended:api-task1',
          message: {
            type: 'bead_ended',
            bead: ended.id,
            convoy: null,
            status: 'failed',
            closeReason: 'failed',
            mergeSha: null,
            target: 'release',
            note: 'Five times.',
          },
        },
      ]);
    });

    it('does not trouble the town with a bead nobody watches', () => {
      expect(judge(closed())).toEqual([]);
    });
  });

  it('resolves what was escalated about a bead that closed, and keeps the question of one that failed', () => {
    const resolve = { type: 'resolve_escalation', causeKey: `bead:${bead().id}`, bead: bead().id };
    expect(judge(closed({ escalated: true }))).toEqual([resolve]);
    expect(judge(bead({ status: 'failed', closeReason: 'attempts_exhausted', escalated: true }))).toEqual([]);
  });

  it('says why of each thing that follows', () => {
    const ended = closed({ escalated: true });
    const view = rigView({
      beads: [ended, mergeRequest(ended)],
      attempts: [attempt(ended)],
      reviews: [review(ended)],
      watched: [ended.id],
      dependents: { [ended.id]: [beadId('waits')] },
    });
    const { decisions } = beadEnded(view, ended.id, NOW);
    expect(decisions.map(({ rule, entity, reason }) => [rule, entity, reason])).toEqual(
      [
        'its attempt has nothing left to do',
        'its source ended',
        'a blocker ended: cancelled',
        'the town waits for its end',
        'what was escalated has ended',
      ].map((reason) => ['bead-ended', 'bead:api-task1', reason]),
    );
  });

  it('says how it ended by its status where no reason is recorded', () => {
    const ended = bead({ status: 'failed', closeReason: null });
    const live = attempt(ended);
    const view = rigView({ beads: [ended], attempts: [live], dependents: { [ended.id]: [beadId('waits')] } });
    const { decisions } = beadEnded(view, ended.id, NOW);
    expect(decisions.map(({ reason }) => reason)).toEqual([
      'its attempt has nothing left to do',
      'a blocker ended: failed',
    ]);
    expect(decisions[0]?.actions).toEqual([expect.objectContaining({ reason: 'The bead ended: failed.' })]);
  });

  it('says of a rework without a result why its merge request waits', () => {
    const source = bead({ status: 'in_review' });
    const failed = bead({ id: beadId('rework'), kind: 'rework', branchOf: source.id, status: 'failed' });
    const view = rigView({
      beads: [source, failed, mergeRequest(source)],
      reviews: [review(source, { step: 'reworking' })],
    });
    expect(beadEnded(view, failed.id, NOW).decisions).toEqual([
      {
        rule: 'bead-ended',
        entity: 'bead:api-rework',
        reason: 'a rework bead ended without a result',
        actions: [
          expect.objectContaining({
            reason: 'The rework api-rework of api-task1 ended as failed. Look at it, then "gt bead retry api-task1".',
          }),
          expect.objectContaining({ type: 'raise_escalation' }),
        ],
      },
    ]);
  });
});

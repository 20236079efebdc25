import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  commit,
  mergeRequest,
  NOW,
  polecat,
  probesOf,
  review,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { candidates, decided } from '../../../test/support/round-table.ts';
import type { JobResult } from '../facts.ts';
import {
  GATE_LOG_CHARS_MAX,
  GATE_TIMEOUT_MS,
  MERGE_STEP_DEADLINE_MS,
  PUSH_GRACE_MS,
  PUSH_RACES_MAX,
  REWORK_ROUNDS_MAX,
} from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { MERGE_STEPS, type MergeStep } from '../model/review.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeStep } from './merge-step.ts';

const source = bead({ status: 'in_review' });
const recorded = { candidateSha: commit(20), targetSha: commit(1), testedTree: 'tree' };
/** Red by itself once before. */
const accused = { ...recorded, suspect: 'alone:api-merge:1:0' };
const red: JobResult = {
  result: 'gates',
  green: false,
  runs: [
    { name: 'lint', exitCode: 0, timedOut: false, durationMs: 1, tail: 'fine' },
    { name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'expected 2, got 3' },
  ],
};
const candidate: JobResult = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) };
const conflict: JobResult = { result: 'conflict', targetSha: commit(1), paths: ['a.ts', 'b.ts'], message: 'details' };
const secret: JobResult = { result: 'refused', code: 'secret_found', message: 'What looks like a key: a.env:3.' };
const lost: JobResult = { result: 'lost_race', targetSha: commit(2) };

interface Case {
  readonly gates?: readonly { name: string; run: string; timeoutMs: number }[];
  readonly over?: Partial<ReviewFacts>;
  readonly of?: Partial<Bead>;
}

function judge(step: MergeStep, result: JobResult | null, { gates, over, of }: Case = {}) {
  const row = review(source, { step, result, stepKey: 'key', position: 0, ...over });
  const view = rigView({
    probes: step === 'gating' ? probesOf(row, result) : [],
    config: rigConfig('api', gates === undefined ? {} : { gates }),
    beads: [{ ...source, ...of }, mergeRequest(source, { status: 'in_progress' })],
    reviews: [row],
    attempts: [attempt(source, { endedAtMs: NOW, agentId: polecat('slit'), processGone: true })],
  });
  return mergeStep(view, row.beadId, NOW);
}
const actions = (...of: Parameters<typeof judge>) => judge(...of).decisions.flatMap((row) => row.actions);

describe('mergeStep', () => {
  it('asks a person, and reworks nothing, when a push is refused for what looks like a key', () => {
    const [step, back, hold, told, ...more] = actions('pushing', secret);
    expect(step).toMatchObject({
      type: 'merge_step',
      toStep: 'queued',
      heldReason: secret.result === 'refused' ? secret.message : '',
    });
    expect(back).toMatchObject({ type: 'transition_bead', to: 'open' });
    expect(hold).toMatchObject({ type: 'hold_bead', hold: 'needs_human', reason: expect.stringContaining('a.env:3') });
    expect(told).toMatchObject({
      type: 'raise_escalation',
      severity: 'high',
      message: expect.stringContaining('secrets_allowed'),
    });
    expect(more).toEqual([]);
  });

  it('knows nothing of what is no merge request', () => {
    expect(mergeStep(rigView({ beads: [source] }), source.id, NOW).decisions).toEqual([]);
  });

  it.each(['queued', 'reworking', 'ended'] as const)('ignores a result at step %s', (step) => {
    for (const result of [candidate, red, lost]) expect(actions(step, result)).toEqual([]);
  });

  it.each(MERGE_STEPS)('ignores a result that does not belong to step %s', (step) => {
    expect(actions(step, { result: 'repo_ready', targetSha: commit(1) })).toEqual([]);
  });

  describe('after the merge', () => {
    it('runs the gates on exactly the candidate, and records it first', () => {
      const gates = [
        { name: 'lint', run: 'lint', timeoutMs: 1_000 },
        { name: 'test', run: 'test', timeoutMs: 2_000 },
      ];
      expect(actions('preparing', candidate, { gates })).toEqual([
        {
          type: 'merge_step',
          mergeRequest: beadId('merge'),
          fromStep: 'preparing',
          toStep: 'gating',
          candidate: { sha: commit(20), tree: 'tree', targetSha: commit(1) },
          job: null,
          position: 0,
          deadlineAtMs: NOW + GATE_TIMEOUT_MS + 3_000,
        },
        expect.objectContaining({
          type: 'order_probes',
          probes: [
            expect.objectContaining({ job: expect.objectContaining({ kind: 'gates', commit: commit(20), gates }) }),
          ],
        }),
      ]);
    });

    it('pushes at once without gates, expecting the target it was made on', () => {
      expect(actions('preparing', candidate, { gates: [] })).toEqual([
        expect.objectContaining({
          fromStep: 'preparing',
          toStep: 'pushing',
          candidate: { sha: commit(20), tree: 'tree', targetSha: commit(1) },
          job: expect.objectContaining({ kind: 'push', candidate: commit(20), expectedOld: commit(1) }),
          deadlineAtMs: NOW + MERGE_STEP_DEADLINE_MS,
        }),
      ]);
    });

    it('makes another job when the same candidate comes again: an old result must not answer it', () => {
      const key = (version: number): unknown =>
        actions('preparing', candidate, { over: { version } }).flatMap((row) =>
          row.type === 'order_probes' ? row.probes.map(({ key: own }) => own) : [],
        )[0];
      expect(key(1)).toBe(key(1));
      expect(key(1)).not.toBe(key(5));
    });

    it('closes both when the head is on the target already, by the commit that brought it (T21)', () => {
      const evidence = { head: commit(10), mergeSha: commit(9), target: 'main' };
      const end = { from: 'in_review', to: 'closed', closeReason: 'merged', evidence };
      expect(actions('preparing', { result: 'already_merged', targetSha: commit(9), mergeSha: commit(9) })).toEqual([
        expect.objectContaining({ type: 'merge_step', toStep: 'ended', mergeSha: commit(9), job: null }),
        { type: 'transition_bead', bead: beadId('merge'), ...end, from: 'in_progress' },
        { type: 'transition_bead', bead: source.id, ...end },
      ]);
    });

    it('orders one rework of the same branch after a conflict, with the paths (T24)', () => {
      expect(actions('preparing', conflict)).toEqual([
        expect.objectContaining({ toStep: 'reworking', job: null, heldReason: 'conflicts with main in a.ts, b.ts' }),
        { type: 'transition_bead', bead: beadId('merge'), from: 'in_progress', to: 'open' },
        expect.objectContaining({
          type: 'create_rework',
          kind: 'conflict',
          preferAgent: polecat('slit'),
          body: expect.stringContaining('- a.ts\n- b.ts'),
        }),
      ]);
    });
  });

  describe('after the gates', () => {
    it('pushes the recorded candidate when all are green', () => {
      expect(actions('gating', { result: 'gates', green: true, runs: [] }, { over: recorded })).toEqual([
        expect.objectContaining({
          fromStep: 'gating',
          toStep: 'pushing',
          job: expect.objectContaining({ kind: 'push', candidate: commit(20), expectedOld: commit(1) }),
        }),
        expect.objectContaining({ type: 'train_learn' }),
      ]);
    });

    it('orders a rework that names the red gate and shows the end of its output', () => {
      const [step, , rework] = actions('gating', red, { over: accused });
      expect(step).toMatchObject({ toStep: 'reworking', heldReason: 'gate test is red' });
      expect(rework).toMatchObject({ kind: 'rework', body: expect.stringContaining('expected 2, got 3') });
    });

    it('says that a gate was stopped, and keeps a bounded tail of it', () => {
      const tail = `start${'x'.repeat(2 * GATE_LOG_CHARS_MAX)}`;
      const runs = [{ name: 'test', exitCode: null, timedOut: true, durationMs: 1, tail }];
      const [step] = actions('gating', { result: 'gates', green: false, runs }, { over: accused });
      if (step?.type !== 'merge_step') throw new Error('no step');
      expect(step.gateLog).toContain('stopped at its time limit');
      expect(step.gateLog).not.toContain('start');
      expect(step.gateLog?.length).toBeLessThan(GATE_LOG_CHARS_MAX + 200);
    });

    it('does not break when no gate reported', () => {
      expect(actions('gating', { result: 'gates', green: false, runs: [] }, { over: accused })[0]).toMatchObject({
        heldReason: 'gate unknown is red',
      });
    });

    it.each([
      [REWORK_ROUNDS_MAX - 1, 'create_rework'],
      [REWORK_ROUNDS_MAX, 'hold_bead'],
      [REWORK_ROUNDS_MAX + 1, 'hold_bead'],
    ])('after %i rounds goes on with %s', (rounds, type) => {
      const list = actions('gating', red, { over: { ...accused, rounds } });
      expect(list[2]?.type).toBe(type);
      expect(list.some((action) => action.type === 'raise_escalation')).toBe(type === 'hold_bead');
    });
  });

  describe('after the push', () => {
    const pushed: JobResult = { result: 'pushed', targetSha: commit(20) };

    it('closes the merge request and its source with the same evidence', () => {
      const list = actions('pushing', pushed, { over: recorded });
      expect(list.filter((action) => action.type === 'transition_bead').map((action) => action.evidence)).toEqual([
        { head: commit(10), mergeSha: commit(20), target: 'main' },
        { head: commit(10), mergeSha: commit(20), target: 'main' },
      ]);
    });

    it('is merged although a cancel came during the push', () => {
      const list = actions('pushing', pushed, { over: recorded, of: { cancelRequestedAtMs: NOW - 1 } });
      expect(list).toContainEqual(expect.objectContaining({ bead: source.id, closeReason: 'merged' }));
    });

    it('leaves a source alone that is not in review', () => {
      const list = actions('pushing', pushed, { over: recorded, of: { status: 'closed', closeReason: 'cancelled' } });
      expect(list.filter((action) => action.type === 'transition_bead')).toHaveLength(1);
    });

    it('does not believe a push without a recorded candidate', () => {
      expect(actions('pushing', pushed)).toEqual([]);
    });

    it('goes back in line after a lost race, at its old place', () => {
      const [step, back, ...rest] = actions('pushing', lost, { over: { ...recorded, races: 2 } });
      expect(step).toMatchObject({ toStep: 'queued', races: 3, job: null });
      expect(step).not.toHaveProperty('requeueAtMs');
      expect(back).toEqual({ type: 'transition_bead', bead: beadId('merge'), from: 'in_progress', to: 'open' });
      expect(rest).toEqual([]);
    });

    it.each([
      [PUSH_RACES_MAX - 1, PUSH_RACES_MAX, undefined],
      [PUSH_RACES_MAX, 0, NOW],
    ])('with %i lost races before has %i after it', (races, after, requeueAtMs) => {
      const [step] = actions('pushing', lost, { over: { ...recorded, races } });
      if (step?.type !== 'merge_step') throw new Error('no step');
      expect([step.races, step.requeueAtMs]).toEqual([after, requeueAtMs]);
    });

    it('keeps a cancel waiting when the push lost: an earlier one may have won, and the next merge knows', () => {
      const list = actions('pushing', lost, { over: recorded, of: { cancelRequestedAtMs: NOW - 1 } });
      expect(list).toEqual(actions('pushing', lost, { over: recorded }));
    });

    it.each([
      ['secret_found', 'what would be pushed looks like a key', 'a.env:3 looks like a key'],
      ['push_refused', 'the git host refused the push', 'the git host refused its push: a.env:3 looks like a key'],
    ])('says who refused it, and what: %s', (code, reason, heldReason) => {
      const result: JobResult = { result: 'refused', code, message: 'a.env:3 looks like a key' };
      const { decisions } = judge('pushing', result, { over: recorded });
      expect(decisions.map((decision) => decision.reason)).toEqual([reason]);
      expect(decisions[0]?.actions).toEqual([
        expect.objectContaining({ type: 'merge_step', toStep: 'queued', heldReason }),
        { type: 'transition_bead', bead: beadId('merge'), from: 'in_progress', to: 'open' },
        expect.objectContaining({ type: 'hold_bead', hold: 'needs_human' }),
        expect.objectContaining({ type: 'raise_escalation', subject: `bead:${source.id}` }),
      ]);
    });

    it('carries it out when the push was refused: then nothing was pushed', () => {
      const refused = { result: 'refused', code: 'secret_found', message: 'a key' } as const;
      const list = actions('pushing', refused, { over: recorded, of: { cancelRequestedAtMs: NOW - 1 } });
      expect(list.at(-1)).toMatchObject({ bead: source.id, from: 'in_review', to: 'closed', closeReason: 'cancelled' });
      expect(list.map(({ type }) => type)).not.toContain('hold_bead');
    });
  });

  describe('without a result', () => {
    const over = { deadlineAtMs: NOW + 10, ...recorded };

    it('gives a push that nobody took up only when no runner can be at it any more', () => {
      const late = { ...over, deadlineAtMs: NOW };
      const told = { escalated: true };
      const at = (step: MergeStep, agoMs: number, request: Partial<Bead> = {}) => {
        const row = review(source, { step, stepKey: 'key', position: 0, ...late, deadlineAtMs: NOW - agoMs });
        const beads = [source, mergeRequest(source, { status: 'in_progress', ...request })];
        return mergeStep(rigView({ beads, reviews: [row], probes: [] }), row.beadId, NOW);
      };
      const types = (...args: Parameters<typeof at>): readonly string[] =>
        at(...args).decisions.flatMap(({ actions }) => actions.map(({ type }) => type));
      expect(types('pushing', 0)).toEqual(['raise_escalation']);
      expect(at('pushing', 0, told)).toEqual({ decisions: [], wakeAtMs: NOW + PUSH_GRACE_MS });
      expect(at('pushing', PUSH_GRACE_MS - 1, told)).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
      expect(types('pushing', PUSH_GRACE_MS, told)).toEqual(['merge_step', 'transition_bead']);
      // A merge goes on being asked for.
      expect(types('preparing', PUSH_GRACE_MS)).toEqual(['raise_escalation']);
      expect(at('preparing', PUSH_GRACE_MS, told)).toEqual({ decisions: [], wakeAtMs: null });
    });

    it('looks again at the deadline of the step', () => {
      expect(judge('gating', null, { over })).toEqual({ decisions: [], wakeAtMs: NOW + 10 });
    });

    it('tells a person at the deadline, once', () => {
      const late = { ...over, deadlineAtMs: NOW };
      expect(actions('gating', null, { over: late })).toEqual([
        expect.objectContaining({ type: 'raise_escalation', causeKey: `bead:${beadId('merge')}` }),
      ]);
      const row = review(source, { step: 'gating', stepKey: 'key', ...late });
      const told = mergeRequest(source, { status: 'in_progress', escalated: true });
      expect(mergeStep(rigView({ beads: [source, told], reviews: [row] }), row.beadId, NOW).decisions).toEqual([]);
    });
  });
});

describe('what a person is told of a step that is overdue', () => {
  const failed = (tries: number, error: string) => ({ tries, error, nextAtMs: NOW + 1 });
  const told = (step: MergeStep, stepKey: string | null, world: Partial<World>): readonly unknown[] => {
    const row = review(source, { step, stepKey, position: 0, deadlineAtMs: NOW });
    const beads = [source, mergeRequest(source, { status: 'in_progress' })];
    const view = rigView({ beads, reviews: [row], ...world });
    return mergeStep(view, row.beadId, NOW).decisions.flatMap((decision) =>
      decision.actions.map((action) => action.type === 'raise_escalation' && action.message),
    );
  };

  it.each(['preparing', 'pushing'] as const)('%s: what its own order met', (step) => {
    const troubles = { key: failed(4, 'could not resolve host'), other: failed(9, 'disk full') };
    expect(told(step, 'key', { troubles })).toEqual([
      `api-merge has been ${step} past its deadline. It was asked for 4 times at /remotes/api.git; the last try failed: could not resolve host.`,
    ]);
  });

  it('gates: what the first of its runs met that met anything', () => {
    const [run] = probesOf(review(source), null);
    if (run === undefined) throw new Error('no run');
    const probes = ['one', 'two', 'three'].map((key) => ({ ...run, key }));
    const troubles = { two: failed(1, 'no runner has docker'), three: failed(2, 'disk full') };
    expect(told('gating', null, { probes, troubles })).toEqual([
      'api-merge has been gating past its deadline. It was asked for once at /remotes/api.git; the last try failed: no runner has docker.',
    ]);
  });

  it('who may be the cause, where no order of it has failed', () => {
    expect(told('preparing', 'key', { troubles: { other: failed(4, 'could not resolve host') } })).toEqual([
      'api-merge has been preparing past its deadline; the runner or its git host does not answer, or refuses.',
    ]);
  });
});

describe('a round', () => {
  const at = (reviews: Readonly<Record<string, Partial<ReviewFacts>>>, sources = {}): string =>
    decided({ step: 'preparing', letters: 'ab', result: candidates(['ab']), reviews, sources });

  it('is decided by its leader alone', () => {
    expect(at({})).toContain('clean merges');
    expect(at({ a: { position: 1 } })).toBe('');
    expect(at({ a: { position: null } })).toContain('clean merges');
  });

  it('waits while one of it ends in this turn, unless that one may have landed', () => {
    expect(at({}, { b: { status: 'closed' } })).toBe('');
    expect(at({ b: { candidateSha: commit(21) } }, { b: { status: 'closed' } })).toContain('clean merges');
  });

  it('decides nothing by an answer to something else, however late it is', () => {
    const result = { result: 'branch_ready', head: commit(1) } as const;
    expect(decided({ step: 'preparing', letters: 'a', result, reviews: { a: { deadlineAtMs: NOW - 1 } } })).toBe('');
  });
});

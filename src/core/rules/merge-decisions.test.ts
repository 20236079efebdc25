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
import type { Decision, RigAction } from '../actions.ts';
import type { GateRun, JobResult } from '../facts.ts';
import {
  GATE_KILLS_MAX,
  GATE_TIMEOUT_MS,
  MERGE_STEP_DEADLINE_MS,
  PUSH_GRACE_MS,
  RETRY_BACKOFF_MS,
  REWORK_ROUNDS_MAX,
} from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { Feature } from '../model/feature.ts';
import { trusted } from '../model/ids.ts';
import type { MergeStep } from '../model/review.ts';
import type { ReviewFacts } from '../view.ts';
import { mergeStep } from './merge-step.ts';

/** Every decision about a merge request, whole: what people read of it and what is done. */

const MERGE = beadId('merge');
const source = bead({ status: 'in_review' });
const learned = (over: object): object => ({
  type: 'train_learn',
  target: 'main',
  seen: { landed: 0, bad: 0, runs: 1, flakes: 0, ...over },
});
const recorded = { candidateSha: commit(20), targetSha: commit(1), testedTree: 'tree' };
/** Red by itself once before. */
const accused = { ...recorded, suspect: 'alone:api-merge:1:0' };
const gate = { name: 'test', run: 'true', timeoutMs: 1_000 };
const run = (over: Partial<GateRun> = {}): GateRun => ({
  name: 'test',
  exitCode: 1,
  timedOut: false,
  durationMs: 1,
  tail: 'expected 2, got 3',
  ...over,
});
const gates = (over: Partial<GateRun> = {}): JobResult => ({ result: 'gates', green: false, runs: [run(over)] });
const candidate: JobResult = { result: 'candidate', candidate: commit(20), tree: 'tree', targetSha: commit(1) };
const lost: JobResult = { result: 'lost_race', targetSha: commit(2) };

interface Given {
  readonly step: MergeStep;
  readonly result: JobResult | null;
  readonly over?: Partial<ReviewFacts>;
  readonly of?: Partial<Bead>;
  readonly world?: Partial<World>;
}

function judge({ step, result, over, of, world }: Given): readonly Decision<RigAction>[] {
  const row = review(source, { step, result, stepKey: 'key', version: 3, position: 0, ...over });
  const view = rigView({
    probes: step === 'gating' ? probesOf(row, result) : [],
    config: rigConfig('api', { gates: [gate] }),
    beads: [{ ...source, ...of }, mergeRequest(source, { status: 'in_progress' })],
    reviews: [row],
    attempts: [attempt(source, { endedAtMs: NOW, agentId: polecat('slit'), processGone: true })],
    ...world,
  });
  return mergeStep(view, row.beadId, NOW).decisions;
}

const one = (reason: string, actions: readonly unknown[]): readonly unknown[] => [
  { rule: 'merge-step', entity: 'bead:api-merge', reason, actions },
];
const repo = { rig: 'api', url: '/remotes/api.git', targetBranch: 'main' };
const back = { type: 'transition_bead', bead: MERGE, from: 'in_progress', to: 'open' };
const step = (fromStep: MergeStep, toStep: MergeStep, more: object = {}): object => ({
  type: 'merge_step',
  mergeRequest: MERGE,
  fromStep,
  toStep,
  job: null,
  ...more,
});
const gatesJob = {
  kind: 'gates',
  key: `gates:api-merge:${commit(20)}:3`,
  repo,
  commit: commit(20),
  gates: [gate],
};
const pushJob = {
  kind: 'push',
  key: `push:api-merge:${commit(20)}:3`,
  repo,
  mergeRequest: MERGE,
  candidate: commit(20),
  expectedOld: commit(1),
  notAfterMs: NOW + MERGE_STEP_DEADLINE_MS,
};
const made = { sha: commit(20), tree: 'tree', targetSha: commit(1) };
const asked = (message: string): readonly object[] => [
  { type: 'hold_bead', bead: MERGE, hold: 'needs_human', reason: message },
  {
    type: 'raise_escalation',
    causeKey: 'bead:api-task1',
    severity: 'high',
    category: 'merge',
    subject: 'bead:api-task1',
    message,
  },
];

describe('what is decided after a merge', () => {
  it('a clean one goes on to its gates', () => {
    expect(judge({ step: 'preparing', result: candidate })).toEqual(
      one('clean merge; gates run on its tree', [
        step('preparing', 'gating', {
          deadlineAtMs: NOW + GATE_TIMEOUT_MS + 1_000,
          position: 0,
          candidate: made,
        }),
        {
          type: 'order_probes',
          leader: MERGE,
          probes: [
            {
              key: gatesJob.key,
              entries: [{ mergeRequest: MERGE, candidate: commit(20), tree: 'tree' }],
              targetSha: commit(1),
              commit: commit(20),
              tree: 'tree',
              job: gatesJob,
            },
          ],
        },
      ]),
    );
  });

  it('a clean one without gates is pushed', () => {
    const world = { config: rigConfig('api', { gates: [] }) };
    expect(judge({ step: 'preparing', result: candidate, world })).toEqual(
      one('clean merge and no gates', [
        step('preparing', 'pushing', {
          job: pushJob,
          deadlineAtMs: NOW + MERGE_STEP_DEADLINE_MS,
          candidate: made,
          position: 0,
          suspect: null,
        }),
      ]),
    );
  });

  it('a push that was refused before stays a suspect until it arrives', () => {
    const world = { config: rigConfig('api', { gates: [] }) };
    const [decision] = judge({ step: 'preparing', result: candidate, world, over: { suspect: 'push:a' } });
    expect(decision?.actions).toMatchObject([{ toStep: 'pushing', suspect: 'push:a' }]);
  });

  it('more lists than a runner tests at once have the time to wait for each other', () => {
    const lists = (count: number): JobResult => ({
      ...candidate,
      targetTree: 'below',
      made: Array.from({ length: count }, (_, list) => ({
        list,
        entries: [{ mergeRequest: MERGE, candidate: commit(20 + list), tree: `tree ${String(list)}` }],
      })),
    });
    const config = rigConfig('api', { gates: [gate], merging: { batch: 8, lanes: 16, style: 'merge' } });
    const deadline = (count: number): unknown =>
      judge({ step: 'preparing', result: lists(count), world: { config } })[0]?.actions.flatMap((action) =>
        action.type === 'merge_step' ? [action.deadlineAtMs] : [],
      )[0];
    expect([1, 4, 5, 16].map(deadline)).toEqual([1, 1, 2, 4].map((waves) => NOW + GATE_TIMEOUT_MS + waves * 1_000));
  });

  it('one that was there already is merged', () => {
    const result: JobResult = { result: 'already_merged', targetSha: commit(9), mergeSha: commit(9) };
    const evidence = { head: commit(10), mergeSha: commit(9), target: 'main' };
    const end = { to: 'closed', closeReason: 'merged', evidence };
    expect(judge({ step: 'preparing', result })).toEqual(
      one('the head is an ancestor of the target already', [
        step('preparing', 'ended', { mergeSha: commit(9), heldReason: null }),
        { type: 'transition_bead', bead: MERGE, from: 'in_progress', ...end },
        { type: 'transition_bead', bead: source.id, from: 'in_review', ...end },
      ]),
    );
  });

  it('a conflict is given to the branch, with both places and what to do', () => {
    const result: JobResult = { result: 'conflict', targetSha: commit(1), paths: ['a.ts', 'b.ts'], message: 'details' };
    expect(judge({ step: 'preparing', result })).toEqual(
      one('conflicts with main in a.ts, b.ts', [
        step('preparing', 'reworking', { candidate: null, heldReason: 'conflicts with main in a.ts, b.ts' }),
        back,
        {
          type: 'create_rework',
          mergeRequest: MERGE,
          kind: 'conflict',
          title: 'Resolve the conflict with main',
          body: `gt/api-task1 and main (at ${commit(1)}) changed the same places:\n\n- a.ts\n- b.ts\n\nMerge ${commit(1)} into the branch, keep both changes, then call "gt done".\n\ndetails`,
          notBeforeMs: 0,
          preferAgent: polecat('slit'),
        },
      ]),
    );
  });

  it('a cancel that waited for the push is carried out before another one', () => {
    expect(judge({ step: 'preparing', result: candidate, of: { cancelRequestedAtMs: NOW - 1 } })).toEqual(
      one('cancelled, and its push had not arrived', [
        step('preparing', 'queued', { candidate: null }),
        back,
        {
          type: 'transition_bead',
          bead: source.id,
          from: 'in_review',
          to: 'closed',
          closeReason: 'cancelled',
          evidence: { note: 'cancelled while its push was under way; the push lost' },
        },
      ]),
    );
  });

  it('nothing, when its bead ended in this turn: it leaves the round instead of going on', () => {
    const green: JobResult = { result: 'gates', green: true, runs: [] };
    const of = { status: 'closed', closeReason: 'cancelled' } as const;
    expect(judge({ step: 'gating', result: green, over: recorded, of })).toEqual([]);
    expect(judge({ step: 'preparing', result: candidate, of })).toEqual([]);
    // Its push is on the way: git decides.
    const pushed: JobResult = { result: 'pushed', targetSha: commit(20) };
    expect(judge({ step: 'pushing', result: pushed, over: recorded, of })).toHaveLength(1);
  });

  it('a bead that is gone asks for no cancel', () => {
    const world = { beads: [mergeRequest(source, { status: 'in_progress' })] };
    expect(judge({ step: 'preparing', result: candidate, world })[0]?.reason).toBe(
      'clean merge; gates run on its tree',
    );
  });

  describe('whose target is lost', () => {
    const refused: JobResult = { result: 'refused', code: 'target_lost', message: 'Somebody rewrote it.' };
    const waits = [step('preparing', 'queued', { heldReason: 'Somebody rewrote it.' }), back];
    const feature = (state: Feature['state']): Feature => ({
      branch: 'main',
      convoyId: trusted.convoy('hq-cv-00000'),
      state,
      headSha: commit(4),
      stepKey: null,
      reason: null,
      retryAtMs: null,
      escalated: false,
      version: 1,
    });

    it.each<[string, readonly Feature[], readonly object[]]>([
      ['an ordinary branch', [], []],
      [
        'a feature branch',
        [feature('ready')],
        [
          {
            type: 'feature_step',
            branch: 'main',
            from: 'ready',
            to: 'lost',
            job: null,
            reason: 'Somebody rewrote it.',
          },
        ],
      ],
      ['a feature branch that is known to be lost', [feature('lost')], []],
    ])('waits in line for %s', (_case, features, more) => {
      expect(judge({ step: 'preparing', result: refused, world: { features } })).toEqual(
        one("main can't be merged into: Somebody rewrote it.", [...waits, ...more]),
      );
    });
  });
});

describe('what is decided after the gates', () => {
  it('green ones let the candidate be pushed, and forget how they failed before', () => {
    const result: JobResult = { result: 'gates', green: true, runs: [] };
    expect(judge({ step: 'gating', result, over: recorded })).toEqual(
      one('all gates are green on the combined tree', [
        step('gating', 'pushing', {
          job: pushJob,
          deadlineAtMs: NOW + MERGE_STEP_DEADLINE_MS,
          candidate: made,
          position: 0,
          suspect: null,
          gateSignature: null,
          gateKills: 0,
        }),
        learned({ landed: 1 }),
      ]),
    );
  });

  it('green ones of a round that waits for no run push nothing', () => {
    const result: JobResult = { result: 'gates', green: true, runs: [] };
    expect(judge({ step: 'gating', result, over: recorded, world: { probes: [] } })).toEqual([]);
  });

  it('a red one is run again by itself before anybody is blamed', () => {
    expect(judge({ step: 'gating', result: gates(), over: recorded })).toEqual(
      one('nothing can land yet; what is suspected is tested apart', [
        step('gating', 'queued', {
          heldReason: 'was red by itself; it is run again before it is given back',
          suspect: 'alone:api-merge:3:0',
        }),
        back,
        learned({}),
      ]),
    );
  });

  it('one that is green then is merged, and marked as flaky', () => {
    const result: JobResult = { result: 'gates', green: true, runs: [] };
    const [decision] = judge({ step: 'gating', result, over: { ...accused, flakes: 1 } });
    expect(decision?.actions[0]).toMatchObject({ toStep: 'pushing', flakes: 2 });
    expect(decision?.actions[1]).toEqual(learned({ landed: 1, flakes: 1 }));
  });

  const log = 'It ended with exit code 1. The end of its output:\n\nexpected 2, got 3';
  const [signature] = judge({ step: 'gating', result: gates(), over: accused }).flatMap(({ actions }) =>
    actions.flatMap((action) => (action.type === 'merge_step' ? [action.gateSignature ?? ''] : [])),
  );
  const red = step('gating', 'reworking', {
    candidate: null,
    heldReason: 'gate test is red',
    gateLog: log,
    gateSignature: signature,
    gateKills: 0,
  });

  it.each([
    [0, 0],
    [1, NOW + (RETRY_BACKOFF_MS[0] ?? 0)],
    [2, NOW + (RETRY_BACKOFF_MS[1] ?? 0)],
  ])('a red one after %i rounds is given to the branch', (rounds, notBeforeMs) => {
    expect(judge({ step: 'gating', result: gates(), over: { ...accused, rounds } })).toEqual(
      one('gate test is red', [
        red,
        back,
        {
          type: 'create_rework',
          mergeRequest: MERGE,
          kind: 'rework',
          title: 'Make the gate "test" green',
          body: `The gate "test" failed on the result of merging gt/api-task1 into main, twice, while main by itself passed.\n\n${log}`,
          notBeforeMs,
          preferAgent: polecat('slit'),
        },
        learned({ bad: 1 }),
      ]),
    );
  });

  it('a red one after too many rounds asks a person', () => {
    expect(judge({ step: 'gating', result: gates(), over: { ...accused, rounds: REWORK_ROUNDS_MAX } })).toEqual(
      one('the rework rounds are used up', [
        red,
        back,
        ...asked(
          'api-task1 was reworked 5 times and still gate test is red. Look at it, then "gt bead retry api-task1".',
        ),
        learned({ bad: 1 }),
      ]),
    );
  });

  it('the same failure twice asks a person at once', () => {
    const over = { ...accused, rounds: 1, gateSignature: signature ?? null };
    expect(judge({ step: 'gating', result: gates(), over })).toEqual(
      one('the same gate failed twice in the same way', [
        red,
        back,
        ...asked(
          'api-task1 was reworked and its gate test is red in the same way as before. Look at it, then "gt bead retry api-task1".',
        ),
        learned({ bad: 1 }),
      ]),
    );
  });

  it.each([
    [1, '1 time'],
    [REWORK_ROUNDS_MAX, '5 times'],
  ])('a landing is given up after %i rounds that ended the same way', (rounds, times) => {
    const why = `it was reworked ${times} and still gate test is red`;
    const over = { ...accused, rounds, gateSignature: signature ?? null };
    const end = { to: 'failed', closeReason: 'merge_failed', evidence: { note: why } };
    expect(judge({ step: 'gating', result: gates(), over, of: { kind: 'landing' } })).toEqual(
      one(`this landing is given up: ${why}`, [
        step('gating', 'ended', { heldReason: why }),
        { type: 'transition_bead', bead: MERGE, from: 'in_progress', ...end },
        { type: 'transition_bead', bead: source.id, from: 'in_review', ...end },
        learned({ bad: 1 }),
      ]),
    );
  });

  it('a person is asked also about a bead that is gone', () => {
    const world = { beads: [mergeRequest(source, { status: 'in_progress' })] };
    const over = { ...accused, rounds: REWORK_ROUNDS_MAX };
    expect(judge({ step: 'gating', result: gates(), over, world })[0]?.reason).toBe('the rework rounds are used up');
  });

  it('a landing without its merge request is not given up', () => {
    const world = { beads: [{ ...source, kind: 'landing' as const }] };
    const over = { ...accused, rounds: REWORK_ROUNDS_MAX };
    expect(judge({ step: 'gating', result: gates(), over, world })[0]?.actions).toEqual([learned({ bad: 1 })]);
  });

  describe('that something else ended', () => {
    const killed = gates({ exitCode: null, killedBy: 'SIGKILL' });
    const again = (gateKills: number): readonly unknown[] =>
      one('gate test was ended by SIGKILL, which says nothing about the work; it runs again', [
        step('gating', 'gating', { gateKills }),
        { type: 'repeat_probe', key: 'gates:api-merge', job: gatesJob },
      ]);
    const message =
      'The gate test was ended by SIGKILL 3 times on api-task1: out of memory, or stopped by somebody. Its work is not blamed. When the machine is well: "gt bead retry api-task1".';

    it('they run again', () => {
      expect(judge({ step: 'gating', result: killed, over: recorded })).toEqual(again(1));
      expect(judge({ step: 'gating', result: killed, over: { ...recorded, gateKills: GATE_KILLS_MAX - 2 } })).toEqual(
        again(GATE_KILLS_MAX - 1),
      );
    });

    it('a person is asked when that happens too often', () => {
      expect(judge({ step: 'gating', result: killed, over: { ...recorded, gateKills: GATE_KILLS_MAX - 1 } })).toEqual(
        one('gate test was ended by SIGKILL too often', [
          step('gating', 'queued', { heldReason: 'gate test was ended by SIGKILL', gateKills: 0 }),
          back,
          ...asked(message),
        ]),
      );
    });
  });
});

describe('what is decided after a push', () => {
  it('a taken one is merged', () => {
    const evidence = { head: commit(10), mergeSha: commit(20), target: 'main' };
    const end = { to: 'closed', closeReason: 'merged', evidence };
    expect(judge({ step: 'pushing', result: { result: 'pushed', targetSha: commit(20) }, over: recorded })).toEqual(
      one('the target has the tested commit', [
        step('pushing', 'ended', { mergeSha: commit(20), heldReason: null }),
        { type: 'transition_bead', bead: MERGE, from: 'in_progress', ...end },
        { type: 'transition_bead', bead: source.id, from: 'in_review', ...end },
      ]),
    );
  });

  it.each<[string, Partial<World>]>([
    ['is not in review', { beads: [bead({ status: 'closed' }), mergeRequest(source, { status: 'in_progress' })] }],
    ['is gone', { beads: [mergeRequest(source, { status: 'in_progress' })] }],
  ])('a taken one closes its merge request alone when the bead %s', (_case, world) => {
    const pushed: JobResult = { result: 'pushed', targetSha: commit(20) };
    const [decision] = judge({ step: 'pushing', result: pushed, over: recorded, world });
    expect(decision?.actions).toEqual([
      step('pushing', 'ended', { mergeSha: commit(20), heldReason: null }),
      expect.objectContaining({ type: 'transition_bead', bead: MERGE, to: 'closed' }),
    ]);
  });

  it('a lost race goes back in line', () => {
    const queued = step('pushing', 'queued', {
      candidate: null,
      races: 1,
      heldReason: 'somebody else pushed to the target first',
    });
    const decided = one('lost the push race; the target moved', [queued, back]);
    expect(judge({ step: 'pushing', result: lost, over: recorded })).toEqual(decided);
    const world = { beads: [mergeRequest(source, { status: 'in_progress' })] };
    expect(judge({ step: 'pushing', result: lost, over: recorded, world })).toEqual(decided);
  });
});

describe('what is decided at the deadline of a step', () => {
  const late = { ...recorded, deadlineAtMs: NOW };
  const tell = (at: MergeStep): object => ({
    type: 'raise_escalation',
    causeKey: 'bead:api-merge',
    severity: 'high',
    category: 'merge',
    subject: 'bead:api-merge',
    message: `api-merge has been ${at} past its deadline; the runner or its git host does not answer, or refuses.`,
  });
  const requeued = step('pushing', 'queued', {
    heldReason: 'its push was not taken before the deadline',
    requeueAtMs: NOW,
    suspect: 'push:api-merge:3',
  });

  it('a merge and gates go on being asked for, and a person is told', () => {
    expect(judge({ step: 'gating', result: null, over: late })).toEqual(one('the step is overdue', [tell('gating')]));
  });

  /** No runner can be at it any more. */
  const givenUp = { ...late, deadlineAtMs: NOW - PUSH_GRACE_MS };

  it('a push is told too, and waits until no runner can be at it', () => {
    expect(judge({ step: 'pushing', result: null, over: late })).toEqual(one('the step is overdue', [tell('pushing')]));
    const told = { beads: [source, mergeRequest(source, { status: 'in_progress', escalated: true })] };
    expect(judge({ step: 'pushing', result: null, over: late, world: told })).toEqual([]);
  });

  it('a push makes room for others then', () => {
    expect(judge({ step: 'pushing', result: null, over: givenUp })).toEqual(
      one('the step is overdue', [requeued, back, tell('pushing')]),
    );
  });

  it('a push makes room although a person knows already', () => {
    const world = { beads: [source, mergeRequest(source, { status: 'in_progress', escalated: true })] };
    expect(judge({ step: 'pushing', result: null, over: givenUp, world })).toEqual(
      one('the step is overdue', [requeued, back]),
    );
  });

  it.each([
    ['it has no deadline', { deadlineAtMs: null }],
    ['its bead is gone', {}],
  ])('nothing when %s', (_case, over) => {
    const world = _case === 'its bead is gone' ? { beads: [source] } : {};
    expect(judge({ step: 'gating', result: null, over: { ...late, ...over }, world })).toEqual([]);
  });
});

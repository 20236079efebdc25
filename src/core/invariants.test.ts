import { describe, expect, it } from 'vitest';
import {
  agent,
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  mergeRequest,
  NOW,
  polecat,
  review,
} from '../../test/support/rig-view-builder.ts';
import type { Agent } from './model/agent.ts';
import { trusted } from './model/ids.ts';
import { checkRig, type InvariantFacts } from './invariants.ts';
import type { PullRecord } from './pull/invariants.ts';
import type { AttemptFacts, ReviewFacts } from './view.ts';

const REST: InvariantFacts = {
  beads: [],
  attempts: [],
  agents: [],
  reviews: [],
  probedLeaders: [],
  blockerCounts: new Map(),
  mergedWithoutCommit: [],
  beadCounts: [],
  archivedInUse: [],
  polecatsMax: 4,
  breakers: [],
  resyncDueAtMs: null,
  lostEffects: [],
  pendingEvents: 0,
  pendingEffects: 0,
  duplicateEpochs: [],
  mailExpiresAtMs: null,
  mailDueAtMs: null,
  unreadableBeads: 0,
  pulls: [],
  money: [],
};

const task = bead({ status: 'in_progress' });
const worker = agent('nux', { status: 'working', hookBeadId: task.id, epoch: 1 });
/** A task that is worked on, with nothing wrong. */
const BUSY: InvariantFacts = {
  ...REST,
  beads: [task],
  attempts: [attempt(task)],
  agents: [worker],
  resyncDueAtMs: NOW + 1,
};

const said = (facts: InvariantFacts): string[] =>
  checkRig(facts, NOW).map((violation) => `${violation.code} ${violation.text}`);
const saidOf = (over: Partial<InvariantFacts>): string[] => said({ ...BUSY, ...over });

describe('the invariants of a rig', () => {
  it('hold at rest and at work', () => {
    expect(said(REST)).toEqual([]);
    expect(said(BUSY)).toEqual([]);
  });

  describe('attempts', () => {
    const second = attempt(task, { epoch: 2, agentId: polecat('slit') });
    const other = attempt(bead({ id: beadId('task2') }), { epoch: 3 });

    it('I1: one that lives per bead, I13: one process per branch', () => {
      expect(saidOf({ attempts: [attempt(task), second] })).toEqual([
        'I1 api-task1 has more than one live attempt',
        'I13 more than one process may work on the branch of api-task1',
      ]);
      expect(saidOf({ attempts: [attempt(task), other] })).toEqual([]);
    });

    it('I13: an attempt that ended holds its branch until its process is proven gone', () => {
      const ended = attempt(task, { epoch: 0, endedAtMs: NOW });
      expect(saidOf({ attempts: [attempt(task), ended] })).toEqual([
        'I13 more than one process may work on the branch of api-task1',
      ]);
      expect(saidOf({ attempts: [attempt(task), { ...ended, processGone: true }] })).toEqual([]);
    });

    it('I24: no more than the cap while one of them starts; a cap lowered under working agents is no violation', () => {
      const starting = agent('slit', { status: 'starting', hookBeadId: other.beadId, epoch: 3 });
      const its = { ...other, agentId: polecat('slit') };
      const two = { attempts: [attempt(task), its], agents: [worker, starting], polecatsMax: 1 };
      expect(saidOf(two)).toEqual(['I24 2 attempts hold slots; 1 are allowed']);
      expect(saidOf({ ...two, polecatsMax: 2 })).toEqual([]);
      expect(saidOf({ ...two, polecatsMax: 0 })).toEqual([]);
      expect(saidOf({ ...two, agents: [worker, { ...starting, status: 'working' }] })).toEqual([]);
    });

    it('I10: an epoch is given once', () => {
      expect(saidOf({ duplicateEpochs: [7] })).toEqual(['I10 epoch 7 was given twice']);
    });
  });

  describe('agents', () => {
    const agents = (...rows: readonly Agent[]): string[] => saidOf({ agents: rows });

    it('I2: a bead is on one hook', () => {
      const idle = agent('slit', { hookBeadId: task.id });
      expect(agents(worker, idle)).toEqual(['I2 api-task1 is on more than one hook']);
      expect(agents(worker, agent('slit'), agent('rust'))).toEqual([]);
    });

    it.each(['working', 'starting'] as const)(
      'I3: one that is %s has a hook, and its attempt with its epoch',
      (status) => {
        expect(agents({ ...worker, status, hookBeadId: null })).toEqual([
          `I3 api/polecats/nux is ${status} without a hook`,
        ]);
        expect(agents({ ...worker, status, id: polecat('slit') })).toEqual([
          `I3 api/polecats/slit is ${status} without a live attempt`,
        ]);
        expect(agents({ ...worker, status, epoch: 2 })).toEqual([
          'I3 api/polecats/nux is hooked to api-task1 at epoch 2, its attempt says api-task1 at 1',
        ]);
        expect(agents({ ...worker, status, hookBeadId: beadId('task9') })).toEqual([
          'I3 api/polecats/nux is hooked to api-task9 at epoch 1, its attempt says api-task1 at 1',
        ]);
      },
    );

    it('I3: an attempt that ended does not count', () => {
      const past = attempt(task, { epoch: 0, endedAtMs: NOW, processGone: true });
      const live = attempt(bead({ id: beadId('task2') }), { agentId: polecat('slit') });
      expect(saidOf({ beads: [], attempts: [past, live] })).toEqual([
        'I3 api/polecats/nux is working without a live attempt',
      ]);
    });

    it('I3: asks nothing of other roles and other states', () => {
      const loose = { ...worker, hookBeadId: null };
      expect(
        agents({ ...loose, role: 'crew' }, { ...loose, status: 'idle' }, { ...loose, status: 'stopping' }),
      ).toEqual([]);
    });
  });

  describe('beads', () => {
    it('I6: count their blockers as the rows do', () => {
      const waiting = bead({ id: beadId('task2'), openBlockers: 2, failedBlockers: 1 });
      const rows = (open: number, failed: number): string[] =>
        saidOf({ beads: [task, waiting], blockerCounts: new Map([[waiting.id, { open, failed }]]) });
      expect(rows(2, 1)).toEqual([]);
      expect(rows(1, 1)).toEqual(['I6 api-task2 counts 2 open and 1 failed blockers; the rows say 1 and 1']);
      expect(rows(2, 0)).toEqual(['I6 api-task2 counts 2 open and 1 failed blockers; the rows say 2 and 0']);
      expect(saidOf({ beads: [task, waiting] })).toEqual([
        'I6 api-task2 counts 2 open and 1 failed blockers; the rows say 0 and 0',
      ]);
    });

    it('I4: in progress means a live attempt of this bead', () => {
      const says = ['I4 api-task1 is in progress without a live attempt'];
      expect(saidOf({ attempts: [], agents: [] })).toEqual(says);
      const ended = attempt(task, { endedAtMs: NOW, processGone: true });
      const other = attempt(bead({ id: beadId('task2') }), { epoch: 2 });
      expect(saidOf({ attempts: [ended, other], agents: [] })).toEqual(says);
      expect(saidOf({ beads: [{ ...task, status: 'open' }], attempts: [], agents: [] })).toEqual([]);
    });

    it('I5: in review means a merge request that has not ended, or an event that is still to be applied', () => {
      const reviewed = bead({ status: 'in_review' });
      const of = (over: Partial<InvariantFacts>): string[] =>
        saidOf({ beads: [reviewed], attempts: [], agents: [], ...over });
      const says = ['I5 api-task1 is in review without a merge request that has not ended'];
      expect(of({})).toEqual(says);
      expect(of({ pendingEvents: 1 })).toEqual([]);
      expect(of({ reviews: [review(reviewed)], beads: [reviewed, mergeRequest(reviewed)] })).toEqual([]);
      const foreign = bead({ id: beadId('task2') });
      expect(of({ reviews: [review(foreign)], beads: [reviewed, mergeRequest(foreign)] })).toEqual(says);
    });

    it('I4 and I5 are about work, not about merge requests', () => {
      const requests = [
        mergeRequest(task, { status: 'in_review' }),
        mergeRequest(task, { id: beadId('merge2'), status: 'in_progress' }),
      ];
      expect(saidOf({ beads: [task, ...requests] })).toEqual([]);
    });

    it('I27: are as many as is counted', () => {
      const row = { what: 'issue open', counted: 2, found: 2 };
      expect(saidOf({ beadCounts: [row] })).toEqual([]);
      expect(saidOf({ beadCounts: [{ ...row, found: 1 }] })).toEqual(['I27 issue open: counted 2, there are 1']);
    });

    it('I33: refer to nothing that is archived', () => {
      expect(saidOf({ archivedInUse: ['api-a waits for api-b'] })).toEqual([
        'I33 api-a waits for api-b, which is archived',
      ]);
    });

    it('I9: closed as merged names its commit', () => {
      expect(saidOf({ mergedWithoutCommit: ['api-task3'] })).toEqual([
        'I9 api-task3 is closed as merged without a commit',
      ]);
    });
  });

  describe('merge requests', () => {
    const source = bead({ status: 'in_review' });
    const at = (over: Partial<ReviewFacts>): ReviewFacts =>
      review(source, { stepKey: 'key', deadlineAtMs: NOW, candidateSha: trusted.sha('c'.repeat(40)), ...over });
    const of = (rows: readonly ReviewFacts[], status: 'open' | 'in_progress' = 'in_progress'): string[] =>
      saidOf({
        beads: [source, ...rows.map((row) => mergeRequest(source, { id: row.beadId, status }))],
        attempts: [],
        agents: [],
        reviews: rows,
        probedLeaders: rows.map((row) => row.beadId),
      });

    it.each(['preparing', 'gating', 'pushing'] as const)(
      'I11: at step %s are in progress, with a deadline and an effect',
      (step) => {
        expect(of([at({ step })])).toEqual([]);
        expect(of([at({ step })], 'open')).toEqual([`I11 api-merge is at step ${step} but its bead is open`]);
        const says = [`I11 api-merge is at step ${step} without a deadline or an effect`];
        expect(of([at({ step, deadlineAtMs: null })])).toEqual(says);
        if (step !== 'gating') expect(of([at({ step, stepKey: null })])).toEqual(says);
      },
    );

    it('I11: that are proposed have no step of ours under way, as other pull requests do', () => {
      const pull = { strategy: 'pr', deadlineAtMs: null, stepKey: null } as const;
      const codes = (step: ReviewFacts['step']): readonly string[] =>
        of([at({ step, ...pull })]).filter((text) => text.startsWith('I11'));
      expect(codes('proposed')).toEqual([]);
      expect(codes('checking')).toEqual(['I11 api-merge is at step checking without a deadline or an effect']);
    });

    it('I11: at their gates wait for a run of them', () => {
      const row = at({ step: 'gating', stepKey: null });
      expect(of([row])).toEqual([]);
      const beads = [source, mergeRequest(source, { id: row.beadId, status: 'in_progress' })];
      expect(saidOf({ beads, attempts: [], agents: [], reviews: [row] })).toEqual([
        'I11 api-merge is at step gating without a deadline or an effect',
      ]);
    });

    it('I12: a round is whole, at one step, with one leader', () => {
      const rider = (over: Partial<ReviewFacts>): ReviewFacts =>
        at({ beadId: beadId('merge2'), stepKey: null, position: 1, step: 'gating', ...over });
      const leader = at({ step: 'gating', position: 0 });
      expect(of([leader, rider({})])).toEqual([]);
      expect(of([rider({}), leader])).toEqual([]);
      expect(of([leader, rider({ position: 2 })])).toEqual(['I12 the round of main has the places 0, 2']);
      expect(of([rider({})])).toEqual(['I12 the round of main has the places 1']);
      expect(of([leader, rider({ step: 'pushing' })])).toEqual(['I12 the round of main is at more than one step']);
    });

    it('I11: in the line are not in progress, and need neither deadline nor effect', () => {
      const queued = at({ step: 'queued', stepKey: null, deadlineAtMs: null, candidateSha: null });
      expect(of([queued], 'open')).toEqual([]);
      expect(of([queued])).toEqual(['I11 api-merge is at step queued but its bead is in_progress']);
    });

    it('I11: live no longer than their bead', () => {
      const row = at({ step: 'gating' });
      const probedLeaders = [row.beadId];
      expect(saidOf({ beads: [source], attempts: [], agents: [], reviews: [row], probedLeaders })).toEqual([
        'I11 api-merge is at step gating but its bead is terminal',
      ]);
    });

    it('I12: one works on a target at a time', () => {
      const second = at({ beadId: beadId('merge2'), step: 'gating' });
      expect(of([at({ step: 'gating' }), second])).toEqual(['I12 more than one merge step works on main']);
      expect(of([at({ step: 'pushing' }), { ...second, targetBranch: 'next' }])).toEqual([]);
    });

    it('I9: a push is preceded by a recorded candidate', () => {
      expect(of([at({ step: 'pushing', candidateSha: null })])).toEqual([
        'I9 api-merge is being pushed without a recorded candidate',
      ]);
      expect(of([at({ step: 'gating', candidateSha: null })])).toEqual([]);
    });
  });

  describe('mail, effects and timers', () => {
    it('I19: somebody looks when unread mail expires', () => {
      const says = ['I19 unread mail expires and nobody looks'];
      expect(saidOf({ mailExpiresAtMs: NOW, mailDueAtMs: NOW })).toEqual([]);
      expect(saidOf({ mailExpiresAtMs: NOW, mailDueAtMs: NOW - 1 })).toEqual([]);
      expect(saidOf({ mailExpiresAtMs: NOW, mailDueAtMs: NOW + 1 })).toEqual(says);
      expect(saidOf({ mailExpiresAtMs: NOW })).toEqual(says);
      expect(saidOf({ mailDueAtMs: NOW })).toEqual([]);
    });

    it('I34, I35, I21: what pull requests and sums of money are found to break is said with the rest', () => {
      const pull: PullRecord = {
        beadId: 'api-merge',
        branch: 'gt/api-task1',
        strategy: 'pr',
        step: 'proposed',
        hasProposal: true,
        number: 7,
        lookAtMs: null,
      };
      const money = [{ code: 'I21', text: 'town:usd:hard counts 2 and has 1' }];
      expect(saidOf({ pulls: [pull], money })).toEqual([
        'I35 nobody looks at the pull request #7 of api-merge',
        'I21 town:usd:hard counts 2 and has 1',
      ]);
    });

    it('I16: an effect comes back', () => {
      expect(saidOf({ lostEffects: ['start/1'] })).toEqual(['I16 the effect start/1 has no moment to come back']);
    });

    it('I22: a breaker that counts has a moment to try again', () => {
      const breaker = { ...CLOSED_BREAKER, failures: 1 };
      const other = { ...breaker, scope: 'runtime:command' as const };
      expect(saidOf({ breakers: [breaker, other] })).toEqual([
        'I22 the breaker dispatch has no retry time',
        'I22 the breaker runtime:command has no retry time',
      ]);
      expect(saidOf({ breakers: [{ ...breaker, retryAtMs: 1 }, other] })).toHaveLength(1);
      expect(saidOf({ breakers: [{ ...CLOSED_BREAKER, retryAtMs: 0 }] })).toEqual([]);
    });

    it.each([
      ['a bead', { beads: [bead()] }],
      ['an attempt', { attempts: [attempt(task)] as readonly AttemptFacts[] }],
      ['an unreadable bead', { unreadableBeads: 1 }],
      ['an effect', { pendingEffects: 1 }],
    ])('I11: the safety net is armed while there is %s', (_what, over) => {
      expect(said({ ...REST, ...over })).toEqual(['I11 there is work but the safety net is not armed']);
      expect(said({ ...REST, ...over, resyncDueAtMs: NOW + 1 })).toEqual([]);
    });

    it('I25: no timer without life, but one that is due may still be on its way', () => {
      expect(said({ ...REST, resyncDueAtMs: NOW + 1 })).toEqual(['I25 nothing is alive but a timer is set']);
      expect(said({ ...REST, resyncDueAtMs: NOW })).toEqual([]);
    });
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agent,
  attempt,
  bead,
  beadId,
  commit,
  exitRecord,
  mergeRequest,
  NOW,
  review,
  rigView,
} from '../../../test/support/rig-view-builder.ts';
import type { JobResult } from '../facts.ts';
import { AGENT_STATUSES, OUTCOMES } from '../model/agent.ts';
import { BEAD_STATUSES, CLOSE_REASONS } from '../model/bead.ts';
import { MERGE_STEPS } from '../model/review.ts';
import { agentRef, attemptEntity, beadRef, SCHEDULE, trainRef } from '../refs.ts';
import { AGENT_TRANSITIONS, allows, beadTransitions } from '../transitions.ts';
import type { ClaimState, RigView } from '../view.ts';
import { reconcileRig, RIG_RULES } from './index.ts';

const CLAIMS: readonly (ClaimState | null)[] = [
  null,
  { state: 'recorded', kind: 'done' },
  { state: 'recorded', kind: 'no_change' },
  { state: 'verifying', kind: 'done' },
  { state: 'verified', kind: 'done' },
  { state: 'promoted', kind: 'done' },
  { state: 'refused', kind: 'done', code: 'x', message: 'y' },
];
const RESULTS: readonly (JobResult | null)[] = [
  null,
  { result: 'candidate', candidate: commit(2), tree: 't', targetSha: commit(1) },
  { result: 'conflict', targetSha: commit(1), paths: ['a'], message: '' },
  { result: 'already_merged', targetSha: commit(1), mergeSha: commit(1) },
  { result: 'gates', green: true, runs: [] },
  { result: 'gates', green: false, runs: [] },
  { result: 'pushed', targetSha: commit(2) },
  { result: 'lost_race', targetSha: null },
];
const NEVER_IN_REVIEW = BEAD_STATUSES.filter((status) => status !== 'in_review');
const CAUSES = ['exited', 'stopped', 'wall_clock', 'runner_lost', 'spawn_failed', 'refused'] as const;
const pick = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Any world of one lineage, reachable or not: rules must hold on all of them. */
const world: fc.Arbitrary<RigView> = fc
  .record({
    task: fc.record({
      status: pick(BEAD_STATUSES),
      closeReason: pick([...CLOSE_REASONS, null]),
      escalated: fc.boolean(),
      failures: fc.nat(6),
      baseSha: pick([commit(1), null]),
      cancelRequestedAtMs: pick([null, NOW]),
    }),
    attempt: fc.record({
      endedAtMs: pick([null, NOW]),
      outcome: pick([...OUTCOMES, null]),
      claim: pick(CLAIMS),
      claimedHead: pick([commit(5), null]),
      headSha: pick([commit(5), null]),
      processGone: fc.boolean(),
      exit: pick([null, ...CAUSES.map((cause) => exitRecord({ cause }))]),
      contactLostAtMs: pick([null, NOW, NOW - 1_000_000]),
    }),
    agent: fc.record({ status: pick(AGENT_STATUSES), hookBeadId: pick([null, bead().id]) }),
    review: fc.record({
      step: pick(MERGE_STEPS),
      result: pick(RESULTS),
      rounds: fc.nat(7),
      races: fc.nat(7),
      candidateSha: pick([null, commit(2)]),
      targetSha: pick([null, commit(1)]),
      testedTree: pick([null, 't']),
      stepKey: pick([null, 'key']),
      deadlineAtMs: pick([null, NOW, NOW + 1]),
    }),
    continued: fc.record({ status: pick(NEVER_IN_REVIEW) }),
    merge: fc.record({ status: pick(NEVER_IN_REVIEW), hold: pick([null, 'needs_human' as const]) }),
    rework: fc.boolean(),
    failures: fc.nat(5),
    watched: fc.boolean(),
  })
  .map((parts) => {
    const task = bead(parts.task);
    const continued = bead({
      id: beadId('rework'),
      kind: 'rework',
      branchOf: task.id,
      ...parts.task,
      ...parts.continued,
    });
    const row = review(task, parts.review);
    return rigView({
      beads: [task, mergeRequest(task, parts.merge), ...(parts.rework ? [continued] : [])],
      attempts: [attempt(parts.rework ? continued : task, parts.attempt)],
      agents: [agent('nux', parts.agent), agent('slit')],
      reviews: [row],
      line: row.step === 'queued' ? [row] : [],
      ready: [bead({ id: beadId('ready') })],
      dependents: { [task.id]: [beadId('waits')] },
      watched: parts.watched ? [task.id, continued.id] : [],
      breaker: {
        scope: 'dispatch',
        failures: parts.failures,
        retryAtMs: NOW,
        openedAtMs: 0,
        reason: 'r',
        escalated: false,
      },
    });
  });

const REFS = [
  SCHEDULE,
  trainRef('main'),
  agentRef(agent('nux').id),
  attemptEntity(attempt(bead()).id),
  ...['task1', 'merge', 'rework'].map((suffix) => beadRef(beadId(suffix))),
];

function checkLegal(view: RigView, actions: ReturnType<typeof reconcileRig>['decisions'][number]['actions']): void {
  for (const action of actions) {
    if (action.type === 'transition_bead') {
      const row = view.bead(action.bead);
      expect(row !== null && allows(beadTransitions(row.type, row.kind), action.from, action.to)).toBe(true);
    }
    if (action.type === 'transition_agent') expect(allows(AGENT_TRANSITIONS, action.from, action.to)).toBe(true);
  }
}

describe('the rules of a rig', () => {
  it('run twice on the same view with the same result, write nothing, and move only along the tables', () => {
    fc.assert(
      fc.property(world, pick(REFS), (view, ref) => {
        const once = reconcileRig(view, ref, NOW);
        expect(reconcileRig(view, ref, NOW)).toEqual(once);
        for (const decision of once.decisions) checkLegal(view, decision.actions);
      }),
      { numRuns: 1_000 },
    );
  });

  it('give every decision a reason, its rule and at least one action (R7)', () => {
    fc.assert(
      fc.property(world, pick(REFS), (view, ref) => {
        for (const decision of reconcileRig(view, ref, NOW).decisions) {
          expect(decision.reason).not.toBe('');
          expect(decision.rule).toMatch(/^[a-z-]+$/);
          expect(decision.actions).not.toEqual([]);
        }
      }),
    );
  });

  it('never ends an attempt twice', () => {
    fc.assert(
      fc.property(world, pick(REFS), (view, ref) => {
        const row = view.attempt(attempt(bead()).id);
        const ends = reconcileRig(view, ref, NOW).decisions.flatMap((decision) =>
          decision.actions.filter((action) => action.type === 'end_attempt'),
        );
        expect(ends.length).toBeLessThanOrEqual(row?.endedAtMs === null ? 1 : 0);
      }),
    );
  });

  it('name each kind of entity once, and say nothing about an unknown one', () => {
    expect(Object.keys(RIG_RULES)).toEqual(['attempt', 'agent', 'bead', 'train', 'quota', 'mailbox', 'schedule']);
    expect(reconcileRig(rigView(), 'comet:1', NOW)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('are all heard', () => {
    const breaker = {
      scope: 'dispatch' as const,
      failures: 3,
      retryAtMs: NOW,
      openedAtMs: 0,
      reason: null,
      escalated: false,
    };
    const { decisions } = reconcileRig(rigView({ breaker, ready: [bead()] }), SCHEDULE, NOW);
    expect(decisions.map((decision) => decision.rule)).toEqual(['assign-work', 'assign-work', 'dispatch-breaker']);
  });

  it('look again when one of them wants to, whatever the others say', () => {
    const breaker = {
      scope: 'dispatch' as const,
      failures: 3,
      retryAtMs: NOW,
      openedAtMs: NOW,
      reason: null,
      escalated: false,
    };
    expect(reconcileRig(rigView({ breaker }), SCHEDULE, NOW).wakeAtMs).toBe(NOW + 1_800_000);
    const backsOff = rigView({ backoffEndMs: NOW + 5 });
    expect(reconcileRig(backsOff, SCHEDULE, NOW).wakeAtMs).toBe(NOW + 5);
  });

  it('answer the earliest moment to look again', () => {
    const breaker = {
      scope: 'dispatch' as const,
      failures: 3,
      retryAtMs: NOW + 10_000_000,
      openedAtMs: NOW,
      reason: null,
      escalated: false,
    };
    expect(reconcileRig(rigView({ breaker }), SCHEDULE, NOW).wakeAtMs).toBe(NOW + 1_800_000);
  });
});

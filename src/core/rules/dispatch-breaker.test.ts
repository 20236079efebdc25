import { describe, expect, it } from 'vitest';
import { attempt, bead, CLOSED_BREAKER, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import type { AttemptFacts, BreakerFacts } from '../view.ts';
import { BREAKER_ESCALATE_AFTER_MS, BREAKER_PROOF_MS, INFRA_FAILURES_TO_OPEN } from '../limits.ts';
import { closeBreakers, dispatchBreaker, provenHealthy } from './dispatch-breaker.ts';

const open = { ...CLOSED_BREAKER, failures: INFRA_FAILURES_TO_OPEN, openedAtMs: NOW, reason: 'no runner' };
const judge = (breaker: BreakerFacts, nowMs: number) => dispatchBreaker(rigView({ breaker }), '', nowMs);

describe('dispatchBreaker', () => {
  it.each([
    ['closed', { ...open, failures: 0 }],
    ['below its threshold', { ...open, failures: INFRA_FAILURES_TO_OPEN - 1 }],
    ['told already', { ...open, escalated: true }],
  ])('says nothing of a breaker that is %s', (_what, breaker) => {
    expect(judge(breaker, NOW + 10 * BREAKER_ESCALATE_AFTER_MS)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('waits half an hour and then tells a person once (T11)', () => {
    const dueMs = NOW + BREAKER_ESCALATE_AFTER_MS;
    expect(judge(open, dueMs - 1)).toEqual({ decisions: [], wakeAtMs: dueMs });
    expect(judge(open, dueMs).decisions.flatMap((row) => row.actions)).toEqual([
      {
        type: 'raise_escalation',
        causeKey: 'breaker:api:dispatch',
        severity: 'high',
        category: 'infrastructure',
        subject: 'rig:api',
        message:
          'No agent can be started in api after 3 failures: no runner. No bead is charged; it is tried again by itself.',
      },
    ]);
    const named = { ...open, reason: 'host a.example is away.' };
    expect(judge(named, dueMs).decisions.flatMap((row) => row.actions)).toEqual([
      expect.objectContaining({ message: expect.stringContaining(': host a.example is away. No bead') }),
    ]);
    const silent = { ...open, reason: null };
    expect(judge(silent, dueMs).decisions.flatMap((row) => row.actions)).toEqual([
      expect.objectContaining({ message: expect.stringContaining('after 3 failures: unknown. No bead') }),
    ]);
  });

  it('tells nobody of a breaker of which it is not recorded since when', () => {
    expect(judge({ ...open, openedAtMs: null }, NOW + 10 * BREAKER_ESCALATE_AFTER_MS).decisions).toEqual([]);
  });
});

describe('closeBreakers', () => {
  it('costs nothing when it is closed', () => {
    expect(closeBreakers(rigView(), attempt(bead()))).toEqual([]);
  });

  it('resolves what was escalated under the same cause', () => {
    const row = attempt(bead());
    expect(closeBreakers(rigView({ breaker: open }), row)).toEqual([{ type: 'reset_breaker', scope: 'dispatch' }]);
    expect(closeBreakers(rigView({ breaker: { ...open, escalated: true } }), row)).toEqual([
      { type: 'resolve_escalation', causeKey: 'breaker:api:dispatch', bead: null },
      { type: 'reset_breaker', scope: 'dispatch' },
    ]);
  });

  it('closes what the attempt passed through, and nothing else', () => {
    const scopes = ['runtime:script', 'runtime:script@local', 'runtime:command', 'runner:local', 'runner:far'] as const;
    const view = rigView({ breaker: open, scopes: scopes.map((scope) => ({ ...open, scope, escalated: true })) });
    const closed = ['runtime:script', 'runtime:script@local', 'runner:local'];
    expect(closeBreakers(view, attempt(bead()))).toEqual([
      { type: 'reset_breaker', scope: 'dispatch' },
      ...closed.flatMap((scope) => [
        { type: 'resolve_escalation', causeKey: `breaker:api:${scope}`, bead: null },
        { type: 'reset_breaker', scope },
      ]),
    ]);
  });
});

describe('provenHealthy', () => {
  const judgeAttempt = (over: Partial<AttemptFacts>, nowMs: number, breaker: BreakerFacts = open) => {
    const row = attempt(bead(), { startedAtMs: NOW, runningAtMs: NOW + 1, ...over });
    return provenHealthy(rigView({ breaker, attempts: [row] }), row.id, nowMs);
  };

  it('closes the breaker when a process that started after the failures has run for a minute', () => {
    const provenAtMs = NOW + 1 + BREAKER_PROOF_MS;
    expect(judgeAttempt({}, provenAtMs - 1)).toEqual({ decisions: [], wakeAtMs: provenAtMs });
    expect(judgeAttempt({}, provenAtMs).decisions.flatMap((row) => row.actions)).toEqual([
      { type: 'reset_breaker', scope: 'dispatch' },
    ]);
  });

  it.each([
    ['started before the failures', { runningAtMs: NOW - 1 }],
    ['is not confirmed', { runningAtMs: null }],
    ['has ended', { endedAtMs: NOW + 2 }],
    ['is gone', { processGone: true }],
    ['does not answer', { contactLostAtMs: NOW + 2 }],
  ])('takes no proof from one that %s', (_what, over) => {
    expect(judgeAttempt(over, NOW + 10 * BREAKER_PROOF_MS)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('takes the very moment of the first failure for after it', () => {
    expect(judgeAttempt({ runningAtMs: NOW }, NOW + BREAKER_PROOF_MS).decisions).toHaveLength(1);
  });

  it('takes proof from any process when it is not recorded since when it is broken', () => {
    const unknown = { ...open, openedAtMs: null };
    expect(judgeAttempt({ runningAtMs: 0 }, BREAKER_PROOF_MS, unknown).decisions).toHaveLength(1);
  });

  it('takes no proof from a process that is not confirmed, whenever it broke', () => {
    expect(judgeAttempt({ runningAtMs: null }, NOW, { ...open, openedAtMs: null }).decisions).toEqual([]);
  });

  it('knows nothing of an attempt that is gone', () => {
    expect(provenHealthy(rigView({ breaker: open }), 'at-none', NOW)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('has nothing to say while the breaker is closed', () => {
    expect(judgeAttempt({}, NOW + 10 * BREAKER_PROOF_MS, { ...open, failures: 0 }).decisions).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import {
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  commit,
  exitRecord,
  NOW,
  rigView,
} from '../../../test/support/rig-view-builder.ts';
import { COUNTED_OUTCOMES, OUTCOMES } from '../model/agent.ts';
import type { Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import type { AttemptFacts, BreakerFacts } from '../view.ts';
import { endingActions } from './end-attempt.ts';
import type { Ending } from './outcome.ts';

const running = (over: Partial<Bead> = {}): Bead => bead({ status: 'in_progress', ...over });
const crash: Ending = { outcome: 'agent_error', reason: 'It crashed.', signature: 'agent_error/1/boom' };
const infra: Ending = { outcome: 'infra', reason: 'No process could be started.', signature: null };

function end(task: Bead, ending: Ending, more: { breaker?: BreakerFacts; attempt?: Partial<AttemptFacts> } = {}) {
  const row = attempt(task, more.attempt);
  const view = rigView({ beads: [task], attempts: [row], breaker: more.breaker ?? CLOSED_BREAKER });
  return endingActions(view, row, ending, NOW);
}
const told = (severity: 'medium' | 'high', message: string): object => ({
  type: 'raise_escalation',
  causeKey: 'bead:api-task1',
  severity,
  category: 'bead',
  subject: 'bead:api-task1',
  message,
});
const types = (actions: ReturnType<typeof end>): string[] => actions.map((action) => action.type);

describe('endingActions', () => {
  it.each(OUTCOMES)('for %s charges the bead exactly if the outcome counts', (outcome) => {
    const actions = types(end(running(), { outcome, reason: 'x', signature: null }));
    expect(actions.includes('charge_bead')).toBe(COUNTED_OUTCOMES.has(outcome));
    expect(actions.includes('trip_breaker')).toBe(outcome === 'infra');
    expect(actions).toContain('transition_bead');
  });

  it.each(['open', 'in_review', 'closed', 'failed'] as const)(
    'only ends the attempt of a bead that is %s',
    (status) => {
      expect(types(end(bead({ status }), crash))).toEqual(['end_attempt']);
    },
  );

  it('only ends the attempt of a bead that is gone', () => {
    const row = attempt(running());
    expect(types(endingActions(rigView({ attempts: [row] }), row, crash, NOW))).toEqual(['end_attempt']);
  });

  it.each([
    [0, 30_000],
    [1, 60_000],
    [2, 120_000],
    [3, 300_000],
  ])('after %i earlier failures opens the bead again in %i ms', (failures, waitMs) => {
    expect(end(running({ failures, lastSignature: 'another' }), crash).slice(1)).toEqual([
      {
        type: 'charge_bead',
        bead: running().id,
        failures: failures + 1,
        signature: crash.signature,
        notBeforeMs: NOW + waitMs,
      },
      { type: 'transition_bead', bead: running().id, from: 'in_progress', to: 'open' },
    ]);
  });

  it('gives the bead up at the fifth failure, with one escalation and the reason as evidence', () => {
    const actions = end(running({ failures: 4, lastSignature: 'another' }), crash);
    expect(actions).toContainEqual(expect.objectContaining({ type: 'charge_bead', failures: 5 }));
    expect(actions).toContainEqual({
      type: 'transition_bead',
      bead: running().id,
      from: 'in_progress',
      to: 'failed',
      closeReason: 'attempts_exhausted',
      evidence: { note: crash.reason },
    });
    expect(actions.filter((action) => action.type === 'raise_escalation')).toEqual([
      told('high', 'api-task1 failed 5 times and was given up. Last: It crashed.'),
    ]);
  });

  it('fails rather than asks when the fifth failure repeats the fourth', () => {
    const actions = types(end(running({ failures: 4, lastSignature: crash.signature }), crash));
    expect(actions).not.toContain('hold_bead');
  });

  it('asks a person when the same failure comes twice in a row (T14)', () => {
    const actions = end(running({ failures: 1, lastSignature: crash.signature }), crash);
    expect(types(actions)).toEqual(['end_attempt', 'charge_bead', 'transition_bead', 'hold_bead', 'raise_escalation']);
    const question =
      'api-task1 failed twice in the same way. Last: It crashed. Try again with "gt bead retry api-task1", or change it first with "gt bead update api-task1 --body-file <file>".';
    expect(actions.slice(3)).toEqual([
      { type: 'hold_bead', bead: running().id, hold: 'needs_human', reason: question },
      told('medium', question),
    ]);
  });

  it('compares by outcome when an ending has no signature', () => {
    const ending: Ending = { outcome: 'rejected', reason: 'no', signature: null };
    expect(types(end(running({ failures: 1, lastSignature: 'rejected' }), ending))).toContain('hold_bead');
    expect(types(end(running({ failures: 1, lastSignature: 'no_progress' }), ending))).not.toContain('hold_bead');
  });

  it.each([
    [0, 5_000],
    [1, 10_000],
    [2, 20_000],
    [9, 600_000],
  ])('after %i infrastructure failures trips the breaker for %i ms', (failures, waitMs) => {
    const actions = end(running(), infra, { breaker: { ...CLOSED_BREAKER, failures, reason: 'before' } });
    expect(actions.at(-1)).toEqual({
      type: 'trip_breaker',
      scope: 'dispatch',
      failures: failures + 1,
      retryAtMs: NOW + waitMs,
      reason: infra.reason,
    });
  });

  it.each([
    [{ failures: 2 }, ['reset_breaker']],
    [{ failures: 2, escalated: true }, ['resolve_escalation', 'reset_breaker']],
    [{}, []],
  ])('closes the breaker %j: an agent that fails by itself did start', (breaker, expected) => {
    const actions = types(end(running(), crash, { breaker: { ...CLOSED_BREAKER, ...breaker } }));
    expect(actions.filter((type) => type === 'reset_breaker' || type === 'resolve_escalation')).toEqual(expected);
  });

  it('counts a lost runner once, however many agents died with it', () => {
    const lost = { exit: exitRecord({ cause: 'runner_lost', exitCode: null }) };
    const first = end(running(), infra, { attempt: lost });
    const reason = 'runner runner-1 ended';
    expect(first.at(-1)).toMatchObject({ type: 'trip_breaker', failures: 1, reason });
    const second = end(running(), infra, { attempt: lost, breaker: { ...CLOSED_BREAKER, failures: 1, reason } });
    expect(types(second)).toEqual(['end_attempt', 'transition_bead']);
  });

  it('counts a silent runner once for agents that ran there, and each start that it never answered', () => {
    const silent = { contactLostAtMs: NOW };
    const reason = 'runner runner-1 did not answer';
    const known = { ...CLOSED_BREAKER, failures: 1, reason };
    expect(end(running(), infra, { attempt: silent }).at(-1)).toMatchObject({ type: 'trip_breaker', reason });
    expect(types(end(running(), infra, { attempt: silent, breaker: known }))).toEqual([
      'end_attempt',
      'transition_bead',
    ]);
    const unstarted = { ...silent, runningAtMs: null };
    expect(types(end(running(), infra, { attempt: unstarted, breaker: known }))).toContain('trip_breaker');
  });

  it.each([
    [4, true, true],
    [4, false, false],
    [3, true, false],
  ])('after %i starts that failed, others starting %s, asks a person: %s', (startFailures, others, asks) => {
    const task = running({ startFailures });
    const failed = Array.from({ length: 4 }, (_row, index) =>
      attempt(task, { epoch: index + 1, runningAtMs: null, endedAtMs: NOW, outcome: 'infra', processGone: true }),
    );
    const other = attempt(bead({ id: beadId('other') }), { epoch: 3, processGone: true });
    const view = rigView({ beads: [task], attempts: [...failed, ...(others ? [other] : [])] });
    const last = attempt(task, { epoch: 9, runningAtMs: null });
    const withLast = rigView({ beads: [task], attempts: [...failed, last, ...(others ? [other] : [])] });
    const actions = endingActions(withLast, last, infra, NOW);
    expect(view.othersStarted(task.id, 4, null)).toBe(others);
    expect(actions).toContainEqual({ type: 'count_start_failure', bead: task.id, startFailures: startFailures + 1 });
    expect(types(actions).includes('hold_bead')).toBe(asks);
    // What is the bead's own trouble is not the rig's.
    expect(types(actions).includes('trip_breaker')).toBe(!asks);
    expect(types(actions)).not.toContain('charge_bead');
    const question =
      'api-task1 could not be started 5 times although others could. Last: No process could be started. Nothing is charged. Correct it with "gt bead update api-task1", then "gt bead retry api-task1".';
    expect(actions.filter((action) => action.type === 'hold_bead' || action.type === 'raise_escalation')).toEqual(
      asks
        ? [{ type: 'hold_bead', bead: task.id, hold: 'needs_human', reason: question }, told('medium', question)]
        : [],
    );
  });

  it.each([
    ['its own', { targetBranch: 'mian' }, true],
    ["the rig's", {}, false],
    ["its convoy's", { targetBranch: 'gt/hq-cv-1', convoyId: trusted.convoy('hq-cv-1') }, false],
  ])('for want of %s branch asks a person at once, and is no trouble of the rig: %#', (_whose, over, asks) => {
    const task = running(over);
    const none = attempt(task, { exit: exitRecord({ cause: 'spawn_failed', failed: 'branch' }), runningAtMs: null });
    const actions = endingActions(rigView({ beads: [task], attempts: [none] }), none, infra, NOW);
    expect(types(actions).includes('trip_breaker')).toBe(!asks);
    const question =
      'The origin of api has no branch "mian", into which api-task1 is to be merged. Push that branch, or name another one with "gt bead update api-task1 --target-branch <name>"; then "gt bead retry api-task1".';
    expect(actions.filter((action) => action.type === 'hold_bead' || action.type === 'raise_escalation')).toEqual(
      asks
        ? [{ type: 'hold_bead', bead: task.id, hold: 'needs_human', reason: question }, told('medium', question)]
        : [],
    );
  });

  it.each([
    ['its work began', { baseSha: commit(1) }, 'api-task1'],
    ['it continues a branch', { branchOf: beadId('source') }, beadId('source')],
  ])('for want of a branch that was there names no command that is refused: %s', (_what, over, ends) => {
    const task = running({ targetBranch: 'release-1', ...over });
    const none = attempt(task, { exit: exitRecord({ cause: 'spawn_failed', failed: 'branch' }), runningAtMs: null });
    const actions = endingActions(rigView({ beads: [task], attempts: [none] }), none, infra, NOW);
    expect(actions.find((action) => action.type === 'hold_bead')?.reason).toBe(
      `The origin of api has no branch "release-1", into which api-task1 is to be merged. Push that branch again, then "gt bead retry api-task1"; its work began there, so it can't go elsewhere. Or give it up with "gt bead close ${ends}".`,
    );
  });

  it('for want of something else asks nobody about a branch, though the bead has its own', () => {
    const task = running({ targetBranch: 'release-1' });
    const none = attempt(task, {
      exit: exitRecord({ cause: 'spawn_failed', failed: 'repository' }),
      runningAtMs: null,
    });
    const actions = endingActions(rigView({ beads: [task], attempts: [none] }), none, infra, NOW);
    expect(types(actions)).toEqual(['end_attempt', 'transition_bead', 'trip_breaker', 'count_start_failure']);
  });

  it('counts no failed start of a process that ran', () => {
    expect(types(end(running(), infra))).toEqual(['end_attempt', 'transition_bead', 'trip_breaker']);
  });

  it.each([
    ['runner-1', 'runner runner-1 ended'],
    [null, 'runner unknown ended'],
  ])('names the runner %s in the breaker', (runnerId, reason) => {
    const lost = {
      exit: exitRecord({ cause: 'runner_lost', exitCode: null }),
      runnerId: runnerId === null ? null : trusted.runner(runnerId),
    };
    expect(end(running(), infra, { attempt: lost }).at(-1)).toMatchObject({ reason });
    const other = { ...CLOSED_BREAKER, failures: 1, reason: 'another runner ended' };
    expect(end(running(), infra, { attempt: lost, breaker: other }).at(-1)).toMatchObject({ failures: 2, reason });
  });

  it('blames no silence when it is known how the process ended', () => {
    const known = { exit: exitRecord({ cause: 'spawn_failed' }), contactLostAtMs: NOW - 1 };
    expect(end(running(), infra, { attempt: known }).at(-1)).toMatchObject({ reason: infra.reason });
  });

  it('counts a failure again that has the same words as the last: only a lost runner is one for all', () => {
    const breaker = { ...CLOSED_BREAKER, failures: 1, reason: infra.reason };
    expect(end(running(), infra, { breaker }).at(-1)).toMatchObject({ type: 'trip_breaker', failures: 2 });
  });

  describe('of an agent that waits for a person', () => {
    const asking = { question: { text: 'Which port?', atMs: NOW - 5 } };
    const reason = 'The agent ended while it waited for a person: Which port?';
    const blocked = {
      type: 'end_attempt',
      attempt: attempt(running()).id,
      outcome: 'blocked',
      reason,
      signature: null,
    };

    it('keeps the question and charges nothing (T07)', () => {
      const wish =
        'api-task1 waits for an answer: Which port? Its agent has ended. Write it with "gt mail send api/polecats/nux" or into the bead with "gt bead update api-task1", then "gt bead retry api-task1".';
      expect(end(running(), crash, { attempt: asking, breaker: { ...CLOSED_BREAKER, failures: 1 } })).toEqual([
        blocked,
        { type: 'reset_breaker', scope: 'dispatch' },
        { type: 'transition_bead', bead: running().id, from: 'in_progress', to: 'open' },
        { type: 'hold_bead', bead: running().id, hold: 'needs_human', reason: wish },
        told('medium', wish),
      ]);
    });

    it('only ends the attempt of a bead that does not run', () => {
      expect(end(bead({ status: 'closed' }), crash, { attempt: asking })).toEqual([blocked]);
      const row = attempt(running(), asking);
      expect(endingActions(rigView({ attempts: [row] }), row, crash, NOW)).toEqual([blocked]);
    });

    it('is an ordinary end when nobody blames the agent', () => {
      expect(types(end(running(), infra, { attempt: asking }))).not.toContain('hold_bead');
    });
  });

  it('parks the bead whose quota is used up until its window opens', () => {
    const ending: Ending = { outcome: 'quota', reason: 'The quota is used up.', signature: null };
    const quota = { resetsAtMs: NOW + 60_000, reason: 'limit', atMs: NOW - 1 };
    expect(end(running(), ending, { attempt: { quota }, breaker: { ...CLOSED_BREAKER, failures: 1 } })).toEqual([
      {
        type: 'end_attempt',
        attempt: attempt(running()).id,
        outcome: 'quota',
        reason: 'The quota is used up.',
        signature: null,
      },
      { type: 'transition_bead', bead: running().id, from: 'in_progress', to: 'open' },
      { type: 'reset_breaker', scope: 'dispatch' },
      { type: 'park_bead', bead: running().id, untilMs: NOW + 60_000, reason: 'The quota is used up.' },
    ]);
  });
});

/** Breakers of a runtime and of a runner: what they stop, what goes on beside them, and how they end. */
import { describe, expect, it } from 'vitest';
import {
  agent,
  attempt,
  bead,
  beadId,
  CLOSED_BREAKER,
  exitRecord,
  NOW,
  rigView,
  type World,
} from '../../../test/support/rig-view-builder.ts';
import { rigBudget } from '../../../test/support/budget-builder.ts';
import { Admission } from '../admission.ts';
import type { BreakerScope } from '../model/breaker.ts';
import { BREAKER_PROOF_MS, BREAKER_UNUSED_MS, START_DEADLINE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { BreakerFacts, RunnerLoad } from '../view.ts';
import { whyNotAdmitted } from '../why-money.ts';
import { assignWork } from './assign-work.ts';
import { brokenRunners } from './choose-runner.ts';
import { dispatchBreaker, provenHealthy, scopeOfCause } from './dispatch-breaker.ts';
import { endingActions } from './end-attempt.ts';
import { classifyExit } from './outcome.ts';

const broken = (scope: BreakerScope, over: Partial<BreakerFacts> = {}): BreakerFacts => ({
  ...CLOSED_BREAKER,
  scope,
  failures: 3,
  retryAtMs: NOW + 1_000,
  openedAtMs: NOW,
  reason: 'no such program',
  ...over,
});
const halfOpen = (scope: BreakerScope): BreakerFacts => broken(scope, { retryAtMs: NOW });
const runner = (id: string, over: Partial<RunnerLoad> = {}): RunnerLoad => ({
  id,
  instance: `rn-${id}`,
  state: 'healthy',
  capacity: null,
  labels: [],
  used: 0,
  ...over,
});
const line = (count: number, over: Partial<Bead> = {}): Bead[] =>
  Array.from({ length: count }, (_, index) =>
    bead({ id: beadId(`${over.runtime ?? 'b'}${String(index).padStart(3, '0')}`), ...over }),
  );
const command = (count: number): Bead[] => line(count, { runtime: 'command' });

/** Beads that are dispatched, each with its runner, and the scopes that get a later probe. */
function given(world: Partial<World>) {
  const { decisions, wakeAtMs } = assignWork(rigView(world), '', NOW);
  const actions = decisions.flatMap((decision) => decision.actions);
  return {
    starts: actions.flatMap((row) => (row.type === 'dispatch_agent' ? [`${row.bead} ${row.runner}`] : [])),
    probes: actions.filter((row) => row.type === 'trip_breaker'),
    reasons: decisions.map(({ reason }) => reason),
    wakeAtMs,
  };
}

describe('an open breaker of a runtime', () => {
  it('stops its beads only; they hide nobody behind them', () => {
    const ready = [...command(60), ...line(2)];
    expect(given({ ready, scopes: [broken('runtime:command')] })).toEqual({
      starts: ['api-b000 local', 'api-b001 local'],
      probes: [],
      reasons: ['api-b000 is first in line and a slot is free', 'api-b001 is first in line and a slot is free'],
      wakeAtMs: NOW + 1_000,
    });
  });

  it('counts what has failed, and stops nothing below three', () => {
    expect(given({ ready: command(2), scopes: [broken('runtime:command', { failures: 2 })] }).starts).toHaveLength(2);
  });

  it('lets one probe through when it half-opens, beside the beads of other runtimes', () => {
    const ready = [...command(60), ...line(1)];
    expect(given({ ready, scopes: [halfOpen('runtime:command')] })).toEqual({
      starts: ['api-command000 local', 'api-b000 local'],
      probes: [
        {
          type: 'trip_breaker',
          scope: 'runtime:command',
          failures: 3,
          retryAtMs: NOW + START_DEADLINE_MS,
          reason: 'no such program',
        },
      ],
      reasons: ['api-command000 is the probe of the runtime command', 'api-b000 is first in line and a slot is free'],
      wakeAtMs: null,
    });
  });

  it('takes the back-off of its failures into account, and has words without a reason', () => {
    const scopes = [broken('runtime:command', { failures: 20, retryAtMs: NOW, reason: null })];
    expect(given({ ready: command(1), scopes }).probes).toEqual([
      expect.objectContaining({ retryAtMs: NOW + 600_000, reason: 'infrastructure failures' }),
    ]);
  });

  it('shares its probe with the half-open rig', () => {
    const world = { ready: command(3), breaker: halfOpen('dispatch'), scopes: [halfOpen('runtime:command')] };
    const { starts, probes, reasons } = given(world);
    expect(starts).toHaveLength(1);
    expect(probes).toMatchObject([{ scope: 'runtime:command' }, { scope: 'dispatch' }]);
    expect(reasons[0]).toBe('api-command000 is the probe of the rig api and the runtime command');
  });

  it('keeps no probe for a bead whose agent is taken', () => {
    const busy = agent('slit', { status: 'working' });
    const pinned = bead({ id: beadId('pinned'), runtime: 'command', pinnedAgent: busy.id });
    const { starts } = given({
      ready: [pinned, ...command(2)],
      agents: [busy],
      scopes: [halfOpen('runtime:command')],
    });
    expect(starts).toEqual(['api-command000 local']);
  });

  it('is what the admission names, and a bead that may not go for another reason is no probe', () => {
    const breaker = broken('runtime:command');
    expect(new Admission(rigView({ scopes: [breaker] }), NOW).judge(bead({ runtime: 'command' }))).toEqual({
      kind: 'breaker',
      breaker,
    });
    const [first, second] = command(2);
    const used = rigBudget({ id: 'used-up', scope: `bead:${String(first?.id)}`, amount: 0 });
    const { starts } = given({ ready: command(2), scopes: [halfOpen('runtime:command')], budgets: [used] });
    expect(starts).toEqual([`${String(second?.id)} local`]);
  });

  it('wakes for the first that half-opens', () => {
    const scopes = [
      broken('runtime:command', { retryAtMs: NOW + 9 }),
      broken('runtime:script', { retryAtMs: NOW + 5 }),
      halfOpen('runner:far'),
      broken('runner:other', { failures: 2, retryAtMs: NOW + 1 }),
    ];
    expect(given({ scopes }).wakeAtMs).toBe(NOW + 5);
    expect(given({ scopes, backoffEndMs: NOW + 2 }).wakeAtMs).toBe(NOW + 2);
  });
});

describe('an open breaker of a runner', () => {
  const runners = [runner('far'), runner('local', { used: 3 })];

  it('sends the work elsewhere, also what was there before', () => {
    const scopes = [broken('runner:far')];
    expect(given({ ready: line(1), runners, scopes, lastRunner: 'far' }).starts).toEqual(['api-b000 local']);
    expect(given({ ready: line(1), runners, lastRunner: 'far' }).starts).toEqual(['api-b000 far']);
  });

  it('of one runtime there sends elsewhere only what needs it', () => {
    const ready = [...command(1), ...line(1)];
    const scopes = [broken('runtime:command@far')];
    expect(given({ ready, runners, scopes }).starts).toEqual(['api-command000 local', 'api-b000 far']);
  });

  it('lets one probe through when it half-opens', () => {
    const { starts, probes } = given({ ready: line(3), runners, scopes: [halfOpen('runner:far')] });
    expect(starts).toEqual(['api-b000 far', 'api-b001 local', 'api-b002 local']);
    expect(probes).toMatchObject([{ scope: 'runner:far', retryAtMs: NOW + START_DEADLINE_MS }]);
  });

  it('is probed by a bead that did not just fail', () => {
    const [first, second] = line(2);
    const failed = attempt(first ?? bead(), { endedAtMs: NOW - 1, outcome: 'infra', processGone: true });
    const world = { ready: line(2), runners, attempts: [failed] };
    const [probe] = given({ ...world, scopes: [halfOpen('runner:far')] }).starts;
    expect(probe).toBe(`${String(second?.id)} far`);
    expect(given({ ...world, scopes: [halfOpen('runner:far'), broken('runtime:command')] }).starts[0]).toBe(probe);
    expect(given({ ...world, scopes: [broken('runner:far')] }).starts[0]).toBe(`${String(first?.id)} local`);
    expect(given({ ...world, scopes: [halfOpen('runtime:command')] }).starts[0]).toContain(String(first?.id));
  });

  it('stops what no other runner takes; that waits for the first to be tried again', () => {
    const scopes = [
      broken('runner:far', { retryAtMs: NOW + 5 }),
      broken('runtime:script@far', { retryAtMs: NOW + 9 }),
      broken('runner:local', { retryAtMs: NOW + 7 }),
    ];
    expect(given({ ready: line(2), runners, scopes }).starts).toEqual([]);
    const waitsFor = (world: Partial<World>) =>
      brokenRunners(rigView({ runners, ...world }), bead(), NOW)?.scope ?? null;
    expect(waitsFor({ scopes })).toBe('runner:local');
    expect(waitsFor({ scopes: scopes.slice(0, 2) })).toBeNull();
    expect(waitsFor({ scopes: scopes.slice(0, 2), runners: [runner('far'), runner('local', { state: 'down' })] })).toBe(
      'runtime:script@far',
    );
    expect(waitsFor({ scopes, runners: [] })).toBeNull();
  });
});

describe('a start that failed', () => {
  const task = bead({ status: 'in_progress', startFailures: 4 });
  const others = Array.from({ length: 4 }, (_, index) =>
    attempt(task, { epoch: index + 1, runningAtMs: null, endedAtMs: NOW, outcome: 'infra', processGone: true }),
  );
  const ended = (failed: 'program' | 'machine' | 'isolation', world: Partial<World> = {}, at = 'far') => {
    const exit = exitRecord({ cause: 'spawn_failed', exitCode: null, failed });
    const last = attempt(task, { epoch: 9, runningAtMs: null, exit, runner: at });
    const view = rigView({ beads: [task], ...world, attempts: [...others, last, ...(world.attempts ?? [])] });
    return endingActions(view, last, classifyExit(exit), NOW).slice(2);
  };
  const started = (at: string) => ({
    attempts: [attempt(bead({ id: beadId('other') }), { epoch: 8, processGone: true, runner: at })],
  });

  it('for want of its program is charged to the runtime and never to the bead, whoever else started', () => {
    const reason = 'No process could be started: boom';
    expect(ended('program', started('far'))).toEqual([
      { type: 'trip_breaker', scope: 'runtime:script', failures: 1, retryAtMs: NOW + 5_000, reason },
    ]);
    const scopes = [broken('runtime:script', { failures: 1 }), broken('runtime:command', { failures: 7 })];
    expect(ended('program', { scopes })).toMatchObject([
      { scope: 'runtime:script', failures: 2, retryAtMs: NOW + 10_000 },
    ]);
    const runners = [runner('far'), runner('local')];
    expect(ended('program', { runners })).toMatchObject([{ scope: 'runtime:script@far', failures: 1 }]);
  });

  it('for want of the sandbox that was asked for is told to a person at once, and once', () => {
    const [trip, told] = ended('isolation', started('far'));
    expect(trip).toMatchObject({ type: 'trip_breaker', scope: 'runtime:script', failures: 1 });
    expect(told).toMatchObject({
      type: 'raise_escalation',
      causeKey: 'breaker:api:runtime:script',
      severity: 'high',
      message:
        'No agent can be started with the runtime script in api after a failure: No process could be started: boom. No bead is charged; it is tried again by itself.',
    });
    const scopes = [broken('runtime:script', { failures: 1, escalated: true })];
    expect(ended('isolation', { scopes })).toMatchObject([{ type: 'trip_breaker', failures: 2 }]);
    const runners = [runner('far'), runner('local')];
    expect(ended('isolation', { runners })[0]).toMatchObject({ scope: 'runtime:script@far' });
  });

  it('by its machine is its own trouble only when others start at that machine', () => {
    const types = (world: Partial<World>) => ended('machine', world).map((row) => row.type);
    const runners = [runner('far'), runner('local')];
    expect(types({ runners, ...started('local') })).toEqual(['trip_breaker', 'count_start_failure']);
    expect(types({ runners, ...started('far') })).toEqual(['count_start_failure', 'hold_bead', 'raise_escalation']);
    expect(types(started('local'))).toEqual(['count_start_failure', 'hold_bead', 'raise_escalation']);
  });

  it('because its shell found no program charges nobody else', () => {
    expect(classifyExit(exitRecord({ exitCode: 127, lastLine: 'sh: agent: not found', failed: 'program' }))).toEqual({
      outcome: 'infra',
      reason: 'The program of its runtime could not be started: sh: agent: not found',
      signature: null,
    });
    expect(classifyExit(exitRecord({ exitCode: 127 })).outcome).toBe('agent_error');
  });
});

describe('a breaker of a runtime or a runner', () => {
  const judge = (breaker: BreakerFacts, nowMs: number) => dispatchBreaker(rigView({ scopes: [breaker] }), '', nowMs);
  const HALF_HOUR = 1_800_000;

  it.each([
    ['runtime:command', 'No agent can be started with the runtime command in api after 3 failures: no such program.'],
    ['runner:far', 'No agent can be started on the runner far in api after 3 failures: no such program.'],
    [
      'runtime:command@far',
      'No agent can be started with the runtime command on the runner far in api after 3 failures: no such program.',
    ],
  ] as const)('%s is told once after half an hour (T11)', (scope, sentence) => {
    expect(judge(broken(scope), NOW + HALF_HOUR - 1)).toEqual({ decisions: [], wakeAtMs: NOW + HALF_HOUR });
    expect(judge(broken(scope), NOW + HALF_HOUR)).toEqual({
      decisions: [
        {
          rule: 'dispatch-breaker',
          entity: 'schedule:',
          reason: 'dispatch has been stopped for too long',
          actions: [
            {
              type: 'raise_escalation',
              causeKey: `breaker:api:${scope}`,
              severity: 'high',
              category: 'infrastructure',
              subject: 'rig:api',
              message: `${sentence} No bead is charged; it is tried again by itself.`,
            },
          ],
        },
      ],
      wakeAtMs: NOW + 1_000 + BREAKER_UNUSED_MS,
    });
    expect(judge(broken(scope, { escalated: true }), NOW + HALF_HOUR).decisions).toEqual([]);
    expect(scopeOfCause(`breaker:api:${scope}`)).toBe(scope);
  });

  it('is forgotten after a day in which nothing needed it', () => {
    const dueMs = NOW + 1_000 + BREAKER_UNUSED_MS;
    const told = broken('runtime:command', { escalated: true });
    expect(judge(told, dueMs - 1)).toEqual({ decisions: [], wakeAtMs: dueMs });
    expect(judge(told, dueMs)).toEqual({
      decisions: [
        {
          rule: 'dispatch-breaker',
          entity: 'schedule:',
          reason: 'nothing needed the runtime command for a day',
          actions: [
            { type: 'resolve_escalation', causeKey: 'breaker:api:runtime:command', bead: null },
            { type: 'reset_breaker', scope: 'runtime:command' },
          ],
        },
      ],
      wakeAtMs: null,
    });
    const rig = { ...told, scope: 'dispatch' as const };
    expect(dispatchBreaker(rigView({ breaker: rig }), '', dueMs)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('closes when a process that passed through it runs well, and leaves the others', () => {
    const row = attempt(bead(), { runningAtMs: NOW });
    const scopes = [broken('runtime:command'), broken('runtime:script'), broken('runner:far')];
    const look = (nowMs: number, over: readonly BreakerFacts[] = scopes) =>
      provenHealthy(rigView({ scopes: over, attempts: [row] }), row.id, nowMs);
    expect(look(NOW)).toEqual({ decisions: [], wakeAtMs: NOW + BREAKER_PROOF_MS });
    expect(look(NOW + BREAKER_PROOF_MS).decisions.flatMap((decision) => decision.actions)).toEqual([
      { type: 'reset_breaker', scope: 'runtime:script' },
    ]);
    const later = [broken('runtime:script', { openedAtMs: NOW + 1 }), broken('runner:local')];
    expect(look(NOW + BREAKER_PROOF_MS, later).decisions.flatMap((decision) => decision.actions)).toEqual([
      { type: 'reset_breaker', scope: 'runner:local' },
    ]);
    expect(look(NOW + BREAKER_PROOF_MS, [broken('runtime:command')])).toEqual({ decisions: [], wakeAtMs: null });
  });
});

describe('why a ready bead waits for a breaker', () => {
  it('is said with its scope, its cause and the moment of the next try', () => {
    const view = rigView({ scopes: [broken('runtime:script')] });
    expect(whyNotAdmitted(view, bead({ runtime: 'script' }), NOW)).toEqual({
      sentence:
        'Ready, but dispatch of the runtime script is stopped after 3 infrastructure failures: no such program.',
      rule: 'assign-work',
      next: 'A probe goes by itself when the breaker half-opens.',
      wakeAtMs: NOW + 1_000,
      sinceMs: NOW,
    });
  });
});

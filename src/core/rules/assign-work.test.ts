import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, beadId, NOW, polecat, review, rigView } from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import { INFRA_FAILURES_TO_OPEN, START_DEADLINE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { assignWork } from './assign-work.ts';
import type { RigVerdicts } from './rule.ts';
import type { BreakerScope } from '../model/breaker.ts';
import type { BreakerFacts, RunnerLoad } from '../view.ts';

const line = (count: number, over: Partial<Bead> = {}): Bead[] =>
  Array.from({ length: count }, (_, index) => bead({ id: beadId(`b${String(index).padStart(4, '0')}`), ...over }));
const open = (failures: number, retryAtMs: number, scope: BreakerScope = 'dispatch'): BreakerFacts => ({
  scope,
  failures,
  retryAtMs,
  openedAtMs: 0,
  reason: 'no runner',
  escalated: false,
});
const dispatched = (verdicts: RigVerdicts): string[] =>
  verdicts.decisions.flatMap((decision) =>
    decision.actions.flatMap((action) => (action.type === 'dispatch_agent' ? [action.bead] : [])),
  );

describe('assignWork', () => {
  it('dispatches the head of the line, one decision per bead', () => {
    const [first] = line(1);
    const verdicts = assignWork(rigView({ ready: line(1) }), '', NOW);
    expect(verdicts.decisions).toEqual([
      expect.objectContaining({
        rule: 'assign-work',
        actions: [
          { type: 'dispatch_agent', bead: first?.id, agent: polecat('nux'), isNew: true, round: 0, runner: 'local' },
        ],
      }),
    ]);
    expect(verdicts.wakeAtMs).toBeNull();
  });

  it('of a rig that is drained starts what continues a branch in its line, and nothing that is new', () => {
    const [first, second] = line(2);
    const rework = { ...(second ?? bead()), kind: 'rework', branchOf: beadId('task1') } as const;
    const ready = [first ?? bead(), rework];
    const started = (draining: boolean, parked = draining): readonly string[] =>
      dispatched(assignWork(rigView({ ready, draining, config: rigConfig('api', { parked }) }), '', NOW));
    expect(started(true)).toEqual([rework.id]);
    expect(started(false, true)).toEqual([]);
    expect(started(false)).toEqual([first?.id, rework.id]);
  });

  it('starts one of several rounds of rework of a branch: the first that may run', () => {
    const task = bead({ status: 'in_review' });
    const round = (id: string, over: Partial<Bead> = {}): Bead =>
      bead({ id: beadId(id), kind: 'rework', branchOf: task.id, ...over });
    const other = bead({ id: beadId('other') });
    const busy = agent('slit', { status: 'working' });
    const started = (...ready: readonly Bead[]): readonly string[] =>
      dispatched(assignWork(rigView({ beads: [task], agents: [busy], ready }), '', NOW));
    expect(started(round('first'), round('second'), other)).toEqual([beadId('first'), other.id]);
    expect(started(round('first', { pinnedAgent: busy.id }), round('second'), round('third'))).toEqual([
      beadId('second'),
    ]);
  });

  it('fills the free slots in order and gives each bead its own agent', () => {
    const verdicts = assignWork(rigView({ ready: line(6), agents: [agent('slit')] }), '', NOW);
    expect(dispatched(verdicts)).toEqual(line(4).map((row) => row.id));
    const agents = verdicts.decisions.flatMap((row) => row.actions.map((action) => 'agent' in action && action.agent));
    expect(agents).toEqual([polecat('slit'), polecat('nux'), polecat('toast'), polecat('dag')]);
  });

  it('probes with a bead that did not just fail: one that can never start must not stop the rig', () => {
    const [first, second, third] = line(3);
    const infra = (task: Bead | undefined, epoch: number) =>
      attempt(task ?? bead(), { epoch, endedAtMs: NOW - 100 + epoch, outcome: 'infra', processGone: true });
    const probe = (attempts: readonly ReturnType<typeof infra>[]) =>
      dispatched(assignWork(rigView({ ready: line(3), breaker: open(3, NOW - 1), attempts }), '', NOW));
    expect(probe([infra(first, 1)])).toEqual([second?.id]);
    expect(probe([infra(first, 1), infra(second, 2), infra(third, 3), infra(first, 4)])).toEqual([second?.id]);
    const healthy = rigView({ ready: line(3), breaker: open(1, 0), attempts: [infra(first, 1)] });
    expect(dispatched(assignWork(healthy, '', NOW))[0]).toBe(first?.id);
  });

  it.each([
    [2, 2],
    [3, 1],
    [4, 0],
    [5, 0],
  ])('with %i of 4 slots taken it dispatches %i', (taken, expected) => {
    const attempts = line(taken).map((row, index) =>
      attempt(row, { epoch: index + 1, agentId: polecat(`busy${String(index)}`) }),
    );
    const ready = line(10).slice(5);
    expect(dispatched(assignWork(rigView({ ready, attempts }), '', NOW))).toHaveLength(expected);
  });

  it('counts a slot as taken until its process is proven gone, also after its attempt ended', () => {
    const [task] = line(1);
    if (task === undefined) throw new Error('no bead');
    const config = rigConfig('api', { polecatsMax: 1 });
    const ended = { endedAtMs: NOW, outcome: 'cancelled' as const };
    const at = (processGone: boolean) =>
      assignWork(rigView({ config, ready: [bead()], attempts: [attempt(task, { ...ended, processGone })] }), '', NOW);
    expect(at(false).decisions).toEqual([]);
    expect(dispatched(at(true))).toEqual([bead().id]);
  });

  it('does nothing in a parked rig', () => {
    const config = rigConfig('api', { parked: true });
    expect(assignWork(rigView({ config, ready: line(1), backoffEndMs: NOW + 5 }), '', NOW)).toEqual({
      decisions: [],
      wakeAtMs: null,
    });
  });

  it('asks to be woken when the next back-off ends', () => {
    expect(assignWork(rigView({ backoffEndMs: NOW + 1_000 }), '', NOW).wakeAtMs).toBe(NOW + 1_000);
  });

  it('tells a rework which round it is', () => {
    const task = bead({ status: 'in_review' });
    const rework = bead({ id: beadId('rework'), kind: 'rework', branchOf: task.id });
    const view = rigView({ beads: [task, rework], ready: [rework], reviews: [review(task, { rounds: 3 })] });
    expect(assignWork(view, '', NOW).decisions[0]?.actions).toEqual([expect.objectContaining({ round: 3 })]);
  });

  describe('with pinned beads first in line', () => {
    const busy = agent('slit', { status: 'working' });
    const pinned = (count: number): Bead[] => line(count, { pinnedAgent: busy.id });
    const free = bead({ id: beadId('free1') });

    it('reads far enough past beads of a busy agent to keep the slots filled', () => {
      const view = rigView({ agents: [busy], ready: [...pinned(16), free] });
      expect(dispatched(assignWork(view, '', NOW))).toEqual([free.id]);
    });

    it('gives the pinned agent one bead and the next bead to another', () => {
      const view = rigView({ agents: [agent('slit')], ready: [...pinned(2), free] });
      expect(dispatched(assignWork(view, '', NOW))).toEqual([pinned(1)[0]?.id, free.id]);
    });
  });

  describe('behind the dispatch breaker', () => {
    it('goes on below the threshold', () => {
      const view = rigView({ ready: line(4), breaker: open(INFRA_FAILURES_TO_OPEN - 1, NOW + 60_000) });
      expect(dispatched(assignWork(view, '', NOW))).toHaveLength(4);
    });

    it('dispatches nothing while it is open, and looks again when it half-opens', () => {
      const view = rigView({ ready: line(4), breaker: open(INFRA_FAILURES_TO_OPEN, NOW + 1) });
      expect(assignWork(view, '', NOW)).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    });

    it('sends one probe once it half-opens, and sets when the next may go', () => {
      const verdicts = assignWork(rigView({ ready: line(4), breaker: open(INFRA_FAILURES_TO_OPEN, NOW) }), '', NOW);
      expect(dispatched(verdicts)).toHaveLength(1);
      expect(verdicts.decisions.at(-1)?.actions).toEqual([
        {
          type: 'trip_breaker',
          scope: 'dispatch',
          failures: INFRA_FAILURES_TO_OPEN,
          retryAtMs: NOW + START_DEADLINE_MS,
          reason: 'no runner',
        },
      ]);
    });

    it('sends no probe without a ready bead or without a free slot', () => {
      const breaker = open(INFRA_FAILURES_TO_OPEN, NOW);
      expect(assignWork(rigView({ breaker }), '', NOW).decisions).toEqual([]);
      const config = rigConfig('api', { polecatsMax: 1 });
      const attempts = [attempt(bead({ id: beadId('other') }))];
      expect(assignWork(rigView({ breaker, config, attempts, ready: line(1) }), '', NOW).decisions).toEqual([]);
    });

    it('lets a probe wait at least as long as the back-off of the failures so far', () => {
      const verdicts = assignWork(rigView({ ready: line(1), breaker: open(20, NOW) }), '', NOW);
      expect(verdicts.decisions.at(-1)?.actions).toEqual([expect.objectContaining({ retryAtMs: NOW + 600_000 })]);
    });
  });

  it('gives each runner what it has room for', () => {
    const runner = (id: string, over: Partial<RunnerLoad> = {}): RunnerLoad => ({
      id,
      instance: `rn-${id}`,
      state: 'healthy',
      capacity: 2,
      labels: [],
      used: 1,
      ...over,
    });
    const given = (...runners: readonly RunnerLoad[]): unknown =>
      assignWork(rigView({ ready: line(4), runners }), '', NOW).decisions.flatMap((decision) =>
        decision.actions.flatMap((action) => (action.type === 'dispatch_agent' ? [action.runner] : [])),
      );
    expect(given(runner('a'), runner('b', { used: 0 }))).toEqual(['b', 'a', 'b']);
    expect(given(runner('a', { state: 'down' }))).toEqual([]);
  });

  it('begins at round 0 for a task, and for a rework whose merge request is gone', () => {
    const task = bead();
    const rework = bead({ id: beadId('rework'), kind: 'rework', branchOf: beadId('gone') });
    const view = rigView({ ready: [task, rework], reviews: [review(task, { rounds: 3 })] });
    expect(assignWork(view, '', NOW).decisions.map((decision) => decision.actions)).toEqual([
      [expect.objectContaining({ round: 0 })],
      [expect.objectContaining({ round: 0 })],
    ]);
  });

  it('names a breaker without a reason', () => {
    const view = rigView({ ready: line(1), breaker: { ...open(3, NOW), reason: null } });
    expect(assignWork(view, '', NOW).decisions.at(-1)?.actions).toEqual([
      expect.objectContaining({ reason: 'infrastructure failures' }),
    ]);
  });
});

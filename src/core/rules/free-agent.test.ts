import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, NOW, polecat, rigView } from '../../../test/support/rig-view-builder.ts';
import { AGENT_STATUSES, OUTCOMES, type AgentStatus } from '../model/agent.ts';
import { AGENT_TRANSITIONS, allows } from '../transitions.ts';
import type { AttemptFacts } from '../view.ts';
import { freeAgent, STOP_AFTER_END_MS } from './free-agent.ts';

const task = bead({ status: 'in_progress' });
const ALIVE = AGENT_STATUSES.filter((status) => status !== 'idle' && status !== 'dead');

function judge(status: AgentStatus, attempts: readonly AttemptFacts[], hook = true) {
  const nux = agent('nux', { status, hookBeadId: hook ? task.id : null });
  return freeAgent(rigView({ agents: [nux], attempts, beads: [task] }), nux.id, NOW);
}

describe('freeAgent', () => {
  it.each(['idle', 'dead'] as const)('leaves an agent alone that is %s', (status) => {
    expect(judge(status, [], false).decisions).toEqual([]);
  });

  it('knows nothing of an agent that does not exist', () => {
    expect(freeAgent(rigView(), polecat('nobody'), NOW).decisions).toEqual([]);
  });

  it.each(ALIVE)('leaves an agent alone that is %s and whose attempt lives', (status) => {
    expect(judge(status, [attempt(task)]).decisions).toEqual([]);
  });

  it('keeps the hook while a claim waits for its verdict although the process is gone', () => {
    expect(judge('working', [attempt(task, { processGone: true })]).decisions).toEqual([]);
  });

  it('frees a hook whose bead is worked on by somebody else', () => {
    const other = attempt(task, { agentId: polecat('slit'), processGone: true });
    expect(judge('stopping', [other]).decisions[0]?.actions[0]).toEqual({
      type: 'unhook_agent',
      agent: polecat('nux'),
    });
  });

  it.each(ALIVE)('brings an agent that is %s to idle by legal steps once its process is proven gone', (status) => {
    const [decision] = judge(status, [attempt(task, { endedAtMs: NOW, outcome: 'done', processGone: true })]).decisions;
    const steps = (decision?.actions ?? []).filter((action) => action.type === 'transition_agent');
    let at: AgentStatus = status;
    for (const step of steps) {
      expect(step.from).toBe(at);
      expect(allows(AGENT_TRANSITIONS, step.from, step.to)).toBe(true);
      at = step.to;
    }
    expect(at).toBe('idle');
    expect(decision?.actions[0]).toEqual({ type: 'unhook_agent', agent: polecat('nux') });
  });

  it.each(OUTCOMES)(
    'stops the process after an attempt that ended as %s; only a good end may leave by itself',
    (outcome) => {
      const row = attempt(task, { endedAtMs: NOW, outcome, epoch: 7 });
      const patience = outcome === 'done' || outcome === 'no_change' ? STOP_AFTER_END_MS : 0;
      expect(judge('working', [row]).decisions[0]?.actions).toEqual([
        { type: 'transition_agent', agent: polecat('nux'), from: 'working', to: 'stopping' },
        { type: 'unhook_agent', agent: polecat('nux') },
        { type: 'stop_agent', attempt: row.id, epoch: 7, mode: 'graceful', at: NOW + patience },
      ]);
    },
  );

  it.each([
    ['stopping', ['stopping to idle']],
    ['unknown', ['unknown to idle']],
    ['working', ['working to stopping', 'stopping to idle']],
  ] as const)('takes the shortest way from %s to idle', (status, steps) => {
    const [decision] = judge(status, [attempt(task, { endedAtMs: NOW, outcome: 'done', processGone: true })]).decisions;
    expect(
      decision?.actions.flatMap((action) =>
        action.type === 'transition_agent' ? [`${action.from} to ${action.to}`] : [],
      ),
    ).toEqual(steps);
  });

  it('orders the stop once', () => {
    expect(judge('stopping', [attempt(task, { endedAtMs: NOW, outcome: 'cancelled' })], false).decisions).toEqual([]);
  });
});

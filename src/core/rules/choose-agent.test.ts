import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, beadId, polecat, rigView } from '../../../test/support/rig-view-builder.ts';
import { trusted } from '../model/ids.ts';
import { chooseAgent, POLECAT_NAMES } from './choose-agent.ts';

/** Texts that older versions took for agents of the rig api. */
const STRANGERS = ['web/polecats/nux', 'api/refinery', '../../x', 'mayor/', '<>'];
const NONE: ReadonlySet<string> = new Set();

describe('chooseAgent', () => {
  it('makes a new agent with the first free name when nobody is idle', () => {
    const view = rigView({ agents: [agent('nux', { status: 'working' })] });
    expect(chooseAgent(view, bead(), NONE)).toEqual({ agent: polecat('slit'), isNew: true });
  });

  it('passes over names given away in the same pass', () => {
    expect(chooseAgent(rigView(), bead(), new Set([polecat('nux'), polecat('slit')]))).toEqual({
      agent: polecat('toast'),
      isNew: true,
    });
  });

  it('goes on as <name>-2 when the pool is used up, dead names included', () => {
    const view = rigView({ agents: POLECAT_NAMES.map((name) => agent(name, { status: 'dead' })) });
    expect(chooseAgent(view, bead(), NONE)).toEqual({ agent: polecat('nux-2'), isNew: true });
    expect(chooseAgent(view, bead(), new Set([polecat('nux-2')]))).toEqual({ agent: polecat('slit-2'), isNew: true });
  });

  it('prefers the idle agent that worked on the branch, also for a rework of it', () => {
    const task = bead();
    const view = rigView({
      agents: [agent('nux'), agent('slit')],
      attempts: [attempt(task, { agentId: polecat('slit'), endedAtMs: 1, processGone: true })],
    });
    expect(chooseAgent(view, task, NONE)).toEqual({ agent: polecat('slit'), isNew: false });
    const rework = bead({ id: beadId('rework'), kind: 'rework', branchOf: task.id });
    expect(chooseAgent(view, rework, NONE)).toEqual({ agent: polecat('slit'), isNew: false });
  });

  it('never has a review done by whoever worked on the branch, however idle that one is', () => {
    const task = bead();
    const attempts = [attempt(task, { agentId: polecat('slit'), endedAtMs: 1, processGone: true })];
    const look = bead({ id: beadId('look'), kind: 'review', branchOf: task.id });
    const chosen = (...names: readonly string[]) =>
      chooseAgent(rigView({ agents: names.map((name) => agent(name)), attempts }), look, NONE);
    expect(chosen('slit', 'toast')).toEqual({ agent: polecat('toast'), isNew: false });
    expect(chosen('slit')).toEqual({ agent: polecat('nux'), isNew: true });
  });

  it.each(STRANGERS)('gives no work to %j, which an older version took for an agent', (stranger) => {
    const idle = agent('x', { id: trusted.agent(stranger) });
    expect(chooseAgent(rigView({ agents: [idle] }), bead(), NONE)).toEqual({ agent: polecat('nux'), isNew: true });
    expect(chooseAgent(rigView({ agents: [idle, agent('slit')] }), bead(), NONE)?.agent).toBe(polecat('slit'));
  });

  it('takes the first idle polecat when the familiar one is busy, and no other role', () => {
    const view = rigView({ agents: [agent('joe', { role: 'crew' }), agent('slit'), agent('toast')] });
    expect(chooseAgent(view, bead(), NONE)).toEqual({ agent: polecat('slit'), isNew: false });
    expect(chooseAgent(view, bead(), new Set([polecat('slit')]))).toEqual({ agent: polecat('toast'), isNew: false });
  });

  describe('of a pinned bead', () => {
    const pinned = bead({ pinnedAgent: polecat('slit') });

    it('is the pinned agent when it is idle', () => {
      const view = rigView({ agents: [agent('nux'), agent('slit')] });
      expect(chooseAgent(view, pinned, NONE)).toEqual({ agent: polecat('slit'), isNew: false });
    });

    it('is the pinned agent when it does not exist yet, but only once in a pass', () => {
      expect(chooseAgent(rigView({ agents: [agent('nux')] }), pinned, NONE)).toEqual({
        agent: polecat('slit'),
        isNew: true,
      });
      expect(chooseAgent(rigView({ agents: [agent('nux')] }), pinned, new Set([polecat('slit')]))).toBeNull();
    });

    it.each(['working', 'stopping', 'unknown'] as const)('is nobody while the pinned agent is %s', (status) => {
      expect(chooseAgent(rigView({ agents: [agent('nux'), agent('slit', { status })] }), pinned, NONE)).toBeNull();
    });

    it('is anybody once the pinned agent has retired: it will never be free', () => {
      const view = rigView({ agents: [agent('nux'), agent('slit', { status: 'dead' })] });
      expect(chooseAgent(view, pinned, NONE)).toEqual({ agent: polecat('nux'), isNew: false });
    });

    it('is who a bare name means, also in rows of older versions', () => {
      const view = rigView({ agents: [agent('nux'), agent('slit')] });
      const named = bead({ pinnedAgent: 'slit' });
      expect(chooseAgent(view, named, NONE)).toEqual({ agent: polecat('slit'), isNew: false });
      expect(chooseAgent(rigView(), named, NONE)).toEqual({ agent: polecat('slit'), isNew: true });
    });

    it.each(STRANGERS)('is anybody of the rig when %j is pinned, never that', (stranger) => {
      const strange = bead({ pinnedAgent: stranger });
      expect(chooseAgent(rigView(), strange, NONE)).toEqual({ agent: polecat('nux'), isNew: true });
      const view = rigView({ agents: [agent('x', { id: trusted.agent(stranger) })] });
      expect(chooseAgent(view, strange, NONE)).toEqual({ agent: polecat('nux'), isNew: true });
    });

    it('is nobody when the pinned agent was given away in the same pass', () => {
      expect(chooseAgent(rigView({ agents: [agent('slit')] }), pinned, new Set([polecat('slit')]))).toBeNull();
    });
  });
});

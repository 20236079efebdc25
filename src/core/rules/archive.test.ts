import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, NOW, polecat, rigView } from '../../../test/support/rig-view-builder.ts';
import { AGENT_UNUSED_MS, BEADS_KEPT_MS } from '../limits.ts';
import { trusted } from '../model/ids.ts';
import type { Bead } from '../model/bead.ts';
import { archiveBead, retireAgent } from './archive.ts';

const OLD = NOW - BEADS_KEPT_MS;
const ended = bead({ status: 'closed', closeReason: 'merged', closedAtMs: OLD });
const actions = (verdicts: ReturnType<typeof archiveBead>): readonly unknown[] =>
  verdicts.decisions.flatMap((decision) => decision.actions);

describe('archiveBead', () => {
  const look = (over: Partial<Bead> = {}, world: Parameters<typeof rigView>[0] = {}) =>
    archiveBead(rigView({ beads: [{ ...ended, ...over }], ...world }), ended.id, NOW);

  it('lets a branch rest that ended a month ago', () => {
    expect(actions(look())).toEqual([{ type: 'archive_bead', source: ended.id, endedBeforeMs: OLD }]);
    expect(actions(look({ status: 'failed' }))).toHaveLength(1);
  });

  it.each<[string, Partial<Bead>]>([
    ['lives', { status: 'open', closedAtMs: null }],
    ['ended a moment too late', { closedAtMs: OLD + 1 }],
    ['is a merge request', { type: 'merge_request' }],
    ['is rework of another', { branchOf: bead().id }],
    ['has no time of its end', { closedAtMs: null }],
  ])('leaves alone what %s, and sets no alarm', (_what, over) => {
    expect(look(over)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('never takes a missing time for an old one', () => {
    const view = rigView({ beads: [{ ...ended, closedAtMs: null }] });
    expect(archiveBead(view, ended.id, 2 * BEADS_KEPT_MS).decisions).toEqual([]);
  });

  it('leaves alone what something still needs, and what does not exist', () => {
    expect(actions(look({}, { kept: [ended.id] }))).toEqual([]);
    expect(actions(archiveBead(rigView(), ended.id, NOW))).toEqual([]);
  });
});

describe('retireAgent', () => {
  const nux = agent('nux', { status: 'idle', hookBeadId: null, updatedAtMs: NOW - AGENT_UNUSED_MS });
  const look = (over: Partial<typeof nux> = {}, world: Parameters<typeof rigView>[0] = {}) =>
    retireAgent(rigView({ agents: [{ ...nux, ...over }], ...world }), nux.id, NOW);

  it('retires an agent that nobody used for a day', () => {
    expect(actions(look())).toEqual([{ type: 'retire_agent', agent: nux.id }]);
  });

  it('leaves alone one that was used, works, has a process or is waited for', () => {
    expect(actions(look({ updatedAtMs: NOW - AGENT_UNUSED_MS + 1 }))).toEqual([]);
    expect(actions(look({ status: 'working' }))).toEqual([]);
    expect(actions(look({ status: 'dead' }))).toEqual([]);
    expect(actions(look({}, { attempts: [attempt(ended, { agentId: nux.id, processGone: false })] }))).toEqual([]);
    expect(actions(look({}, { needed: [nux.id] }))).toEqual([]);
    expect(actions(retireAgent(rigView(), polecat('nobody'), NOW))).toEqual([]);
  });

  it('retires what is no polecat of the rig as soon as it is idle', () => {
    const stranger = { ...nux, id: trusted.agent('<>'), updatedAtMs: NOW };
    const of = (over: Partial<typeof nux>) => retireAgent(rigView({ agents: [{ ...stranger, ...over }] }), '<>', NOW);
    expect(of({}).decisions).toMatchObject([
      { reason: 'no polecat of this rig', actions: [{ type: 'retire_agent', agent: '<>' }] },
    ]);
    expect(actions(of({ status: 'working' }))).toEqual([]);
  });
});

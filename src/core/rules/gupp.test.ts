import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, NOW, polecat, rigView } from '../../../test/support/rig-view-builder.ts';
import { trusted } from '../model/ids.ts';
import type { Agent } from '../model/agent.ts';
import type { AttemptFacts } from '../view.ts';
import { gupp } from './gupp.ts';
import type { RigVerdicts } from './rule.ts';

const MINUTE = 60_000;
const ID = 'at-000000000000000001';
const task = bead({ status: 'in_progress' });

/** One agent, silent for so many minutes at the time of the look. */
function look(
  silentMin: number,
  its: { readonly agent?: Partial<Agent>; readonly attempt?: Partial<AttemptFacts> } = {},
): RigVerdicts {
  const sinceMs = NOW - silentMin * MINUTE;
  const row = attempt(task, { startedAtMs: NOW - 300 * MINUTE, runningAtMs: NOW - 299 * MINUTE, ...its.attempt });
  const worker = agent('nux', { status: 'working', hookBeadId: task.id, lastActivityAtMs: sinceMs, ...its.agent });
  return gupp(rigView({ beads: [task], agents: [worker], attempts: [row] }), ID, NOW);
}
const flag = (rung: 1 | 2 | 3 | 4, silentMin: number, takenMinAgo: number): Partial<AttemptFacts> => ({
  gupp: { rung, sinceMs: NOW - silentMin * MINUTE, atMs: NOW - takenMinAgo * MINUTE },
});
const kinds = (verdicts: RigVerdicts): string[] =>
  verdicts.decisions.flatMap((decision) => decision.actions.map((action) => action.type));
const inMinutes = (verdicts: RigVerdicts): number | null =>
  verdicts.wakeAtMs === null ? null : (verdicts.wakeAtMs - NOW) / MINUTE;

describe('gupp', () => {
  it('waits for the exact moment of each rung', () => {
    expect(inMinutes(look(0))).toBe(15);
    expect(inMinutes(look(14))).toBe(1);
    expect(inMinutes(look(20, { agent: { status: 'stalled' }, attempt: flag(1, 20, 5) }))).toBe(10);
    expect(inMinutes(look(40, { agent: { status: 'stalled' }, attempt: flag(2, 40, 10) }))).toBe(20);
    expect(inMinutes(look(100, { agent: { status: 'stalled' }, attempt: flag(3, 100, 40) }))).toBe(20);
  });

  it('nudges once at 15 minutes and calls the agent stalled', () => {
    const verdicts = look(15);
    expect(kinds(verdicts)).toEqual(['gupp_step', 'transition_agent', 'send_nudge']);
    expect(verdicts.decisions[0]?.actions[0]).toMatchObject({ rung: 1, sinceMs: NOW - 15 * MINUTE });
  });

  it('asks by mail at 30, tells a person at 60, stops and charges at 120', () => {
    const stalled = { status: 'stalled' } as const;
    expect(kinds(look(30, { agent: stalled, attempt: flag(1, 30, 15) }))).toEqual(['gupp_step', 'send_mail']);
    expect(kinds(look(60, { agent: stalled, attempt: flag(2, 60, 30) }))).toEqual(['gupp_step', 'raise_escalation']);
    const stop = look(120, { agent: stalled, attempt: flag(3, 120, 60) });
    expect(kinds(stop)).toEqual(['gupp_step', 'end_attempt', 'charge_bead', 'transition_bead']);
    expect(stop.decisions[0]?.actions[1]).toMatchObject({ outcome: 'no_progress', signature: 'no_progress/gupp' });
    expect(look(250, { agent: stalled, attempt: flag(4, 250, 130) })).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('gives a running tool 15 minutes more for the first two rungs, not for the others', () => {
    const tool = { activeTools: ['npm test'] };
    expect(inMinutes(look(20, { agent: tool }))).toBe(10);
    const stalled = { ...tool, status: 'stalled' } as const;
    expect(inMinutes(look(40, { agent: stalled, attempt: flag(1, 40, 10) }))).toBe(5);
    expect(kinds(look(60, { agent: stalled, attempt: flag(2, 60, 15) }))).toContain('raise_escalation');
  });

  it('counts a missing activity from the dispatch', () => {
    const never = { agent: { lastActivityAtMs: null }, attempt: { startedAtMs: NOW - 10 * MINUTE } };
    expect(inMinutes(look(0, never))).toBe(5);
    const before = { agent: { lastActivityAtMs: NOW - 500 * MINUTE }, attempt: { startedAtMs: NOW - 10 * MINUTE } };
    expect(inMinutes(look(0, before))).toBe(5);
  });

  it('takes one rung at a time with 15 minutes between, however long nobody looked', () => {
    expect(kinds(look(250))).toEqual(['gupp_step', 'transition_agent', 'send_nudge']);
    const after = look(250, { agent: { status: 'stalled' }, attempt: flag(1, 250, 0) });
    expect([kinds(after), inMinutes(after)]).toEqual([[], 15]);
  });

  it('takes everything back on activity: status, rung, mail, escalation', () => {
    const active = look(1, { agent: { status: 'stalled' }, attempt: flag(3, 61, 1) });
    expect(kinds(active)).toEqual(['transition_agent', 'gupp_reset', 'resolve_escalation']);
    expect(active.decisions[0]?.actions[0]).toMatchObject({ from: 'stalled', to: 'working' });
    expect(kinds(look(1, { agent: { status: 'stalled' }, attempt: flag(2, 31, 1) }))).toEqual([
      'transition_agent',
      'gupp_reset',
    ]);
  });

  it.each([
    ['waits for a person', { agent: { status: 'waiting' as const } }],
    ['waits for a verdict', { attempt: { claim: { state: 'verifying' as const, kind: 'done' as const } } }],
    ['is out of contact', { agent: { status: 'unknown' as const }, attempt: { contactLostAtMs: NOW - MINUTE } }],
    ['is being started', { agent: { status: 'starting' as const } }],
    ['is gone', { attempt: { processGone: true } }],
  ])('leaves an agent alone that %s', (_what, its) => {
    expect(look(200, its)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('takes the rungs back when the agent asks a person or its attempt ends', () => {
    expect(kinds(look(70, { agent: { status: 'waiting' }, attempt: flag(3, 70, 10) }))).toEqual([
      'gupp_reset',
      'resolve_escalation',
    ]);
    const ended = { endedAtMs: NOW, outcome: 'cancelled' as const, ...flag(3, 70, 10) };
    expect(kinds(look(70, { attempt: ended }))).toEqual(['gupp_reset', 'resolve_escalation']);
    expect(look(70, { attempt: { endedAtMs: NOW, outcome: 'done' } })).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('says nothing about an attempt that is not there', () => {
    expect(gupp(rigView(), trusted.attempt(ID), NOW)).toEqual({ decisions: [], wakeAtMs: null });
    expect(polecat('nux')).toBe('api/polecats/nux');
  });
});

import { describe, expect, it } from 'vitest';
import { attempt, bead, exitRecord, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import type { AttemptFacts } from '../view.ts';
import { deadAgent } from './dead-agent.ts';

const task = bead({ status: 'in_progress' });
const judge = (over: Partial<AttemptFacts>) => {
  const row = attempt(task, over);
  return deadAgent(rigView({ beads: [task], attempts: [row] }), row.id, NOW);
};

describe('deadAgent', () => {
  it.each([
    ['its process lives', { exit: null }],
    ['it has ended', { processGone: true, endedAtMs: NOW, exit: exitRecord() }],
    ['it claimed done', { processGone: true, exit: exitRecord(), claim: { state: 'recorded', kind: 'done' } }],
    ['its claim is being verified', { processGone: true, claim: { state: 'verifying', kind: 'done' } }],
  ] as const)('leaves an attempt alone when %s', (_why, over) => {
    expect(judge(over)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('ends it by its exit record', () => {
    const exit = exitRecord({ exitCode: 0, lastLine: '' });
    const [decision] = judge({ processGone: true, exit }).decisions;
    expect(decision?.actions[0]).toMatchObject({ type: 'end_attempt', outcome: 'no_progress' });
    expect(decision?.actions).toContainEqual(expect.objectContaining({ type: 'charge_bead', failures: 1 }));
  });

  it('charges nothing to the bead when its provider had just refused to go on', () => {
    const quota = { resetsAtMs: NOW + 60_000, reason: 'limit reached', atMs: NOW - 1 };
    const [decision] = judge({ processGone: true, exit: exitRecord({ endedAtMs: NOW }), quota }).decisions;
    expect(decision?.actions[0]).toMatchObject({ type: 'end_attempt', outcome: 'quota', signature: null });
    expect(decision?.actions.map((action) => action.type)).not.toContain('charge_bead');
  });

  it('charges nothing to the bead when nothing is known of the end', () => {
    const [decision] = judge({ processGone: true }).decisions;
    expect(decision?.actions.map((action) => action.type)).toEqual(['end_attempt', 'transition_bead', 'trip_breaker']);
    expect(decision?.actions[0]).toMatchObject({ outcome: 'infra', signature: null });
  });

  it('knows nothing of an attempt that does not exist', () => {
    expect(deadAgent(rigView(), 'at-none', NOW).decisions).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { attempt, bead, commit, NOW, rigView, type World } from '../../../test/support/rig-view-builder.ts';
import { CLAIM_DEADLINE_MS } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import type { AttemptFacts } from '../view.ts';
import { promoteKey, verifyDone, verifyKey } from './verify-done.ts';

const task = bead({ status: 'in_progress', baseSha: commit(1) });

function judge(of: Bead, over: Partial<AttemptFacts>) {
  const row = attempt(of, over);
  return verifyDone(rigView({ beads: [of], attempts: [row] }), row.id, NOW);
}
const actions = (of: Bead, over: Partial<AttemptFacts>) => judge(of, over).decisions.flatMap((row) => row.actions);

describe('a claim whose verdict does not come', () => {
  it.each(['verifying', 'promoting'] as const)('tells a person once when a claim stays %s', (state) => {
    const late = (agoMs: number) => ({ claimedAtMs: NOW - agoMs, claim: { state, kind: 'done' as const } });
    expect(judge(task, late(10))).toEqual({ decisions: [], wakeAtMs: NOW - 10 + CLAIM_DEADLINE_MS });
    const overdue = `api-task1 is done, says its agent, but the claim has been ${state} for 10 min: the runner or the git host does not answer, or refuses gt/api-task1. It is asked for again by itself; look into the runner's log.`;
    expect(actions(task, late(CLAIM_DEADLINE_MS))).toEqual([
      {
        type: 'raise_escalation',
        causeKey: 'bead:api-task1',
        severity: 'high',
        category: 'merge',
        subject: 'bead:api-task1',
        message: overdue,
      },
    ]);
    expect(judge(task, late(CLAIM_DEADLINE_MS - 1))).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(judge({ ...task, escalated: true }, late(CLAIM_DEADLINE_MS))).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('says what its own job met, and nothing of other jobs', () => {
    const late = { claimedHead: commit(5), headSha: commit(5), claimedAtMs: NOW - CLAIM_DEADLINE_MS };
    const [verify, promote] = [verifyKey, promoteKey].map((key) => key(attempt(task, late)));
    const failed = (error: string) => ({ tries: 3, error, nextAtMs: NOW });
    const troubles = { [verify ?? '']: failed('could not resolve host'), [promote ?? '']: failed('hook declined') };
    const message = (state: 'verifying' | 'promoting', met: Partial<World>): unknown => {
      const row = attempt(task, { ...late, claim: { state, kind: 'done' } });
      const view = rigView({ beads: [task], attempts: [row], ...met });
      const [told] = verifyDone(view, row.id, NOW).decisions[0]?.actions ?? [];
      return told?.type === 'raise_escalation' && told.message.replace(/^.*It is asked for again by itself/, '');
    };
    const tried = '. It was asked for 3 times at /remotes/api.git; the last try failed:';
    expect(message('verifying', { troubles })).toBe(`${tried} could not resolve host.`);
    expect(message('promoting', { troubles })).toBe(`${tried} hook declined.`);
    expect(message('verifying', { troubles: { other: failed('disk full') } })).toBe("; look into the runner's log.");
  });
});

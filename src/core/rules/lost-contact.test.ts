import { describe, expect, it } from 'vitest';
import { attempt, bead, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import { TAKEOVER_AFTER_MS } from '../limits.ts';
import type { AttemptFacts } from '../view.ts';
import { lostContact } from './lost-contact.ts';

const task = bead({ status: 'in_progress' });
const judge = (over: Partial<AttemptFacts>, nowMs = NOW) => {
  const row = attempt(task, over);
  return lostContact(rigView({ beads: [task], attempts: [row] }), row.id, nowMs);
};
const types = (verdicts: ReturnType<typeof judge>): string[] =>
  verdicts.decisions.flatMap((decision) => decision.actions.map((action) => action.type));

describe('lostContact', () => {
  it.each([
    ['in contact', {}],
    ['proven gone', { contactLostAtMs: 0, processGone: true }],
  ])('leaves an attempt alone that is %s', (_what, over) => {
    expect(judge(over)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('waits until the takeover deadline and asks to be woken then', () => {
    const lost = { contactLostAtMs: NOW };
    expect(judge(lost, NOW)).toEqual({ decisions: [], wakeAtMs: NOW + TAKEOVER_AFTER_MS });
    expect(judge(lost, NOW + TAKEOVER_AFTER_MS - 1)).toEqual({ decisions: [], wakeAtMs: NOW + TAKEOVER_AFTER_MS });
  });

  it('takes over at the deadline: the scope pays, the bead is open again, the process counts as gone', () => {
    const verdicts = judge({ contactLostAtMs: NOW }, NOW + TAKEOVER_AFTER_MS);
    expect(types(verdicts)).toEqual(['end_attempt', 'transition_bead', 'trip_breaker', 'declare_gone', 'stop_agent']);
    expect(verdicts.decisions[0]?.actions[0]).toMatchObject({ outcome: 'infra', signature: null });
  });

  it('says nothing of an attempt that does not exist', () => {
    expect(lostContact(rigView(), 'at-none', NOW)).toEqual({ decisions: [], wakeAtMs: null });
  });

  it('stops what may have outlived the silence at once', () => {
    const { decisions } = judge({ contactLostAtMs: NOW, epoch: 7 }, NOW + TAKEOVER_AFTER_MS);
    const { id } = attempt(task, { epoch: 7 });
    expect(decisions.flatMap((decision) => decision.actions).slice(-2)).toEqual([
      { type: 'declare_gone', attempt: id },
      { type: 'stop_agent', attempt: id, epoch: 7, mode: 'now', at: NOW + TAKEOVER_AFTER_MS },
    ]);
  });

  it('only gives up the process when the attempt has ended already', () => {
    const ended = { contactLostAtMs: NOW, endedAtMs: NOW, outcome: 'cancelled' as const };
    expect(types(judge(ended, NOW + TAKEOVER_AFTER_MS))).toEqual(['declare_gone', 'stop_agent']);
  });

  it('only gives up the process of a claimed attempt: the claim ends by its verdict', () => {
    const claimed = { contactLostAtMs: NOW, claim: { state: 'verifying', kind: 'done' } as const };
    expect(types(judge(claimed, NOW + TAKEOVER_AFTER_MS))).toEqual(['declare_gone', 'stop_agent']);
  });
});

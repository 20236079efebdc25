import { describe, expect, it } from 'vitest';
import { agent, attempt, bead, NOW, rigView } from '../../../test/support/rig-view-builder.ts';
import {
  GUPP_CHECK_AFTER_MS,
  GUPP_ESCALATE_AFTER_MS,
  GUPP_NUDGE_AFTER_MS,
  GUPP_STOP_AFTER_MS,
  GUPP_TOOL_EXTRA_MS,
} from '../limits.ts';
import type { Agent } from '../model/agent.ts';
import type { AttemptFacts } from '../view.ts';
import { gupp } from './gupp.ts';
import type { RigVerdicts } from './rule.ts';

const task = bead({ status: 'in_progress' });
const own = attempt(task, { startedAtMs: 0 });

/** A silence of this length, of which this rung was taken last. */
function look(
  silentMs: number,
  rung: 1 | 2 | 3 | null,
  over: { readonly agent?: Partial<Agent>; readonly attempt?: Partial<AttemptFacts> } = {},
): RigVerdicts {
  const sinceMs = NOW - silentMs;
  const worker = agent('nux', {
    status: rung === null ? 'working' : 'stalled',
    hookBeadId: task.id,
    lastActivityAtMs: sinceMs,
    ...over.agent,
  });
  const taken = rung === null ? null : { rung, sinceMs, atMs: sinceMs };
  const row = { ...own, gupp: taken, ...over.attempt };
  return gupp(rigView({ beads: [task], agents: [worker], attempts: [row] }), own.id, NOW);
}
const decided = (reason: string, ...actions: readonly unknown[]): RigVerdicts =>
  expect.objectContaining({ decisions: [{ rule: 'gupp', entity: `attempt:${own.id}`, reason, actions }] });
const taken = (rung: number, silentMs: number): object => ({
  type: 'gupp_step',
  attempt: own.id,
  rung,
  sinceMs: NOW - silentMs,
});

describe('what a silent agent is told, rung by rung', () => {
  it('a nudge', () => {
    expect(look(GUPP_NUDGE_AFTER_MS, null)).toEqual(
      decided(
        'api/polecats/nux: no activity for 15 min',
        taken(1, GUPP_NUDGE_AFTER_MS),
        { type: 'transition_agent', agent: 'api/polecats/nux', from: 'working', to: 'stalled' },
        {
          type: 'send_nudge',
          attempt: own.id,
          key: `gupp:${own.id}:${String(NOW - GUPP_NUDGE_AFTER_MS)}`,
          from: 'api/witness',
          text: 'There is work on your hook (api-task1) and no activity for 15 min. Go on with it, hand it in with "gt done", or ask with "gt wait".',
          mode: 'immediate',
        },
      ),
    );
  });

  it('a mail', () => {
    expect(look(GUPP_CHECK_AFTER_MS, 1)).toEqual(
      decided('api/polecats/nux: no activity for 30 min', taken(2, GUPP_CHECK_AFTER_MS), {
        type: 'send_mail',
        mail: {
          key: `gupp_check:${own.id}:${String(NOW - GUPP_CHECK_AFTER_MS)}`,
          from: 'api/witness',
          to: 'api/polecats/nux',
          kind: 'gupp_check',
          subject: 'Are you still working on api-task1?',
          body: 'The rig has seen no activity for 30 min from you. Any output or command of yours answers this. If you are stuck, say so with "gt escalate"; if you need a person\'s answer, ask with "gt wait".',
          replyTo: null,
        },
      }),
    );
  });

  it('a person', () => {
    expect(look(GUPP_ESCALATE_AFTER_MS, 2)).toEqual(
      decided('api/polecats/nux: no activity for 1 h', taken(3, GUPP_ESCALATE_AFTER_MS), {
        type: 'raise_escalation',
        causeKey: `gupp:${own.id}`,
        severity: 'medium',
        category: 'gupp',
        subject: 'agent:api/polecats/nux',
        message:
          'api/polecats/nux works on api-task1 but shows no activity for 1 h; it did not react to a nudge and a mail. It is stopped and the bead is tried again 2 h after its last sign of life.',
      }),
    );
  });

  it('its end', () => {
    expect(look(GUPP_STOP_AFTER_MS, 3)).toEqual(
      decided(
        'api/polecats/nux: no activity for 2 h',
        taken(4, GUPP_STOP_AFTER_MS),
        {
          type: 'end_attempt',
          attempt: own.id,
          outcome: 'no_progress',
          reason: 'The agent showed no activity for 2 h and was stopped.',
          signature: 'no_progress/gupp',
        },
        expect.objectContaining({ type: 'charge_bead', signature: 'no_progress/gupp' }),
        { type: 'transition_bead', bead: task.id, from: 'in_progress', to: 'open' },
      ),
    );
  });

  it('with a tool at work each of the first two comes a quarter of an hour later', () => {
    const tool = { agent: { activeTools: ['npm test'] } };
    const nudgeMs = GUPP_NUDGE_AFTER_MS + GUPP_TOOL_EXTRA_MS;
    expect(look(nudgeMs - 1, null, tool)).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(look(nudgeMs, null, tool).decisions).toHaveLength(1);
    const checkMs = GUPP_CHECK_AFTER_MS + GUPP_TOOL_EXTRA_MS;
    expect(look(checkMs - 1, 1, tool)).toEqual({ decisions: [], wakeAtMs: NOW + 1 });
    expect(look(checkMs, 1, tool).decisions).toHaveLength(1);
  });
});

describe('what ends a silence', () => {
  const reset = (sinceMs: number): object => ({
    type: 'gupp_reset',
    attempt: own.id,
    mailKey: `gupp_check:${own.id}:${String(sinceMs)}`,
  });
  const before = NOW - GUPP_STOP_AFTER_MS;
  const flag = { gupp: { rung: 3, sinceMs: before, atMs: before } } as const;
  const resolved = { type: 'resolve_escalation', causeKey: `gupp:${own.id}`, bead: null };

  it('activity', () => {
    expect(look(1, null, { agent: { status: 'stalled' }, attempt: flag })).toEqual(
      decided(
        'api/polecats/nux is active again',
        { type: 'transition_agent', agent: 'api/polecats/nux', from: 'stalled', to: 'working' },
        reset(before),
        resolved,
      ),
    );
  });

  it('activity after a rung of which nothing is recorded', () => {
    expect(look(1, null, { agent: { status: 'stalled' } })).toEqual(
      decided('api/polecats/nux is active again', {
        type: 'transition_agent',
        agent: 'api/polecats/nux',
        from: 'stalled',
        to: 'working',
      }),
    );
  });

  it('activity of one that was never called stalled', () => {
    expect(look(1, null, { attempt: flag })).toEqual(
      decided('api/polecats/nux is active again', reset(before), resolved),
    );
  });

  it('a question to a person', () => {
    expect(look(GUPP_ESCALATE_AFTER_MS, 2, { agent: { status: 'waiting' } })).toEqual(
      decided('api/polecats/nux waits for a person', reset(NOW - GUPP_ESCALATE_AFTER_MS)),
    );
  });

  it('its end, and an agent that is gone', () => {
    const ended = decided('the silent attempt has ended', reset(before), resolved);
    expect(look(1, null, { attempt: { ...flag, endedAtMs: NOW } })).toEqual(ended);
    const row = { ...own, ...flag };
    expect(gupp(rigView({ attempts: [row] }), own.id, NOW)).toEqual(ended);
  });

  it('nothing while its runner does not answer', () => {
    const lost = { attempt: { contactLostAtMs: NOW - 1 } };
    expect(look(GUPP_NUDGE_AFTER_MS, null, lost)).toEqual({ decisions: [], wakeAtMs: null });
  });
});

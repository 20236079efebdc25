import { describe, expect, it } from 'vitest';
import { townView } from '../../../test/support/town-builder.ts';
import type { TownAction } from '../actions.ts';
import { RE_ESCALATE_AFTER_MS } from '../limits.ts';
import { SEVERITIES, type Escalation, type EscalationRoute } from '../model/escalation.ts';
import { trusted } from '../model/ids.ts';
import { escalationRule } from './escalation.ts';

const ID = 'hq-esc-00000000';
const NOW = 1_000_000;
const item = (over: Partial<Escalation> = {}): Escalation => ({
  id: trusted.escalation(ID),
  rig: trusted.rig('api'),
  severity: 'high',
  category: 'bead',
  message: 'it failed twice alike',
  subject: 'bead:api-00000',
  causeKey: 'bead:api-00000',
  repeats: 0,
  acknowledgedAtMs: null,
  acknowledgedBy: null,
  resolvedAtMs: null,
  resolvedBy: null,
  resolution: null,
  decision: null,
  reEscalations: 0,
  nextEscalationAtMs: NOW + RE_ESCALATE_AFTER_MS,
  createdAtMs: NOW,
  ...over,
});
const told = (route: EscalationRoute['route'], round = 0): EscalationRoute => ({
  round,
  route,
  severity: 'high',
  state: 'sent',
  tries: 1,
  error: null,
  atMs: NOW,
});

function judge(of: Escalation | null, routes: readonly EscalationRoute[] = [], nowMs = NOW) {
  const view = townView({ escalation: () => of, escalationRoutes: () => routes });
  const verdicts = escalationRule(view, ID, nowMs);
  return { actions: verdicts.decisions.flatMap((decision) => decision.actions), wakeAtMs: verdicts.wakeAtMs };
}
const routes = (actions: readonly TownAction[]): string[] =>
  actions.flatMap((action) => (action.type === 'route_escalation' ? [action.route] : []));

describe('escalationRule', () => {
  it.each([
    ['low', ['log']],
    ['medium', ['mayor']],
    ['high', ['mayor', 'webhook', 'email']],
    ['critical', ['mayor', 'webhook', 'email', 'desktop']],
  ] as const)('tells %s over %j, once', (severity, expected) => {
    expect(routes(judge(item({ severity })).actions)).toEqual(expected);
    const again = judge(
      item({ severity }),
      expected.map((route) => told(route)),
    );
    expect(again).toEqual({ actions: [], wakeAtMs: NOW + RE_ESCALATE_AFTER_MS });
  });

  it('tells the routes of a severity that was raised by a repeat', () => {
    expect(routes(judge(item({ severity: 'high' }), [told('mayor')]).actions)).toEqual(['webhook', 'email']);
  });

  it('says in one decision why it tells it, and in each action whom and what', () => {
    const view = townView({ escalation: () => item({ severity: 'medium', reEscalations: 2 }) });
    expect(escalationRule(view, ID, NOW)).toEqual({
      decisions: [
        {
          rule: 'escalation',
          entity: `escalation:${ID}`,
          reason: 'it is medium',
          actions: [{ type: 'route_escalation', escalation: ID, round: 2, severity: 'medium', route: 'mayor' }],
        },
      ],
      wakeAtMs: NOW + RE_ESCALATE_AFTER_MS,
    });
  });

  it('rises at its moment, not before', () => {
    const view = townView({
      escalation: () => item({ reEscalations: 1 }),
      escalationRoutes: () => [told('mayor', 1), told('webhook', 1), told('email', 1)],
    });
    const dueMs = NOW + RE_ESCALATE_AFTER_MS;
    expect(escalationRule(view, ID, dueMs - 1)).toEqual({ decisions: [], wakeAtMs: dueMs });
    expect(escalationRule(view, ID, dueMs)).toEqual({
      decisions: [
        {
          rule: 'escalation',
          entity: `escalation:${ID}`,
          reason: 'nobody acknowledged it',
          actions: [
            {
              type: 're_escalate',
              escalation: ID,
              fromRound: 1,
              severity: 'critical',
              nextAtMs: dueMs + 3 * RE_ESCALATE_AFTER_MS,
            },
          ],
        },
      ],
      wakeAtMs: null,
    });
  });

  it('that reached everybody rises no more', () => {
    const view = townView({ escalation: () => item({ nextEscalationAtMs: null }) });
    expect(escalationRule(view, ID, NOW + 100 * RE_ESCALATE_AFTER_MS).wakeAtMs).toBeNull();
  });

  it('leaves alone what was acknowledged or resolved (T33)', () => {
    for (const over of [{ acknowledgedAtMs: NOW }, { resolvedAtMs: NOW }])
      expect(judge(item(over), [], NOW + 100 * RE_ESCALATE_AFTER_MS)).toEqual({ actions: [], wakeAtMs: null });
    expect(judge(null)).toEqual({ actions: [], wakeAtMs: null });
  });

  it('rises step by step, each wait longer than the one before, three times at most', () => {
    let now = NOW;
    let state = item({ severity: 'low' });
    const waits: number[] = [];
    for (;;) {
      const due = state.nextEscalationAtMs;
      if (due === null) break;
      waits.push((due - now) / RE_ESCALATE_AFTER_MS);
      now = due;
      const [action] = judge(state, [], now).actions;
      if (action?.type !== 're_escalate') throw new Error('it did not rise');
      expect(action.fromRound).toBe(state.reEscalations);
      const severity = SEVERITIES.find((one) => one === action.severity) ?? 'low';
      state = item({ severity, reEscalations: state.reEscalations + 1, nextEscalationAtMs: action.nextAtMs });
    }
    expect(waits).toEqual([1, 2, 3]);
    expect(state).toMatchObject({ severity: 'critical', reEscalations: 3 });
    expect(routes(judge(state, [told('webhook', 2)], now).actions)).toEqual(['mayor', 'webhook', 'email', 'desktop']);
  });
});

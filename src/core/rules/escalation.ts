import type { TownAction, Verdicts } from '../actions.ts';
import { RE_ESCALATE_AFTER_MS, RE_ESCALATIONS_MAX } from '../limits.ts';
import { raised, routesOf } from '../model/escalation.ts';
import { escalationRef } from '../refs.ts';
import type { TownView } from '../town-view.ts';

const NONE: Verdicts<TownAction> = { decisions: [], wakeAtMs: null };

/** How long after the last rise an escalation rises again: each wait is longer than the one before. */
export const nextRiseAfterMs = (rises: number): number | null =>
  rises >= RE_ESCALATIONS_MAX ? null : RE_ESCALATE_AFTER_MS * (rises + 1);

/**
 * Tells an open escalation over the routes of its severity, once per round, and lets it rise while nobody
 * acknowledges it. One that was acknowledged or resolved is left alone for ever.
 */
export function escalationRule(view: TownView, id: string, nowMs: number): Verdicts<TownAction> {
  const item = view.escalation(id);
  if (item === null || item.resolvedAtMs !== null || item.acknowledgedAtMs !== null) return NONE;
  const entity = escalationRef(item.id);
  if (item.nextEscalationAtMs !== null && nowMs >= item.nextEscalationAtMs) {
    const rises = item.reEscalations + 1;
    const waitMs = nextRiseAfterMs(rises);
    const action: TownAction = {
      type: 're_escalate',
      escalation: item.id,
      fromRound: item.reEscalations,
      severity: raised(item.severity),
      nextAtMs: waitMs === null ? null : nowMs + waitMs,
    };
    return {
      decisions: [{ rule: 'escalation', entity, reason: 'nobody acknowledged it', actions: [action] }],
      wakeAtMs: null,
    };
  }
  const told = view.escalationRoutes(item.id).filter((row) => row.round === item.reEscalations);
  const missing = routesOf(item.severity).filter((route) => !told.some((row) => row.route === route));
  const actions: TownAction[] = missing.map((route) => ({
    type: 'route_escalation',
    escalation: item.id,
    round: item.reEscalations,
    severity: item.severity,
    route,
  }));
  return {
    decisions: actions.length === 0 ? [] : [{ rule: 'escalation', entity, reason: `it is ${item.severity}`, actions }],
    wakeAtMs: item.nextEscalationAtMs,
  };
}

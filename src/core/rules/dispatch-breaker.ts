import type { RigAction } from '../actions.ts';
import { BREAKER_ESCALATE_AFTER_MS, BREAKER_PROOF_MS, INFRA_FAILURES_TO_OPEN } from '../limits.ts';
import { trusted } from '../model/ids.ts';
import { attemptEntity, SCHEDULE } from '../refs.ts';
import type { RigView } from '../view.ts';
import { act, NOTHING, wakeAt, type RigRule } from './rule.ts';

/** Cause of the one escalation about a rig's dispatch. */
export const breakerCause = (view: RigView): string => `breaker:${view.config().name}:dispatch`;

/**
 * A breaker that stays open is told to a person once: infrastructure that is broken for half an hour does not mend
 * itself, and a scope that fails in silence is the field's commonest overnight loss (T11).
 */
export const dispatchBreaker: RigRule = (view, _id, nowMs) => {
  const breaker = view.breaker();
  if (breaker.failures < INFRA_FAILURES_TO_OPEN || breaker.openedAtMs === null || breaker.escalated) return NOTHING;
  const dueMs = breaker.openedAtMs + BREAKER_ESCALATE_AFTER_MS;
  if (nowMs < dueMs) return wakeAt(dueMs);
  const name = view.config().name;
  return act({
    rule: 'dispatch-breaker',
    entity: SCHEDULE,
    reason: 'dispatch has been stopped for too long',
    actions: [
      {
        type: 'raise_escalation',
        causeKey: breakerCause(view),
        severity: 'high',
        category: 'infrastructure',
        subject: `rig:${name}`,
        message: `No agent can be started in ${name} after ${String(breaker.failures)} failures: ${breaker.reason ?? 'unknown'}. No bead is charged; it is tried again by itself.`,
      },
    ],
  });
};

/**
 * A process that started after the failures and has run for a while proves that the infrastructure works: the breaker
 * closes then, and not only when the first long task is done.
 */
export const provenHealthy: RigRule = (view, id, nowMs) => {
  if (view.breaker().failures === 0) return NOTHING;
  const attempt = view.attempt(trusted.attempt(id));
  const openedAtMs = view.breaker().openedAtMs ?? 0;
  if (attempt === null || attempt.endedAtMs !== null || attempt.processGone || attempt.contactLostAtMs !== null)
    return NOTHING;
  if (attempt.runningAtMs === null || attempt.runningAtMs < openedAtMs) return NOTHING;
  const provenAtMs = attempt.runningAtMs + BREAKER_PROOF_MS;
  if (nowMs < provenAtMs) return wakeAt(provenAtMs);
  return act({
    rule: 'dispatch-breaker',
    entity: attemptEntity(attempt.id),
    reason: 'a process started after the failures runs well',
    actions: closeBreaker(view),
  });
};

/** Dispatch works again: the count starts over, and what was escalated about it is resolved. Nothing when it was closed. */
export function closeBreaker(view: RigView): RigAction[] {
  const breaker = view.breaker();
  if (breaker.failures === 0) return [];
  const reset: RigAction = { type: 'reset_breaker' };
  return breaker.escalated
    ? [{ type: 'resolve_escalation', causeKey: breakerCause(view), bead: null }, reset]
    : [reset];
}

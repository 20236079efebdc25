import type { RigAction } from '../actions.ts';
import { isTripped, passedScopes } from '../breaker-scope.ts';
import { breakerScope, RIG_SCOPE, scopeText, type BreakerScope } from '../model/breaker.ts';
import { BREAKER_ESCALATE_AFTER_MS, BREAKER_PROOF_MS, BREAKER_UNUSED_MS } from '../limits.ts';
import type { Attempt } from '../model/agent.ts';
import { trusted } from '../model/ids.ts';
import { attemptEntity, SCHEDULE } from '../refs.ts';
import type { BreakerFacts, RigView } from '../view.ts';
import { type RigDecision, type RigRule } from './rule.ts';

/** Cause of the one escalation about a scope of a rig. */
export const breakerCause = (view: RigView, scope: BreakerScope): string => `breaker:${view.config().name}:${scope}`;

/** The scope that such a cause is about. */
export const scopeOfCause = (causeKey: string): BreakerScope => breakerScope(causeKey.split(':').slice(2).join(':'));

/** What a sentence about a breaker says. */
type Broken = Pick<BreakerFacts, 'scope' | 'failures' | 'reason'>;

/** What is stopped, after what, in the words that `gt why`, the inbox and the escalation share. */
export function brokenText(view: RigView, { scope, failures, reason }: Broken): string {
  const { name } = view.config();
  const where =
    scope === RIG_SCOPE
      ? `in ${name}`
      : `${scope.startsWith('runner:') ? 'on' : 'with'} ${scopeText(scope, name)} in ${name}`;
  return `No agent can be started ${where} after ${failures === 1 ? 'a failure' : `${String(failures)} failures`}: ${reason ?? 'unknown'}`;
}

/**
 * A breaker that stays open is told to a person once: infrastructure that is broken for half an hour does not mend
 * itself, and a scope that fails in silence is the field's commonest overnight loss (T11). One of a runtime or a runner
 * that nothing needs any more is forgotten.
 */
export const dispatchBreaker: RigRule = (view, _id, nowMs) => {
  const decisions: RigDecision[] = [];
  let wakeAtMs: number | null = null;
  const due = (atMs: number): boolean => {
    if (nowMs >= atMs) return true;
    wakeAtMs = Math.min(wakeAtMs ?? atMs, atMs);
    return false;
  };
  for (const breaker of view.breakers()) {
    if (breaker.scope !== RIG_SCOPE && due(breaker.retryAtMs + BREAKER_UNUSED_MS))
      decisions.push({
        rule: 'dispatch-breaker',
        entity: SCHEDULE,
        reason: `nothing needed ${scopeText(breaker.scope, view.config().name)} for a day`,
        actions: closeBreaker(view, breaker),
      });
    else if (
      isTripped(breaker) &&
      breaker.openedAtMs !== null &&
      !breaker.escalated &&
      due(breaker.openedAtMs + BREAKER_ESCALATE_AFTER_MS)
    )
      decisions.push(tellPeople(view, breaker));
  }
  return { decisions, wakeAtMs };
};

const tellPeople = (view: RigView, breaker: BreakerFacts): RigDecision => ({
  rule: 'dispatch-breaker',
  entity: SCHEDULE,
  reason: 'dispatch has been stopped for too long',
  actions: [tellBroken(view, breaker)],
});

/** What a person hears about a scope in which nothing starts. */
export const tellBroken = (view: RigView, breaker: Broken): RigAction => ({
  type: 'raise_escalation',
  causeKey: breakerCause(view, breaker.scope),
  severity: 'high',
  category: 'infrastructure',
  subject: `rig:${view.config().name}`,
  message: `${brokenText(view, breaker).replace(/\.$/, '')}. No bead is charged; it is tried again by itself.`,
});

/**
 * A process that started after the failures and has run for a while proves that what it passed through works: those
 * breakers close then, and not only when the first long task is done.
 */
export const provenHealthy: RigRule = (view, id, nowMs) => {
  const attempt = view.attempt(trusted.attempt(id));
  if (attempt === null || attempt.endedAtMs !== null || attempt.processGone || attempt.contactLostAtMs !== null)
    return { decisions: [], wakeAtMs: null };
  const { runningAtMs } = attempt;
  if (runningAtMs === null) return { decisions: [], wakeAtMs: null };
  const failing = failingScopes(view, attempt).filter(({ openedAtMs }) => runningAtMs >= (openedAtMs ?? 0));
  if (failing.length === 0) return { decisions: [], wakeAtMs: null };
  const provenAtMs = runningAtMs + BREAKER_PROOF_MS;
  if (nowMs < provenAtMs) return { decisions: [], wakeAtMs: provenAtMs };
  return {
    decisions: [
      {
        rule: 'dispatch-breaker',
        entity: attemptEntity(attempt.id),
        reason: 'a process started after the failures runs well',
        actions: failing.flatMap((breaker) => closeBreaker(view, breaker)),
      },
    ],
    wakeAtMs: null,
  };
};

function failingScopes(view: RigView, attempt: Pick<Attempt, 'runtime' | 'runner'>): readonly BreakerFacts[] {
  const passed = passedScopes(attempt);
  return view.breakers().filter(({ scope }) => passed.includes(scope));
}

/**
 * What this attempt passed through works: the counts of these scopes start over, and what was escalated about them is
 * resolved. What it did not pass through stays as it is. Nothing where nothing failed.
 */
export const closeBreakers = (view: RigView, attempt: Pick<Attempt, 'runtime' | 'runner'>): RigAction[] =>
  failingScopes(view, attempt).flatMap((breaker) => closeBreaker(view, breaker));

function closeBreaker(view: RigView, { scope, escalated }: BreakerFacts): RigAction[] {
  const reset: RigAction = { type: 'reset_breaker', scope };
  return escalated ? [{ type: 'resolve_escalation', causeKey: breakerCause(view, scope), bead: null }, reset] : [reset];
}

import type { ExitRecord, Fact } from '../../core/facts.ts';
import { LEASE_MS, LEASE_RENEW_BEFORE_MS } from '../../core/limits.ts';
import type { TownToMayor } from '../../core/mayor-actions.ts';
import type { MayorAttempt } from '../../core/model/mayor.ts';
import { attemptEntity, MAYOR_REF } from '../../core/refs.ts';
import type { InboxEvent, NewEvent } from '../../store/kernel-store.ts';
import { parseJson } from '../../store/rows.ts';
import type { Turn } from '../kernel/turn.ts';
import type { MayorContext } from './mayor-context.ts';
import { MayorPost } from './mayor-post.ts';
import { runnersChanged } from './mayor-runners.ts';
import { recordMayorUsage } from './mayor-usage.ts';

/** What the mayor's actor tells itself about its process. */
export type MayorOwnEvent =
  | { readonly type: 'running'; readonly attempt: string }
  | { readonly type: 'gone'; readonly attempt: string; readonly reason: string }
  | { readonly type: 'exited'; readonly attempt: string; readonly exit: ExitRecord }
  | { readonly type: 'contact_lost'; readonly attempt: string };

/** When a process that was heard of is asked about again. */
export const renewAt = (nowMs: number): number => nowMs + LEASE_MS - LEASE_RENEW_BEFORE_MS;

/** Facts of the runner about the mayor's process keep their order. */
export function mayorFactEvent(fact: Fact): NewEvent {
  const attempt = fact.type === 'job_finished' ? fact.jobKey : attemptOf(fact);
  return { key: fact.key, type: `fact.${fact.type}`, subject: `attempt:${attempt}`, payload: fact };
}

const attemptOf = (fact: Exclude<Fact, { readonly type: 'job_finished' }>): string =>
  fact.type === 'agent_exited' ? fact.exit.attempt : fact.attempt;

/** Records what happened; the rule decides afterwards. */
export function applyMayorEvent(mayor: MayorContext, turn: Turn, event: InboxEvent): void {
  turn.dirty(MAYOR_REF);
  if (event.type.startsWith('message.')) {
    const message = parseJson<TownToMayor>(event.payload);
    if (message.type === 'deliver_mail') new MayorPost(mayor).take(turn, message.mail);
    else runnersChanged(mayor, turn, message.runners);
    return;
  }
  if (event.type.startsWith('fact.')) applyFact(mayor, turn, parseJson<Fact>(event.payload));
  else applyOwn(mayor, turn, parseJson<MayorOwnEvent>(event.payload));
}

function applyFact(mayor: MayorContext, turn: Turn, fact: Fact): void {
  if (fact.type === 'job_finished') return;
  const attempt = mayor.store.attempt(attemptOf(fact));
  const epoch = fact.type === 'agent_exited' ? fact.exit.epoch : fact.epoch;
  if (attempt === null || attempt.epoch !== epoch) {
    const reason = `${fact.type} of an attempt or epoch this town does not know`;
    turn.journal({ entity: MAYOR_REF, action: 'ignore_fact', rule: 'events', reason });
    return;
  }
  if (fact.type === 'agent_usage') {
    recordMayorUsage(mayor, turn, { attempt, fact });
    return;
  }
  if (attempt.processGone) return;
  switch (fact.type) {
    case 'agent_started':
      heardOf(mayor, turn, attempt, fact.instance);
      turn.journal({
        entity: MAYOR_REF,
        action: 'agent_started',
        rule: 'events',
        reason: `process ${String(fact.pid)} runs`,
      });
      return;
    case 'agent_exited':
      gone(mayor, turn, attempt, fact.exit);
      return;
    case 'agent_event':
      heardOf(mayor, turn, attempt, null);
      return;
    default:
      turn.journal({
        entity: MAYOR_REF,
        action: 'ignore_fact',
        rule: 'events',
        reason: `${fact.type}: the mayor hands nothing in`,
      });
  }
}

function heardOf(mayor: MayorContext, turn: Turn, attempt: MayorAttempt, runner: string | null): void {
  mayor.store.setRunning(attempt.id, turn.nowMs, runner);
  turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', renewAt(turn.nowMs));
}

function gone(mayor: MayorContext, turn: Turn, attempt: MayorAttempt, exit: ExitRecord | null): void {
  mayor.store.setGone(attempt.id, exit);
  turn.kernel.setTimer(attemptEntity(attempt.id), 'observe', null);
  for (const kind of ['stop', 'start']) turn.kernel.settleEffect(`${kind}:${attempt.id}`, 'done', null, turn.nowMs);
}

function applyOwn(mayor: MayorContext, turn: Turn, event: MayorOwnEvent): void {
  const attempt = mayor.store.attempt(event.attempt);
  if (attempt === null || attempt.processGone) return;
  switch (event.type) {
    case 'running':
      heardOf(mayor, turn, attempt, null);
      return;
    case 'exited':
      gone(mayor, turn, attempt, event.exit);
      return;
    case 'gone':
      gone(mayor, turn, attempt, null);
      turn.journal({ entity: MAYOR_REF, action: 'attempt_gone', rule: 'events', reason: event.reason });
      return;
    default:
      mayor.store.setContactLost(attempt.id, turn.nowMs);
      turn.journal({
        entity: MAYOR_REF,
        action: 'contact_lost',
        rule: 'events',
        reason: 'the runner does not answer',
      });
  }
}

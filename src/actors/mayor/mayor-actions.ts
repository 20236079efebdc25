import type { Decision } from '../../core/actions.ts';
import { unreachable } from '../../core/assert.ts';
import {
  MAILBOX_UNREAD_MAX,
  MAYOR_SITTING_CHARS_MAX,
  MAYOR_SITTING_MESSAGES_MAX,
  START_DEADLINE_MS,
} from '../../core/limits.ts';
import type { MayorAction } from '../../core/mayor-actions.ts';
import { MAYOR, type MayorMessage } from '../../core/model/mayor.ts';
import { LOCAL_RUNNER } from '../../core/model/runner.ts';
import { attemptEntity, MAYOR_REF } from '../../core/refs.ts';
import { MAYOR_BREAKER_CAUSE } from '../../core/rules/mayor.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { Turn } from '../kernel/turn.ts';
import type { MayorContext } from './mayor-context.ts';

type Of<Type extends MayorAction['type']> = Extract<MayorAction, { readonly type: Type }>;
interface Change {
  readonly to?: string;
}

/**
 * Lane of the effects that start and stop the mayor's processes at one runner, one after the other: a stop that waits for
 * a lost runner must not hold up the start at another one.
 */
const lane = (runner: string): string => (runner === LOCAL_RUNNER ? 'mayor' : `mayor@${runner}`);

/** Carries out what the mayor's rule decided; journalled with its reason. */
export function applyMayorAction(
  mayor: MayorContext,
  turn: Turn,
  action: MayorAction,
  decision: Decision<MayorAction>,
): void {
  const change = perform(mayor, turn, action);
  turn.dirty(MAYOR_REF);
  turn.journal({
    entity: decision.entity,
    action: action.type,
    rule: decision.rule,
    reason: decision.reason,
    to: change.to ?? null,
  });
}

function perform(mayor: MayorContext, turn: Turn, action: MayorAction): Change {
  const { store } = mayor;
  switch (action.type) {
    case 'open_sitting':
      return openSitting(mayor, turn);
    case 'start_mayor':
      return start(mayor, turn, action);
    case 'end_mayor_attempt':
      store.endAttempt(action.attempt, { ...action, nowMs: turn.nowMs });
      return { to: action.outcome };
    case 'stop_mayor':
      turn.effect({
        key: `stop:${action.attempt}`,
        kind: 'stop',
        lane: lane(store.attempt(action.attempt)?.runner ?? LOCAL_RUNNER),
        payload: { attempt: action.attempt, epoch: action.epoch, mode: action.mode },
      });
      return { to: action.mode };
    case 'mayor_gone':
      store.setGone(action.attempt, null);
      turn.kernel.setTimer(attemptEntity(action.attempt), 'observe', null);
      return { to: action.attempt };
    default:
      return count(mayor, turn, action);
  }
}

type CountAction = Of<'count_failure' | 'clear_failures' | 'close_sitting' | 'tell_people' | 'untell_people'>;

function count(mayor: MayorContext, turn: Turn, action: CountAction): Change {
  const { store } = mayor;
  switch (action.type) {
    case 'count_failure':
      store.setFailures(action.failures, action.notBeforeMs);
      if (action.charged) store.chargeSitting(action.sitting);
      return { to: `${String(action.failures)} in a row` };
    case 'clear_failures':
      store.setFailures(0, 0);
      return {};
    case 'close_sitting':
      store.closeSitting(action.sitting, action.outcome, turn.nowMs);
      return { to: action.outcome };
    case 'tell_people':
      if (action.causeKey === MAYOR_BREAKER_CAUSE) store.setEscalated(true);
      mayor.tellTown(turn, {
        type: 'escalation_raised',
        causeKey: action.causeKey,
        severity: action.severity,
        category: 'mayor',
        subject: `agent:${MAYOR}`,
        text: action.message,
      });
      return { to: action.severity };
    case 'untell_people':
      if (action.causeKey === MAYOR_BREAKER_CAUSE) store.setEscalated(false);
      mayor.tellTown(turn, { type: 'escalation_resolved', causeKey: action.causeKey });
      return {};
    default:
      return unreachable(action, 'action of the mayor');
  }
}

function openSitting(mayor: MayorContext, turn: Turn): Change {
  const messages = fitting(mayor.store.waiting(MAYOR_SITTING_MESSAGES_MAX));
  const number = mayor.store.beginSitting(
    messages.map((message) => message.seq),
    turn.nowMs,
  );
  return { to: `sitting ${String(number)}, ${String(messages.length)} messages` };
}

/** As many of the oldest as one prompt takes, never past one that does not fit: order is kept. */
function fitting(messages: readonly MayorMessage[]): readonly MayorMessage[] {
  let left = MAYOR_SITTING_CHARS_MAX;
  const taken: MayorMessage[] = [];
  for (const message of messages) {
    left -= message.text.length;
    if (left < 0 && taken.length > 0) break;
    taken.push(message);
  }
  return taken;
}

function start(mayor: MayorContext, turn: Turn, action: Of<'start_mayor'>): Change {
  const sitting = mayor.store.openSitting();
  if (sitting === null || (action.sitting !== null && action.sitting !== sitting.number))
    throw new GuardFailed('its sitting is not open');
  if (mayor.store.unresolved() !== null) throw new GuardFailed('a process of the mayor is not proven gone');
  const id = mayor.mintAttempt(turn.nowMs);
  const epoch = turn.kernel.nextCounter('epoch');
  mayor.store.insertAttempt({
    id,
    epoch,
    sitting: sitting.number,
    runner: action.runner,
    instance: action.runner === LOCAL_RUNNER ? turn.kernel.getMeta('runner') : null,
    nowMs: turn.nowMs,
  });
  const { mail } = mayor.store;
  mail.markDelivered(mail.unread(MAYOR, MAILBOX_UNREAD_MAX), id, turn.nowMs);
  turn.effect({ key: `start:${id}`, kind: 'start', lane: lane(action.runner), payload: { attempt: id } });
  turn.kernel.setTimer(attemptEntity(id), 'observe', turn.nowMs + START_DEADLINE_MS);
  return { to: `${id}, epoch ${String(epoch)}, sitting ${String(sitting.number)}, runner ${action.runner}` };
}

import type { Decision, TownAction } from '../../core/actions.ts';
import { unreachable } from '../../core/assert.ts';
import { MAIL_SUBJECT_CHARS_MAX } from '../../core/limits.ts';
import { isOutside } from '../../core/model/escalation.ts';
import { DAEMON, type NewMail } from '../../core/model/mail.ts';
import { trusted } from '../../core/model/ids.ts';
import { CONVOY_TRANSITIONS } from '../../core/transitions.ts';
import { notifyKey } from '../../store/escalation-writer.ts';
import { GuardFailed } from '../../store/guard-failed.ts';
import type { Turn } from '../kernel/turn.ts';
import { applyBudgetAction } from './budget-commands.ts';
import type { TownContext } from './town-context.ts';

type Of<Type extends TownAction['type']> = Extract<TownAction, { readonly type: Type }>;
interface Change {
  readonly from?: string;
  readonly to?: string;
}

/** Carries out what the rules of the town decided: guarded, and journalled with the rule and the reason. */
export function applyTownAction(
  town: TownContext,
  turn: Turn,
  action: TownAction,
  decision: Decision<TownAction>,
): void {
  const change = perform(town, turn, action);
  turn.journal({
    entity: decision.entity,
    action: action.type,
    rule: decision.rule,
    reason: decision.reason,
    from: change.from ?? null,
    to: change.to ?? null,
  });
}

function perform(town: TownContext, turn: Turn, action: TownAction): Change {
  return action.type === 'grant_budget' || action.type === 'mark_budget_told'
    ? applyBudgetAction(town, turn, action)
    : performOther(town, turn, action);
}

function performOther(
  town: TownContext,
  turn: Turn,
  action: Exclude<TownAction, Of<'grant_budget' | 'mark_budget_told'>>,
): Change {
  switch (action.type) {
    case 'convoy_status':
      return moveConvoy(town, turn, action);
    case 'message_rig':
      town.tell(turn, action.rig, action.message);
      return { to: `${action.rig}: ${action.message.type}` };
    case 'open_escalation':
      town.raise(turn, { ...action, rig: action.rig ?? '' });
      return { to: action.severity };
    case 'close_escalation':
      town.resolve(turn, action.causeKey);
      return {};
    case 'route_escalation':
      return route(town, turn, action);
    case 're_escalate':
      town.escalations(turn).rise(action.escalation, action.fromRound, action);
      return { to: action.severity };
    case 'plan_landing':
    case 'order_landing':
    case 'retry_landing':
    case 'hold_landing':
      return changeLanding(town, turn, action);
    default:
      return changeRows(town, turn, action);
  }
}

function changeLanding(
  town: TownContext,
  turn: Turn,
  action: Of<'plan_landing' | 'order_landing' | 'retry_landing' | 'hold_landing'>,
): Change {
  const writer = town.landings(turn);
  const convoy = trusted.convoy(action.convoy);
  switch (action.type) {
    case 'plan_landing':
      writer.plan(convoy, action.rigs);
      return { to: action.rigs.map(({ rig, empty }) => `${rig}${empty ? ' (nothing)' : ''}`).join(', ') };
    case 'order_landing':
      writer.order(convoy, action.rig, action.attempt);
      return { to: `${action.rig}, attempt ${String(action.attempt)}` };
    case 'retry_landing':
      writer.retry(convoy, action.rig, action.attempt, action.notBeforeMs);
      return { to: action.rig };
    case 'hold_landing':
      writer.hold(convoy, action.rig, action.reason);
      return { to: action.rig };
    default:
      return unreachable(action, 'landing of a convoy');
  }
}

type RowAction = Of<'start_beads' | 'accept_addition' | 'drop_beads' | 'void_beads' | 'ask_about_convoy'>;

function changeRows(town: TownContext, turn: Turn, action: RowAction): Change {
  const writer = town.convoys(turn);
  const convoy = trusted.convoy(action.convoy);
  switch (action.type) {
    case 'start_beads':
      writer.markStarted(convoy, action.positions);
      return { to: `${String(action.positions.length)} beads` };
    case 'accept_addition':
      writer.acceptAddition(convoy, action.batch);
      return { to: 'done' };
    case 'drop_beads':
      writer.dropBeads(convoy, action.positions);
      return { to: `${String(action.positions.length)} beads` };
    case 'void_beads':
      writer.voidBeads(convoy, action.positions);
      return { to: `${String(action.positions.length)} beads` };
    case 'ask_about_convoy':
      writer.setAskedAbout(convoy, action.beads);
      return { to: String(action.beads) };
    default:
      return unreachable(action, 'action of the town');
  }
}

/** The log and the mayor's mailbox are in the town; the other routes are effects. */
function route(town: TownContext, turn: Turn, action: Of<'route_escalation'>): Change {
  const writer = town.escalations(turn);
  const { route: name, severity } = action;
  writer.addRoute(action, severity, isOutside(name) ? 'pending' : 'sent');
  if (name === 'log') town.ports.log.info('escalation told', { escalation: action.escalation, severity });
  if (name === 'mayor') mailMayor(town, turn, action);
  if (isOutside(name)) {
    const key = notifyKey(action);
    const payload = { escalation: action.escalation, round: action.round, route: name };
    turn.effect({ key, kind: 'notify', lane: key, payload });
  }
  return { to: name };
}

function mailMayor(town: TownContext, turn: Turn, action: Of<'route_escalation'>): void {
  const item = town.view.escalation(action.escalation);
  if (item === null) return;
  const mail: NewMail = {
    key: notifyKey(action),
    from: DAEMON,
    to: 'mayor/',
    kind: 'note',
    subject: `Escalation ${item.id} (${item.severity}): ${item.subject}`.slice(0, MAIL_SUBJECT_CHARS_MAX),
    body: `${item.message}\n\nAnswer with "gt escalation list", "ack", "decide" or "resolve".`,
    replyTo: null,
  };
  if (item.category === 'mayor') town.post.takeForPeople(turn, mail);
  else town.post.take(turn, mail);
}

function moveConvoy(town: TownContext, turn: Turn, action: Of<'convoy_status'>): Change {
  const convoy = town.view.convoy(trusted.convoy(action.convoy));
  const to = CONVOY_TRANSITIONS.find((row) => row.to === action.to)?.to;
  if (convoy === null || to === undefined || convoy.status !== action.from)
    throw new GuardFailed(`${action.convoy} can't go from ${action.from} to ${action.to}`);
  town.convoys(turn).transition(convoy, to, action.reasonText);
  return { from: action.from, to: action.to };
}

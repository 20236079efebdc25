import type { TownFact } from '../../core/actions.ts';
import { causeInTown } from './rig-cause.ts';
import type { RigToTown } from '../../core/messages.ts';
import { unreachable } from '../../core/assert.ts';
import type { MayorToTown } from '../../core/mayor-actions.ts';
import { trusted } from '../../core/model/ids.ts';
import { MAYOR_ADDRESS } from '../../core/model/mayor.ts';
import type { Turn } from '../kernel/turn.ts';
import { applyMoneyNews } from './budget-commands.ts';
import { beadReopened } from './reopened.ts';
import { rigOf, UNKNOWN_RECIPIENT, type TownContext } from './town-context.ts';

type Of<Type extends RigToTown['type']> = Extract<RigToTown, { readonly type: Type }>;

type Sent = (RigToTown | MayorToTown) & { readonly from: string };

/** The rig that an escalation of this sender is about; none for the mayor's. */
const sourceRig = (from: string): string => (from === MAYOR_ADDRESS ? '' : rigOf(from));

type ConvoyNews = Of<
  'beads_created' | 'beads_refused' | 'bead_reopened' | 'landing_created' | 'revert_created' | 'bead_ended'
>;
type MoneyNews = Of<'budget_account' | 'quota_closed'>;

/** What rigs and the mayor tell the town; each message is applied exactly once and in the order in which it was sent. */
export function applyMessage(town: TownContext, turn: Turn, message: Sent): void {
  switch (message.type) {
    case 'budget_account':
    case 'quota_closed':
      applyMoneyNews(town, turn, message);
      return;
    case 'beads_created':
    case 'beads_refused':
    case 'bead_reopened':
    case 'landing_created':
    case 'revert_created':
    case 'bead_ended':
      applyConvoyNews(town, turn, message);
      return;
    default:
      applyOther(town, turn, message);
  }
}

/** How the beads of convoys fare in their rigs. */
function applyConvoyNews(town: TownContext, turn: Turn, message: ConvoyNews & { readonly from: string }): void {
  switch (message.type) {
    case 'beads_created':
      for (const bead of message.beads) town.convoys(turn).beadCreated(trusted.convoy(message.convoy), bead);
      return;
    case 'beads_refused':
      beadsRefused(town, turn, message);
      return;
    case 'bead_reopened':
      beadReopened(town, turn, message);
      return;
    case 'landing_created':
      town.landings(turn).created(trusted.convoy(message.convoy), rigOf(message.from), message);
      return;
    case 'revert_created':
      town.reverts(turn).created(rigOf(message.from), message);
      return;
    case 'bead_ended':
      beadEnded(town, turn, message);
      return;
    default:
      unreachable(message, 'news of a convoy');
  }
}

function applyOther(town: TownContext, turn: Turn, message: Exclude<Sent, ConvoyNews | MoneyNews>): void {
  switch (message.type) {
    case 'remote_blocker':
      town.waitFor(turn, message.blocker, rigOf(message.from));
      return;
    case 'mail_sent':
      town.post.take(turn, message.mail);
      return;
    case 'escalation_raised':
      raised(town, turn, message);
      return;
    case 'escalation_resolved':
      town.resolve(turn, causeInTown(sourceRig(message.from), message.causeKey));
      return;
    case 'mayor_presence':
      town.post.setMayorPresent(turn, message.present);
      town.runners.tellMayor(turn);
      return;
    case 'rig_activity':
      town.watchdog.activity(turn, rigOf(message.from), message.live);
      if (!message.live) sendersRest(town, turn, rigOf(message.from));
      return;
    default:
      unreachable(message, 'message of a rig');
  }
}

function raised(town: TownContext, turn: Turn, message: Extract<Sent, { readonly type: 'escalation_raised' }>): void {
  const rig = sourceRig(message.from);
  const causeKey = causeInTown(rig, message.causeKey);
  const subject = causeInTown(rig, message.subject);
  town.raise(turn, { ...message, causeKey, subject, rig, message: message.text });
}

/** Nobody works in the rig any more: whoever wrote to nobody has ended, and no wrong belief is left to correct. */
function sendersRest(town: TownContext, turn: Turn, rig: string): void {
  for (const cause of town.view.openCauses(`${UNKNOWN_RECIPIENT}${rig}/`)) town.resolve(turn, cause);
}

function beadsRefused(town: TownContext, turn: Turn, message: Of<'beads_refused'>): void {
  const convoy = town.view.convoy(trusted.convoy(message.convoy));
  if (convoy === null) return;
  town.convoys(turn).beadsRefused(convoy, message.reason, message.positions ?? []);
  turn.journal({
    entity: `convoy:${convoy.id}`,
    action: 'beads_refused',
    rule: 'events',
    reason: message.reason,
  });
}

function beadEnded(town: TownContext, turn: Turn, message: Of<'bead_ended'>): void {
  const { status, convoys } = town.convoys(turn).beadEnded(message);
  for (const convoy of convoys) town.journalProgress(turn, convoy, 'events');
  town.landings(turn).ended(message);
  town.reverts(turn).ended(message);
  const cleared = status === 'closed';
  const waits = town.sql.all(
    `UPDATE remote_waits SET state = ? WHERE blocker_ref = ? AND state = 'open' RETURNING rig_id`,
    cleared ? 'cleared' : 'failed',
    message.bead,
  );
  for (const wait of waits)
    town.tell(
      turn,
      String(wait['rig_id']),
      cleared
        ? { type: 'gate_cleared', ref: message.bead }
        : { type: 'gate_failed', ref: message.bead, reason: `${message.bead} ended as ${message.closeReason}` },
    );
  turn.journal({
    entity: `bead:${message.bead}`,
    action: 'bead_ended',
    rule: 'events',
    reason: message.closeReason,
    to: status,
  });
}

/** What became of the town's own effects. */
export function applyTownFact(town: TownContext, turn: Turn, fact: TownFact): void {
  if (fact.type === 'watchdog_seen') {
    town.watchdog.seen(turn, fact.seen);
    return;
  }
  town.escalations(turn).settleRoute(fact, fact.state, fact.error);
  turn.journal({
    entity: `escalation:${fact.escalation}`,
    action: fact.type,
    rule: 'events',
    reason: fact.error ?? fact.state,
    to: `${fact.route}: ${fact.state}`,
  });
}

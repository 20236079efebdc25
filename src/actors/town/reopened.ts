import type { RigToTown } from '../../core/messages.ts';
import { trusted } from '../../core/model/ids.ts';
import type { Turn } from '../kernel/turn.ts';
import { rigOf, type TownContext } from './town-context.ts';

type Reopened = Extract<RigToTown, { readonly type: 'bead_reopened' }> & { readonly from: string };

/** A bead of a rig was reopened: its successor takes its place in its convoy, and for rigs that wait for it. */
export function beadReopened(town: TownContext, turn: Turn, message: Reopened): void {
  const waits = town.sql.all(
    `DELETE FROM remote_waits WHERE blocker_ref = ? AND state <> 'cleared' RETURNING rig_id`,
    message.bead,
  );
  for (const wait of waits) {
    const rig = String(wait['rig_id']);
    town.tell(turn, rig, { type: 'gate_moved', ref: message.bead, successor: message.successor });
    // The successor may have ended long ago, or have one itself: its owner is asked about each wait (seed 850).
    town.waitFor(turn, message.successor, rig);
  }
  if (message.convoy === null) return;
  const convoy = town.view.convoy(trusted.convoy(message.convoy));
  const isOpen = convoy !== null && (convoy.status === 'staged' || convoy.status === 'active');
  const place = isOpen ? town.convoys(turn).replaceBead(convoy.id, message.bead, message.successor) : null;
  town.tell(turn, rigOf(message.from), {
    type: 'take_successor',
    convoy: message.convoy,
    successor: message.successor,
    place:
      place === null || convoy === null
        ? null
        : { ...place, skip: convoy.onFailure === 'skip', feature: convoy.featureBranch },
  });
  if (convoy !== null) town.journalProgress(turn, convoy.id, 'events');
}

import { unreachable } from '../core/assert.ts';
import type { Caller, ConvoyChange, ConvoyPlan } from '../core/commands.ts';
import { conflict } from '../core/errors.ts';
import type { ConvoyId } from '../core/model/ids.ts';
import type { TownActor } from './town/town-actor.ts';

/** How long an addition or a revert waits for the rigs, so that the answer names its beads. */
const RIGS_WAIT_MS = 5_000;

/** Carries out one change of a convoy; returns when it is committed and, for an addition, answered by its rigs. */
export async function changeConvoy(town: TownActor, id: ConvoyId, change: ConvoyChange, caller: Caller): Promise<void> {
  switch (change.type) {
    case 'add':
      return add(town, id, change.plan, caller);
    case 'remove':
      await town.removeFromConvoy(id, change.beads, caller);
      return;
    case 'update':
      await town.updateConvoy(id, change.update, caller);
      return;
    case 'close':
      await town.closeConvoy(id, change.note, caller);
      return;
    case 'revert':
      await town.revertConvoy(id, caller);
      await town.actor.until(
        () => (town.view.convoyReverts(id).some((row) => row.state === 'ordered' && row.beadId === null) ? null : true),
        RIGS_WAIT_MS,
      );
      return;
    default:
      unreachable(change, 'change of a convoy');
  }
}

async function add(town: TownActor, id: ConvoyId, plan: ConvoyPlan, caller: Caller): Promise<void> {
  const batch = Number(await town.addToConvoy(id, plan, caller));
  const addition = await town.actor.until(() => {
    const row = town.view.convoyAddition(id, batch);
    return row?.state === 'pending' ? null : row;
  }, RIGS_WAIT_MS);
  if (addition?.state === 'refused')
    throw conflict(
      'beads_refused',
      `Nothing was added: ${addition.reason ?? 'a rig refused the beads'}.`,
      'Correct it and add again.',
    );
}

import type { RigToTown, TownToRig } from '../../core/messages.ts';
import { isTerminal, type Bead } from '../../core/model/bead.ts';
import { trusted } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { hasNotBegun, retarget } from './convoy-messages.ts';
import type { RigContext } from './rig-context.ts';

type Adopt = Extract<TownToRig, { readonly type: 'adopt_beads' }>;

/** Beads that exist join a convoy: all of them or none. */
export function adoptBeads(rig: RigContext, turn: Turn, writer: RigWriter, message: Adopt): void {
  const rows = message.beads.map(({ position, bead }) => ({
    position,
    id: bead,
    bead: rig.bead(turn, trusted.bead(bead)),
  }));
  for (const { id, bead } of rows) {
    const why = refusal(rig, bead, message);
    if (why === null) continue;
    turn.send<RigToTown>('town', rig.address, {
      type: 'beads_refused',
      convoy: message.convoy,
      reason: `${id} can't join: ${why}`,
      positions: message.beads.map((entry) => entry.position),
    });
    return;
  }
  const feature = message.feature ?? null;
  if (feature !== null) writer.features.name(feature, message.convoy);
  for (const { position, bead } of rows) if (bead !== null) join(rig, turn, bead, { position, message, feature });
  const beads = rows.map(({ position, bead, id }) => ({ position, bead: id, title: bead?.title ?? id }));
  turn.send<RigToTown>('town', rig.address, { type: 'beads_created', convoy: message.convoy, beads });
}

function refusal(rig: RigContext, bead: Bead | null, message: Adopt): string | null {
  if (bead === null) return 'it does not exist';
  if (bead.type !== 'issue' || bead.kind !== 'task') return 'it is not a task';
  const free = [message.convoy, ...(message.ended ?? [])];
  if (bead.convoyId !== null && !free.includes(bead.convoyId)) return `it is in ${bead.convoyId} already`;
  const feature = message.feature ?? null;
  const isElsewhere = feature === null ? rig.view.feature(bead.targetBranch) !== null : bead.targetBranch !== feature;
  return !isTerminal(bead.status) && isElsewhere && !hasNotBegun(rig, bead.id)
    ? `work on it has begun for ${bead.targetBranch}; close it and reopen it, or let it end there`
    : null;
}

function join(
  rig: RigContext,
  turn: Turn,
  bead: Bead,
  to: { readonly position: number; readonly message: Adopt; readonly feature: string | null },
): void {
  const { convoy } = to.message;
  rig.sql.all(
    // The end of a bead that ended before it joined is told to the convoy as well.
    `UPDATE beads SET convoy_id = ?, convoy_position = ?, end_reported = 0, aborted = 0, skip_failed = 0, version = version + 1 WHERE id = ?`,
    convoy,
    to.position,
    bead.id,
  );
  const wasInConvoy = rig.view.feature(bead.targetBranch) !== null;
  if (to.feature !== null) retarget(rig, bead.id, to.feature);
  else if (wasInConvoy) retarget(rig, bead.id, rig.view.config().targetBranch);
  turn.dirty(beadRef(bead.id));
  turn.journal({ entity: beadRef(bead.id), action: 'adopt_bead', rule: 'town', reason: `joins convoy ${convoy}` });
}

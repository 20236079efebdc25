import type { RigToTown, TownToRig } from '../../core/messages.ts';
import { TITLE_CHARS_MAX } from '../../core/limits.ts';
import { trusted } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { RigContext } from './rig-context.ts';

type Of<Type extends TownToRig['type']> = Extract<TownToRig, { readonly type: Type }>;

/**
 * The town wants a convoy landed here: one landing bead, and never a second one while the first is open or merged. The
 * database holds the same (`beads_one_landing`), so that no path can make landings in a circle.
 */
export function landConvoy(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'land_convoy'>): void {
  const { convoy, attempt } = message;
  const known = rig.sql.all(
    `SELECT id, status FROM beads WHERE convoy_id = ? AND kind = 'landing' AND (status IN ('open', 'in_progress', 'in_review') OR close_reason = 'merged')`,
    convoy,
  )[0];
  const bead = known === undefined ? insertLanding(rig, turn, writer, message) : String(known['id']);
  turn.send<RigToTown>('town', rig.address, { type: 'landing_created', convoy, attempt, bead });
  // One that has ended is told again: the town did not know of it.
  if (known !== undefined) writer.markWatched(trusted.bead(bead));
}

function insertLanding(rig: RigContext, turn: Turn, writer: RigWriter, message: Of<'land_convoy'>): string {
  const config = rig.view.config();
  const id = rig.mintBead(writer);
  writer.insertBead({
    id,
    type: 'issue',
    kind: 'landing',
    title: `Land ${message.title}`.slice(0, TITLE_CHARS_MAX),
    body: `Merges what the convoy ${message.convoy} did in ${config.name} into ${config.targetBranch}:\n${message.beads.map((bead) => `- ${bead}`).join('\n')}`,
    origin: 'system',
    priority: 'medium',
    hold: null,
    holdReason: null,
    parentId: null,
    branchOf: null,
    convoyId: message.convoy,
    convoyPosition: null,
    targetBranch: config.targetBranch,
    runtime: null,
    model: null,
    pinnedAgent: null,
    createdBy: 'system',
  });
  turn.journal({
    entity: beadRef(id),
    action: 'create_landing',
    rule: 'town',
    reason: `attempt ${String(message.attempt)} to land ${message.convoy}`,
    to: 'open',
  });
  // What is landed is what the branch holds now, not what it held when the last bead was merged.
  writer.features.want(message.convoy);
  return id;
}

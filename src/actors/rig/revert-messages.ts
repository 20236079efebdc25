import type { RigAction } from '../../core/actions.ts';
import { TITLE_CHARS_MAX } from '../../core/limits.ts';
import type { RigToTown, TownToRig } from '../../core/messages.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import type { Change } from './change.ts';
import type { RigContext } from './rig-context.ts';

type RevertMessage = Extract<TownToRig, { readonly type: 'revert_convoy' }>;

/** The town wants what a convoy landed undone here: one bead for each branch, never a second one while the first is alive. */
export function revertConvoy(rig: RigContext, turn: Turn, writer: RigWriter, message: RevertMessage): void {
  const { convoy, target, attempt } = message;
  const known = rig.sql.all(
    `SELECT id FROM beads WHERE convoy_id = ? AND kind = 'revert' AND target_branch = ? AND status IN ('open', 'in_progress', 'in_review')`,
    convoy,
    target,
  )[0];
  const bead = known === undefined ? insertRevert(rig, turn, writer, message) : String(known['id']);
  turn.send<RigToTown>('town', rig.address, { type: 'revert_created', convoy, target, attempt, bead });
}

function insertRevert(rig: RigContext, turn: Turn, writer: RigWriter, message: RevertMessage): BeadId {
  const id = rig.mintBead(writer);
  const list = message.commits.map((commit) => `- ${commit}`).join('\n');
  writer.insertBead({
    id,
    type: 'issue',
    kind: 'revert',
    title: `Revert ${message.title}`.slice(0, TITLE_CHARS_MAX),
    body: `Undoes what the convoy ${message.convoy} merged into ${message.target} of ${rig.view.config().name}:\n${list}`,
    origin: 'system',
    priority: 'high',
    hold: null,
    holdReason: null,
    parentId: null,
    branchOf: null,
    convoyId: message.convoy,
    convoyPosition: null,
    targetBranch: message.target,
    runtime: null,
    model: null,
    pinnedAgent: null,
    createdBy: message.by,
  });
  writer.reverts.insert(id, message.convoy, message.commits);
  turn.journal({
    entity: beadRef(id),
    action: 'create_revert',
    rule: 'town',
    reason: `attempt ${String(message.attempt)} to undo ${message.convoy}, by ${message.by}`,
    to: 'open',
  });
  return id;
}

/** Carries out one step of a revert: orders its job, or hands it to an agent with what is known of the trouble. */
export function revertStep(
  turn: Turn,
  writer: RigWriter,
  action: Extract<RigAction, { readonly type: 'revert_step' }>,
): Change {
  const { bead, from, to, job, body } = action;
  writer.reverts.step(trusted.bead(bead), { from, to, key: job?.key ?? null });
  if (body !== undefined) writer.updateBead(bead, { body });
  if (job !== null) turn.effect({ key: `job:${job.key}`, kind: 'job', lane: `work:${bead}`, payload: { job } });
  return { entity: beadRef(bead), from, to };
}

import type { ConvoyTaskMessage, TownToRig, RigToTown } from '../../core/messages.ts';
import { must } from '../../core/assert.ts';
import { clearsDependents, ORIGINS, PRIORITIES, type Origin, type Priority } from '../../core/model/bead.ts';
import { trusted, type BeadId } from '../../core/model/ids.ts';
import { beadRef } from '../../core/refs.ts';
import type { RigWriter } from '../../store/rig-writer.ts';
import type { Turn } from '../kernel/turn.ts';
import { addLocalBlocker } from './local-blocker.ts';
import { applyConvoyOrder } from './convoy-orders.ts';
import { adoptBeads } from './adopt-beads.ts';
import { applyPolicy, cancelConvoy, leaveConvoy, startConvoy } from './convoy-messages.ts';
import type { RigContext } from './rig-context.ts';
import type { MoneyMessage } from './rig-budgets.ts';
import { RigPost } from './rig-post.ts';
import { runnerNews } from './rig-runners.ts';

type RunnerMessage = Extract<TownToRig, { readonly type: 'runner_changed' | 'runner_removed' }>;

/** What the town asked of this rig; each message is applied exactly once and in the order in which it was sent. */
export function applyTownMessage(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  message: Exclude<TownToRig, MoneyMessage>,
): void {
  if (message.type === 'runner_changed' || message.type === 'runner_removed') runnerNews(rig, turn, message);
  else applyWorkMessage(rig, turn, writer, message);
}

function applyWorkMessage(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  message: Exclude<TownToRig, MoneyMessage | RunnerMessage>,
): void {
  if ('convoy' in message) rig.view.archive.bringBackConvoy(message.convoy);
  switch (message.type) {
    case 'create_convoy_beads':
      createConvoyBeads(rig, turn, writer, message);
      return;
    case 'adopt_beads':
      adoptBeads(rig, turn, writer, message);
      return;
    case 'start_convoy':
      startConvoy(rig, turn, writer, message);
      return;
    case 'cancel_convoy':
      cancelConvoy(rig, turn, writer, message);
      return;
    case 'convoy_policy':
      applyPolicy(rig, turn, message);
      return;
    case 'leave_convoy':
      leaveConvoy(rig, turn, writer, message);
      return;
    case 'watch_bead':
      watchBead(rig, turn, writer, trusted.bead(message.bead));
      return;
    case 'deliver_mail':
      new RigPost(rig).receive(turn, message.mail);
      return;
    case 'gate_cleared':
    case 'gate_failed':
      openGate(rig, turn, writer, message);
      return;
    default:
      applyConvoyOrder(rig, turn, writer, message);
  }
}

function openGate(
  rig: RigContext,
  turn: Turn,
  writer: RigWriter,
  message: Extract<TownToRig, { readonly type: 'gate_cleared' | 'gate_failed' }>,
): void {
  for (const waiting of rig.view.dependents(trusted.bead(message.ref)))
    writer.blockers.resolve(waiting, message.ref, message.type === 'gate_cleared');
  turn.journal({
    entity: `bead:${message.ref}`,
    action: message.type,
    rule: 'town',
    reason: message.type === 'gate_failed' ? message.reason : 'a bead of another rig is done',
  });
}

type CreateMessage = Extract<TownToRig, { readonly type: 'create_convoy_beads' }>;

const word = <T extends string>(list: readonly T[], value: string, fallback: T): T =>
  list.find((entry) => entry === value) ?? fallback;

function createConvoyBeads(rig: RigContext, turn: Turn, writer: RigWriter, message: CreateMessage): void {
  const missing = message.tasks.flatMap((task) => task.localBeads).find((id) => !writer.beadExists(id));
  if (missing !== undefined) {
    turn.send<RigToTown>('town', rig.address, {
      type: 'beads_refused',
      convoy: message.convoy,
      reason: `there is no bead ${missing}`,
      positions: message.tasks.map((task) => task.position),
    });
    return;
  }
  if (message.feature !== undefined && message.feature !== null) writer.features.name(message.feature, message.convoy);
  const ids = new Map<number, BeadId>();
  for (const task of message.tasks) {
    const id = insertTask(rig, writer, message, task);
    turn.journal({
      entity: beadRef(id),
      action: 'create_bead',
      rule: 'town',
      reason: `for convoy ${message.convoy}`,
      to: 'open',
    });
    ids.set(task.position, id);
  }
  for (const task of message.tasks) addTaskBlockers(rig, turn, task, ids);
  turn.send<RigToTown>('town', rig.address, {
    type: 'beads_created',
    convoy: message.convoy,
    beads: message.tasks.map((task) => ({
      position: task.position,
      bead: must(ids.get(task.position), 'each task was inserted'),
      title: task.title,
    })),
  });
}

function insertTask(rig: RigContext, writer: RigWriter, message: CreateMessage, task: ConvoyTaskMessage): BeadId {
  const id = rig.mintBead(writer);
  writer.insertBead({
    id,
    type: 'issue',
    kind: 'task',
    title: task.title,
    body: task.body,
    origin: word<Origin>(ORIGINS, message.origin, 'system'),
    priority: word<Priority>(PRIORITIES, task.priority, 'medium'),
    hold: 'staged',
    holdReason: `waits for its convoy ${message.convoy} to start`,
    parentId: null,
    branchOf: null,
    convoyId: message.convoy,
    convoyPosition: task.position,
    targetBranch: message.feature ?? rig.view.config().targetBranch,
    runtime: task.runtime,
    model: task.model,
    pinnedAgent: null,
    createdBy: message.createdBy,
  });
  return id;
}

function addTaskBlockers(rig: RigContext, turn: Turn, task: ConvoyTaskMessage, ids: ReadonlyMap<number, BeadId>): void {
  const bead = must(ids.get(task.position), 'each task was inserted');
  const writer = rig.writer(turn);
  for (const position of task.localDeps)
    writer.blockers.add(bead, must(ids.get(position), 'local dependencies are in the same message'), 'local', 'open');
  for (const id of task.localBeads) addLocalBlocker(rig, turn, writer, { bead, blocker: trusted.bead(id) });
  for (const ref of task.remoteDeps) writer.blockers.add(bead, ref, 'remote', 'open');
}

function watchBead(rig: RigContext, turn: Turn, writer: RigWriter, id: BeadId): void {
  const bead = rig.bead(turn, id);
  if (bead !== null) {
    writer.markWatched(id);
    if (bead.reopenedAs === null || clearsDependents(bead)) return;
    // Whoever asks for a bead that was reopened waits for what took its place, and asks for that next.
    turn.send<RigToTown>('town', rig.address, {
      type: 'bead_reopened',
      bead: id,
      successor: bead.reopenedAs,
      convoy: null,
    });
    return;
  }
  turn.send<RigToTown>('town', rig.address, {
    type: 'bead_ended',
    bead: id,
    convoy: null,
    status: 'failed',
    closeReason: 'missing',
    mergeSha: null,
    target: rig.view.config().targetBranch,
  });
}

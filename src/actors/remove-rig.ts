import type { Caller, RigDrain } from '../core/commands.ts';
import { conflict, precondition } from '../core/errors.ts';
import type { RigName } from '../core/model/ids.ts';
import type { RigRemoval, RigRest } from '../core/queries.ts';
import { counted } from '../core/text.ts';
import type { AskedRig } from './asked.ts';
import type { TownActors } from './town-actors.ts';
import { rigAddress } from './town/town-context.ts';

/** Beads cancelled in one call of a drain; the next call goes on. */
const CANCELLED_AT_ONCE_MAX = 200;

/** A removal waits this long for messages on their way to the rig; more than a healthy one needs to take them. */
const MESSAGE_WAIT_MS = 2_000;

/**
 * Takes a rig out of the town when nothing of it runs or waits. With `drain` what runs is waited for (the caller asks
 * with `go_on` until the answer is `removed`; a rig that was unparked meanwhile stays), what is in the merge line ends,
 * with its rework, and then what has not started is cancelled. The answer names what it waits for. Its database, its
 * clone and its worktrees stay where they are. Errors: `rig_has_work`, `rig_not_parked`, `drain_ended`.
 */
export async function removeRig(
  actors: TownActors,
  rig: AskedRig,
  input: { readonly drain: RigDrain; readonly caller: Caller },
): Promise<RigRemoval> {
  const { name, parked } = await rig.view.config();
  await mayGoOn(rig, name, input.drain);
  const before = await rig.queries.rest();
  if (!input.drain && workOf(before) > 0) throw hasWork(name, before);
  if (!parked && workOf(before) > 0) throw notParked(name);
  // Also without work: a message may still be on its way, and then the caller goes on.
  if (input.drain === true && parked)
    await rig.rigCommand({ type: 'drain' }, { actor: input.caller.actor, origin: input.caller.origin });
  if (before.running + before.merging === 0) await cancelRest(rig, name, input.caller);
  const rest = await rig.queries.rest();
  if (workOf(rest) === 0 && (await isRemoved(actors, name)))
    return { id: name, status: 'removed', waitsFor: [], ...rest };
  if (!input.drain && workOf(rest) === 0) throw hasWork(name, { ...rest, unsent: 1 });
  return { id: name, status: 'draining', waitsFor: await rig.draining(), ...rest };
}

/** Waits a moment for messages that are on their way to the rig. */
async function isRemoved(actors: TownActors, name: RigName): Promise<boolean> {
  if (await actors.removeRig(name)) return true;
  const { actor, kernel } = actors.town;
  await actor.until(() => (kernel.isOnTheWay(rigAddress(name)) ? null : true), MESSAGE_WAIT_MS);
  return actors.removeRig(name);
}

const workOf = (rest: RigRest): number => rest.running + rest.merging + rest.open + rest.unsent;

async function cancelRest(rig: AskedRig, name: RigName, { actor, origin }: Caller): Promise<void> {
  for (const bead of await rig.queries.unended(CANCELLED_AT_ONCE_MAX))
    await rig.beadCommand(
      { type: 'close', bead, reason: 'cancelled', note: `the rig ${name} was removed` },
      { actor, origin },
    );
}

async function mayGoOn(rig: AskedRig, name: RigName, drain: RigDrain): Promise<void> {
  if (drain !== 'go_on' || (await rig.summary()).status === 'draining') return;
  throw conflict(
    'drain_ended',
    `${name} is no longer drained: somebody took that back, for example with "gt rig unpark ${name}". It stays, and nothing more of it is cancelled.`,
    `To remove it after all: gt rig remove ${name} --drain`,
  );
}

const notParked = (name: RigName): Error =>
  precondition(
    'rig_not_parked',
    `${name} is not parked, so new work would start while it is drained.`,
    `Park it with "gt rig park ${name}" first.`,
  );

function hasWork(name: RigName, rest: RigRest): Error {
  const parts = [
    counted(rest.open, 'open bead'),
    counted(rest.running, 'running agent'),
    counted(rest.merging, 'merge request'),
    ...(rest.open + rest.running + rest.merging === 0 ? [counted(rest.unsent, 'message')] : []),
  ].filter((part) => !part.startsWith('0 '));
  return conflict(
    'rig_has_work',
    `${name} has work: ${parts.join(', ')}. Nothing was changed.`,
    `"gt bead list --rig ${name}" shows it. With --drain what runs is finished first, and what has not started is cancelled.`,
  );
}

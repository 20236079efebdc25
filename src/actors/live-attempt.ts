import { conflict } from '../core/errors.ts';
import { MAYOR_SCOPE } from '../core/model/mayor.ts';
import type { Capability } from '../core/queries.ts';
import type { TownGateway } from '../ports/town-gateway.ts';
import type { TownActors } from './town-actors.ts';

/** Rejects with `superseded` when the attempt is not the live one of its bead and epoch. */
export async function mustBeLive(actors: TownActors, capability: Capability): Promise<void> {
  const attempt = (await actors.rig(capability.rig)?.view.attempt(capability.attempt)) ?? null;
  const isLive =
    attempt !== null &&
    attempt.endedAtMs === null &&
    attempt.epoch === capability.epoch &&
    attempt.beadId === capability.bead &&
    attempt.agentId === capability.agent;
  if (!isLive)
    throw conflict(
      'superseded',
      `The attempt ${capability.attempt} (epoch ${String(capability.epoch)}) is not the live one of ${capability.bead}.`,
      'Stop working: what you committed is kept as evidence.',
    );
}

/** The runner's last question before a process begins: is it still wanted, and there? */
export async function mayStart(
  actors: TownActors,
  { rig, attempt, epoch, runner }: Parameters<TownGateway['confirmStart']>[0],
): Promise<boolean> {
  const { mayor } = actors;
  if (rig === MAYOR_SCOPE)
    return mayor !== null && (await mayor.runnerOf(attempt)) === runner && mayor.confirmStart(attempt, epoch);
  const row = (await actors.rig(rig)?.view.attempt(attempt)) ?? null;
  return row?.runner === runner && row.epoch === epoch && row.endedAtMs === null && !row.processGone;
}

import { conflict } from '../core/errors.ts';
import type { Capability } from '../core/queries.ts';
import type { TownActors } from './town-actors.ts';

/** Rejects with `superseded` when the attempt is not the live one of its bead and epoch. */
export function mustBeLive(actors: TownActors, capability: Capability): Promise<void> {
  const attempt = actors.rig(capability.rig)?.view.attempt(capability.attempt) ?? null;
  const isLive =
    attempt !== null &&
    attempt.endedAtMs === null &&
    attempt.epoch === capability.epoch &&
    attempt.beadId === capability.bead &&
    attempt.agentId === capability.agent;
  if (isLive) return Promise.resolve();
  return Promise.reject(
    conflict(
      'superseded',
      `The attempt ${capability.attempt} (epoch ${String(capability.epoch)}) is not the live one of ${capability.bead}.`,
      'Stop working: what you committed is kept as evidence.',
    ),
  );
}

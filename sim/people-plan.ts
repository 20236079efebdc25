/** What some people do in some stories only; of chances of their own, so that the other stories stay what they are. */
import type { PersonStep } from './plan.ts';
import { Prng } from './prng.ts';

/** Share of the stories in which a person pauses a merge train. */
const PAUSE_SHARE = 0.2;

interface Times {
  readonly workMs: number;
  readonly stormMs: number;
}

/** Whoever pauses a train lets it go on later. */
export function trainPauses(seed: number, size: Times): readonly PersonStep[] {
  const chance = new Prng(`pause ${String(seed)}`);
  if (!chance.chance(PAUSE_SHARE)) return [];
  return [{ id: 'q0', kind: 'pause_train', atMs: chance.between(size.workMs / 4, size.workMs) }];
}

/** What some people do in some stories only; of chances of their own, so that the other stories stay what they are. */
import { Prng } from './prng.ts';

/** Share of the stories in which a person pauses a merge train. */
const PAUSE_SHARE = 0.2;

/** Share of the stories in which a person drains a rig. */
const DRAIN_SHARE = 0.15;

interface OwnStep<Kind extends string> {
  readonly id: string;
  readonly atMs: number;
  readonly kind: Kind;
}

interface Times {
  readonly workMs: number;
  readonly stormMs: number;
}

/** Whoever pauses a train lets it go on later. */
export function trainPauses(seed: number, size: Times): readonly OwnStep<'pause_train'>[] {
  const chance = new Prng(`pause ${String(seed)}`);
  if (!chance.chance(PAUSE_SHARE)) return [];
  return [{ id: 'q0', kind: 'pause_train', atMs: chance.between(size.workMs / 4, size.workMs) }];
}

/** Whoever drains a rig takes it back later. */
export function rigDrains(seed: number, { workMs, stormMs }: Times): readonly OwnStep<'drain_rig'>[] {
  const chance = new Prng(`drain ${String(seed)}`);
  if (!chance.chance(DRAIN_SHARE)) return [];
  return Array.from({ length: chance.between(1, 3) }, (_, index) => ({
    id: `d${String(index)}`,
    kind: 'drain_rig',
    atMs: chance.between(workMs / 2, stormMs),
  }));
}

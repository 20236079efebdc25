/** What some people do in some stories only; of chances of their own, so that the other stories stay what they are. */
import { hasForge } from './forge-plan.ts';
import type { OwnStep, Times } from './own-steps.ts';
import { Prng } from './prng.ts';

/** Share of the stories in which a person pauses a merge train. */
const PAUSE_SHARE = 0.2;

/** Share of the stories in which a person drains a rig. */
const DRAIN_SHARE = 0.15;

/** What people do just when the town knows least; see `people-moments.ts`. */
export type MomentKind = 'close_unsure' | 'close_staged' | 'merge_early' | 'empty_pull';
/** Share of the stories with each of them. */
const UNSURE_SHARE = 0.06;
const STAGED_SHARE = 0.08;
const EARLY_SHARE = 0.2;
const EMPTY_SHARE = 0.2;

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

/** Each of a chance of its own; two of them where there are pull requests. */
export function moments(seed: number, { workMs, stormMs }: Times): readonly OwnStep<MomentKind>[] {
  const step = (kind: MomentKind, share: number, id: string): readonly OwnStep<MomentKind>[] => {
    const chance = new Prng(`${kind} ${String(seed)}`);
    return chance.chance(share) ? [{ id, kind, atMs: chance.between(workMs / 4, stormMs / 2) }] : [];
  };
  return [
    ...step('close_unsure', UNSURE_SHARE, 'u0'),
    ...step('close_staged', STAGED_SHARE, 's0'),
    ...(hasForge(seed) ? [...step('merge_early', EARLY_SHARE, 'e0'), ...step('empty_pull', EMPTY_SHARE, 'e1')] : []),
  ];
}

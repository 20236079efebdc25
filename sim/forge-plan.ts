/** When the forge of a story fails, and in which stories there is one. */
import type { OwnFault, OwnStep, Times } from './own-steps.ts';
import { Prng } from './prng.ts';

const MINUTE = 60_000;
/** The forge of a rig with pull requests: late, silent, loses an answer, limits calls, shows what was before, or what never was. */
export const FORGE_KINDS = [
  'forge_slow',
  'forge_down',
  'forge_answer',
  'forge_limit',
  'forge_stale',
  'forge_wrong',
] as const;
/** Share of the stories with pull requests. */
const FORGE_SHARE = 0.4;
/** … and of the single beads that run at once there. */
const SLUNG_WITH_FORGE = 0.7;

/** Share of the stories with pull requests in which somebody cancels what has one. */
const CANCEL_SHARE = 0.4;

/** Pull requests take their time: there have to be some. */
export const slungOf = (seed: number, size: { readonly slung: number }): number =>
  hasForge(seed) ? Math.max(size.slung, SLUNG_WITH_FORGE) : size.slung;

/** Whether the rig without gates merges by pull requests in this story. */
export const hasForge = (seed: number): boolean => new Prng(`pulls ${String(seed)}`).chance(FORGE_SHARE);

/** Of its own chance, too. */
export function forgeFaults(seed: number, size: Times): readonly OwnFault<(typeof FORGE_KINDS)[number]>[] {
  if (!hasForge(seed)) return [];
  const chance = new Prng(`forge faults ${String(seed)}`);
  return FORGE_KINDS.filter(() => chance.chance(0.7)).map((kind, index) => ({
    id: `g${String(index)}`,
    kind,
    atMs: chance.between(size.workMs / 4, size.stormMs - MINUTE),
    durationMs: chance.between(MINUTE / 2, 6 * MINUTE),
    strength: chance.between(20, 70) / 100,
    countdown: 0,
  }));
}

/** Of its own chance, too: somebody cancels work while it has a pull request. */
export function pullCancels(seed: number, { workMs, stormMs }: Times): readonly OwnStep<'cancel_pull'>[] {
  if (!hasForge(seed)) return [];
  const chance = new Prng(`cancels ${String(seed)}`);
  if (!chance.chance(CANCEL_SHARE)) return [];
  return Array.from({ length: chance.between(2, 5) }, (_, index) => ({
    id: `x${String(index)}`,
    atMs: chance.between(workMs / 4, stormMs),
    kind: 'cancel_pull',
  }));
}

/** What goes wrong in some stories only; each of a chance of its own, so that the other stories stay what they are. */
import type { OwnFault, Times } from './own-steps.ts';
import { Prng } from './prng.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * What happens to a second runner on another machine: its line is cut, it dies with its agents and comes back, or it is
 * gone for good and a person says so.
 */
export const FAR_KINDS = ['far_cut', 'far_death', 'far_lost'] as const;
/** The program of one runtime is gone for a while; other runtimes start. */
export const PROGRAM_KIND = 'program_missing';
/** The shield of agents strikes: no sandbox, too much memory or disk, something that looks like a key. */
export const SHIELD_KINDS = ['isolation_gone', 'too_much', 'key_found'] as const;
/** The git host takes no push of the town: a hook, a protected branch, a right that was taken away. */
export const HOST_KIND = 'host_refuses';
/** Somebody pushes what is red by itself to the target of a rig with gates, and it is mended later. */
export const TARGET_KIND = 'target_red';
/** Share of the stories in which a program is missing for a while. */
const PROGRAM_SHARE = 0.25;
/** Share of the stories in which the shield of agents strikes. */
const SHIELD_SHARE = 0.2;
/** Share of the stories in which somebody breaks the target itself. */
const TARGET_SHARE = 0.2;
/** Share of the stories in which the git host refuses pushes for a while. */
const HOST_SHARE = 0.15;
/** Share of the stories with a second runner. */
const FAR_SHARE = 0.3;
const FAR_MS = {
  far_cut: [5 * SECOND, 15 * MINUTE],
  far_death: [SECOND, 10 * MINUTE],
  far_lost: [MINUTE, MINUTE],
} as const;

type Kind =
  | (typeof FAR_KINDS)[number]
  | (typeof SHIELD_KINDS)[number]
  | typeof PROGRAM_KIND
  | typeof TARGET_KIND
  | typeof HOST_KIND;

/** Null: there is one runner. */
export function farFaults(seed: number, size: Times): readonly OwnFault<Kind>[] | null {
  const chance = new Prng(`far ${String(seed)}`);
  if (!chance.chance(FAR_SHARE)) return null;
  return Array.from({ length: chance.between(1, 3) }, (_, index) => {
    const kind = chance.weighted({ far_cut: 3, far_death: 2, far_lost: 1 });
    const [low, high] = FAR_MS[kind];
    const atMs = chance.between(MINUTE / 2, size.stormMs - MINUTE);
    return { id: `r${String(index)}`, kind, atMs, durationMs: chance.between(low, high), strength: 1, countdown: 0 };
  });
}

/** Of its own chance, too. It may last longer than the storm: then it ends with it. */
export function programFaults(seed: number, size: Times): readonly OwnFault<Kind>[] {
  const chance = new Prng(`program ${String(seed)}`);
  if (!chance.chance(PROGRAM_SHARE)) return [];
  const atMs = chance.between(0, size.workMs);
  const durationMs = chance.between(MINUTE, Math.max(2 * MINUTE, size.stormMs - atMs));
  return [{ id: 'm0', kind: PROGRAM_KIND, atMs, durationMs, strength: 1, countdown: 0 }];
}

/** Of its own chance, too. */
export function shieldFaults(seed: number, size: Times): readonly OwnFault<Kind>[] {
  const chance = new Prng(`shield ${String(seed)}`);
  if (!chance.chance(SHIELD_SHARE)) return [];
  return SHIELD_KINDS.map((kind, index) => {
    const atMs = chance.between(0, size.workMs);
    const strength = chance.between(30, 80) / 100;
    return {
      id: `h${String(index)}`,
      kind,
      atMs,
      durationMs: chance.between(MINUTE, 3 * MINUTE),
      strength,
      countdown: 0,
    };
  });
}

/** Of its own chance, too. */
export function targetFaults(seed: number, size: Times): readonly OwnFault<Kind>[] {
  const chance = new Prng(`target ${String(seed)}`);
  if (!chance.chance(TARGET_SHARE)) return [];
  const atMs = chance.between(size.workMs / 2, size.stormMs);
  const durationMs = chance.between(MINUTE / 2, 20 * MINUTE);
  return [{ id: 't0', kind: TARGET_KIND, atMs, durationMs, strength: 1, countdown: 0 }];
}

/** Of its own chance, too. */
export function hostFaults(seed: number, size: Times): readonly OwnFault<Kind>[] {
  const chance = new Prng(`host ${String(seed)}`);
  if (!chance.chance(HOST_SHARE)) return [];
  const atMs = chance.between(size.workMs / 2, size.stormMs);
  const strength = chance.between(30, 100) / 100;
  return [
    { id: 'o0', kind: HOST_KIND, atMs, durationMs: chance.between(MINUTE / 2, 5 * MINUTE), strength, countdown: 0 },
  ];
}

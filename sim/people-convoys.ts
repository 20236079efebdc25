/** Plans of convoys as people make and change them. */
import type { ConvoyChange, ConvoyPlan, CreateConvoy } from '../src/core/commands.ts';
import { PRIORITIES } from '../src/core/model/bead.ts';
import { FAILURE_POLICIES } from '../src/core/model/convoy.ts';
import { trusted, type BeadId } from '../src/core/model/ids.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

export interface Planner {
  /** Tasks of one convoy, at most. */
  readonly tasksMax: number;
  readonly rigs: readonly string[];
  /** What people know to exist; it grows. */
  readonly beads: readonly BeadId[];
}

export function convoyPlan(planner: Planner, step: PersonStep, chance: Prng): CreateConvoy {
  return {
    ...work(planner, step, chance),
    title: `convoy ${step.id}`,
    mergeMode: chance.chance(0.6) ? 'review-then-land' : 'review-and-merge',
    onFailure: chance.pick(FAILURE_POLICIES) ?? 'hold',
    staged: chance.chance(0.3),
  };
}

/** Null: it is to be started. */
export function changeOf(
  planner: Planner,
  { step, members }: { readonly step: PersonStep; readonly members: readonly BeadId[] },
  chance: Prng,
): ConvoyChange | null {
  switch (step.kind) {
    case 'convoy_add':
      return { type: 'add', plan: work(planner, step, chance) };
    case 'convoy_remove':
      return { type: 'remove', beads: [chance.pick(members) ?? trusted.bead('api-00000')] };
    case 'convoy_update':
      return { type: 'update', update: { onFailure: chance.pick(FAILURE_POLICIES) } };
    case 'convoy_close':
      return { type: 'close', note: 'not wanted' };
    default:
      return null;
  }
}

function work({ tasksMax, rigs, beads }: Planner, step: PersonStep, chance: Prng): ConvoyPlan {
  const adopts = chance.chance(0.2) && beads.length > 2;
  const tasks = Array.from({ length: chance.between(2, tasksMax + 1) }, (_, position) => {
    const dependsOn: (number | BeadId)[] = [];
    if (position > 0 && chance.chance(0.6)) dependsOn.push(chance.int(position));
    if (chance.chance(0.15)) dependsOn.push(...some(beads, chance, 1));
    return {
      rig: trusted.rig(chance.pick(rigs) ?? ''),
      title: `${step.id} task ${String(position)}`,
      body: '',
      priority: chance.pick(PRIORITIES) ?? 'medium',
      runtime: null,
      model: null,
      dependsOn,
    };
  });
  return { tasks: adopts ? [] : tasks, beads: adopts ? some(beads, chance, 2) : [] };
}

/** Some that are known, as far as there are any. */
export function some(beads: readonly BeadId[], chance: Prng, count: number | string): BeadId[] {
  const found = new Set<BeadId>();
  for (let left = Number(count); left > 0; left -= 1) {
    const bead = chance.pick(beads);
    if (bead !== undefined) found.add(bead);
  }
  return [...found];
}

import type { ConvoyPlan, CreateConvoy } from '../src/core/commands.ts';
import { PRIORITIES } from '../src/core/model/bead.ts';
import { trusted, type RigName } from '../src/core/model/ids.ts';
import type { Sim } from './context.ts';
import type { GitModel } from './git-model.ts';
import type { PersonStep } from './plan.ts';
import type { Prng } from './prng.ts';

/** Titles of work at which every agent fails, each time in another way; the slow one is at it for minutes. */
const DOOMED = 'doomed';
const DOOMED_SLOWLY = 'doomed slowly';
/** Share of the beads that are beyond every agent for no reason that anybody could see. */
const CURSED = 0.04;
/** Rework of a whole convoy is the hardest work there is. */
const CURSED_REWORK = 0.3;
/** Names of the branches on which convoys gather their work. */
const FEATURE = 'gt/hq-';
/** Share of the convoys whose beads pass the gates one by one, and never all together. */
const CURSED_TOGETHER = 0.12;

export type Doom = 'none' | 'quick' | 'slow';

/** Some beads are beyond every agent: they must end as failed, not run for ever. */
export function doomOf(
  sim: Sim,
  order: { readonly bead: string; readonly title: string; readonly branch: string },
): Doom {
  if (order.title.endsWith(DOOMED_SLOWLY)) return 'slow';
  if (order.title.endsWith(DOOMED)) return 'quick';
  const share = order.branch.startsWith(FEATURE) ? CURSED_REWORK : CURSED;
  return sim.chance(`nature of ${order.bead}`).chance(share) ? 'quick' : 'none';
}

/** A convoy that its policy will abort while an agent is still at work for it. */
export function doomedConvoy(step: PersonStep, rigs: readonly RigName[], chance: Prng): CreateConvoy {
  const task = (what: string): ConvoyPlan['tasks'][number] => ({
    rig: chance.pick(rigs) ?? trusted.rig(''),
    title: `${step.id} ${what}`,
    body: '',
    priority: chance.pick(PRIORITIES) ?? 'medium',
    runtime: null,
    model: null,
    dependsOn: [],
  });
  return {
    tasks: [task(DOOMED), task(DOOMED_SLOWLY), task(DOOMED_SLOWLY)],
    beads: [],
    title: `convoy ${step.id}`,
    mergeMode: 'review-and-merge',
    onFailure: 'abort',
    staged: false,
  };
}

/** True for a candidate that brings a whole convoy to the target, when that convoy is one of those that never pass. */
export function isCursedLanding(sim: Sim, repo: GitModel, candidate: string): boolean {
  // In a round it may lie below the merges of others.
  let at: string | undefined = candidate;
  for (; at !== undefined && !repo.isAncestor(at, repo.mustHead()); at = repo.get(at).parents[0])
    if (isCursed(sim, repo, at)) return true;
  return false;
}

function isCursed(sim: Sim, repo: GitModel, candidate: string): boolean {
  const { parents, landed } = repo.get(candidate);
  const [target, head] = landed === undefined ? parents : [landed.on, landed.head];
  if (target === undefined || head === undefined) return false;
  return [...repo.branches].some(
    ([name, feature]) =>
      name.startsWith(FEATURE) &&
      sim.chance(`landing of ${name}`).chance(CURSED_TOGETHER) &&
      !repo.isAncestor(feature, target) &&
      repo.isAncestor(feature, head),
  );
}

import type { ConvoyPlan } from '../../core/commands.ts';
import { notFound, usage } from '../../core/errors.ts';
import { CONVOY_BEADS_MAX } from '../../core/limits.ts';
import type { MergeMode } from '../../core/model/convoy.ts';
import { prefixOf, type RigName } from '../../core/model/ids.ts';
import type { SqlTownView } from '../../store/town-view.ts';
import { findCycle } from './find-cycle.ts';

/**
 * Checks a plan as a whole before anything of it exists. `present`: beads that the convoy has already.
 * Errors: `empty_convoy`, `convoy_too_large`, `rig_not_found`, `bead_not_found`, `duplicate_bead`, `unknown_dependency`,
 * `self_dependency`, `dependency_cycle`.
 */
export function checkPlan(view: SqlTownView, plan: ConvoyPlan, present: number): void {
  const total = plan.tasks.length + plan.beads.length;
  if (total === 0)
    throw usage(
      'empty_convoy',
      'A convoy needs at least one bead.',
      'Give tasks in a plan (--file) or beads (--bead).',
      'tasks',
    );
  if (total + present > CONVOY_BEADS_MAX)
    throw usage(
      'convoy_too_large',
      `A convoy has at most ${String(CONVOY_BEADS_MAX)} beads; this one would have ${String(total + present)}.`,
      'Split it.',
      'tasks',
    );
  for (const task of plan.tasks) if (view.rig(task.rig) === null) throw notFound('rig', task.rig);
  for (const bead of plan.beads) if (view.rigByPrefix(prefixOf(bead)) === null) throw notFound('bead', bead);
  if (new Set(plan.beads).size !== plan.beads.length)
    throw usage('duplicate_bead', 'The same bead is named twice.', 'Name each bead once.', 'beads');
  checkEdges(view, plan);
}

/**
 * Checks the order in which a convoy's rigs land. Errors: `no_landing_order` (each bead lands by itself), `unknown_rig`,
 * `duplicate_rig`.
 */
export function checkLandingOrder(
  mode: MergeMode,
  order: readonly RigName[],
  rigs: ReadonlySet<string>,
): readonly RigName[] {
  if (order.length > 0 && mode !== 'review-then-land')
    throw usage(
      'no_landing_order',
      'Only a convoy with the merge mode "review-then-land" lands rig by rig.',
      'Leave the landing order out, or choose that merge mode.',
      'landing_order',
    );
  const unknown = order.find((rig) => !rigs.has(rig));
  if (unknown !== undefined)
    throw usage(
      'unknown_rig',
      `The landing order names ${unknown}, where the convoy has no bead.`,
      `Its rigs: ${[...rigs].join(', ')}.`,
      'landing_order',
    );
  if (new Set(order).size !== order.length)
    throw usage('duplicate_rig', 'The landing order names a rig twice.', 'Name each rig once.', 'landing_order');
  return order;
}

function checkEdges(view: SqlTownView, plan: ConvoyPlan): void {
  const edges = plan.tasks.map((task, position) =>
    task.dependsOn.map((dependency) => {
      if (typeof dependency !== 'number') {
        if (view.rigByPrefix(prefixOf(dependency)) === null) throw notFound('bead', dependency);
        return null;
      }
      checkPosition(dependency, position, plan.tasks.length);
      return dependency;
    }),
  );
  const cycle = findCycle(edges.map((list) => list.filter((edge): edge is number => edge !== null)));
  if (cycle !== null) {
    throw usage(
      'dependency_cycle',
      `The dependencies form a cycle: ${cycle.map((position) => `task ${String(position)}`).join(' waits for ')}.`,
      'Remove one of these dependencies.',
      'depends_on',
    );
  }
}

function checkPosition(dependency: number, position: number, size: number): void {
  if (!Number.isInteger(dependency) || dependency < 0 || dependency >= size) {
    throw usage(
      'unknown_dependency',
      `Task ${String(position)} depends on task ${String(dependency)}, which is not in the plan.`,
      `Tasks are numbered 0 to ${String(size - 1)}.`,
      'depends_on',
    );
  }
  if (dependency === position)
    throw usage(
      'self_dependency',
      `Task ${String(position)} depends on itself.`,
      'Remove that dependency.',
      'depends_on',
    );
}

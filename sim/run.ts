import { makePlan, type Plan } from './plan.ts';
import { runPlan, type Result } from './world.ts';

/** Which entries of a seed's plan are left out or kept: what a shrunk failure needs to be repeated. */
export interface Selection {
  readonly seed: number;
  /** Ids of people's and faults' steps; null keeps all. */
  readonly keep: readonly string[] | null;
}

export function planOf(selection: Selection): Plan {
  const plan = makePlan(selection.seed);
  if (selection.keep === null) return plan;
  const kept = new Set(selection.keep);
  return {
    ...plan,
    stepsMin: 0,
    beadsMin: 0,
    faultsMin: 0,
    people: plan.people.filter((step) => kept.has(step.id)),
    faults: plan.faults.filter((step) => kept.has(step.id)),
  };
}

export function run(selection: Selection, trace = false): Promise<Result> {
  const plan = planOf(selection);
  // Long stories begin at the very beginning; so their second run, which does not, must come out the same.
  return runPlan(plan, { trace, checks: true, isNew: plan.long });
}

/**
 * Runs a seed twice: a simulation that differs from itself proves nothing. The second run only traces; its states are
 * those of the first, which were checked.
 */
export async function runTwice(selection: Selection): Promise<Result> {
  const first = await run(selection);
  if (first.failure !== null) return first;
  const second = await runPlan(planOf(selection), { trace: false, checks: false });
  if (first.hash === second.hash) return first;
  const message = `TWICE: two runs of seed ${String(selection.seed)} differ: ${first.hash} and ${second.hash}`;
  return { ...first, failure: { code: 'TWICE', message, atMs: 0, step: 0 } };
}

export function commandOf(selection: Selection): string {
  const keep = selection.keep === null ? '' : ` --keep ${selection.keep.join(',')}`;
  return `npm run sim -- --seed ${String(selection.seed)}${keep}`;
}

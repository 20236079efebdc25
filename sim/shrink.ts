import { planOf, run, type Selection } from './run.ts';

/** Runs that one shrinking may take. */
const RUNS_MAX = 400;

/**
 * Leaves out of a failing seed whatever is not needed for the same failure: halves first, then smaller and smaller
 * parts, down to single entries.
 */
export async function shrink(selection: Selection, code: string): Promise<Selection> {
  const plan = planOf(selection);
  let kept: readonly string[] = [...plan.people, ...plan.faults].map((step) => step.id);
  let runs = 0;
  let part = Math.ceil(kept.length / 2);
  while (part >= 1 && runs < RUNS_MAX) {
    let smaller = false;
    for (let from = 0; from < kept.length && runs < RUNS_MAX; from += part) {
      const keep = [...kept.slice(0, from), ...kept.slice(from + part)];
      runs += 1;
      const result = await run({ ...selection, keep });
      if (result.failure?.code !== code) continue;
      kept = keep;
      smaller = true;
      from -= part;
    }
    if (!smaller || part === 1) part = part === 1 && smaller ? 1 : Math.floor(part / 2);
  }
  return { ...selection, keep: kept };
}

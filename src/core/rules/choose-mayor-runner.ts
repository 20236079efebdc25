import type { MayorFacts } from '../model/mayor.ts';
import { LOCAL_RUNNER } from '../model/runner.ts';

type Runners = Pick<MayorFacts, 'runners' | 'hasLocalRunner' | 'lastRunner'>;

/**
 * Where the mayor's next session runs: beside the daemon, unless a person drained that runner; where the town has none
 * beside it, at the one that had the last session, else at the first that takes work. Null: nobody takes work now.
 */
export function chooseMayorRunner({ runners, hasLocalRunner, lastRunner }: Runners): string | null {
  const local = runners.find(({ id }) => id === LOCAL_RUNNER);
  if (hasLocalRunner && local?.state !== 'draining') return LOCAL_RUNNER;
  const healthy = runners.filter(({ state }) => state === 'healthy').map(({ id }) => id);
  return healthy.find((id) => id === lastRunner) ?? healthy.toSorted()[0] ?? null;
}

/** Why no runner would take a session of the mayor, or null when one would. */
export function noMayorRunnerReason(facts: Runners): string | null {
  if (chooseMayorRunner(facts) !== null) return null;
  // The machine that a town was moved from can't come back.
  const others = facts.runners.filter(({ id }) => facts.hasLocalRunner || id !== LOCAL_RUNNER);
  if (others.length === 0) return 'no runner is registered';
  return `no runner takes work: ${others.map(({ id, state }) => `${id} is ${state}`).join(', ')}`;
}

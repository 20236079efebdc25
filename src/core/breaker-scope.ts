/** Which scope a failure is charged to, which ones a process passes, and how a breaker stands. */
import { INFRA_FAILURES_TO_OPEN } from './limits.ts';
import type { Attempt } from './model/agent.ts';
import type { Bead } from './model/bead.ts';
import { pairScope, RIG_SCOPE, runnerScope, runtimeScope, type BreakerScope } from './model/breaker.ts';
import { engineOf } from './quota.ts';
import type { AttemptFacts, BreakerFacts, RigView } from './view.ts';

/**
 * Which scope an infrastructure failure is charged to. With one machine, nobody can tell the machine from the repository,
 * and both stop the same beads: that is the rig. A runner that does not say what failed means the machine.
 */
export function failedScope(
  attempt: Pick<Attempt, 'runtime' | 'runner'> & Pick<AttemptFacts, 'exit'>,
  runners: number,
): BreakerScope {
  const failed = attempt.exit?.failed;
  const isOnlyOne = runners <= 1;
  // A sandbox that does not work stops what needs it, like a program that is missing.
  if (failed === 'program' || failed === 'isolation')
    return isOnlyOne ? runtimeScope(attempt.runtime) : pairScope(attempt.runtime, attempt.runner);
  return isOnlyOne || failed === 'repository' || failed === 'branch' ? RIG_SCOPE : runnerScope(attempt.runner);
}

/** The scopes that a process passed through when it runs: all of them work. */
export const passedScopes = ({ runtime, runner }: Pick<Attempt, 'runtime' | 'runner'>): readonly BreakerScope[] => [
  RIG_SCOPE,
  runtimeScope(runtime),
  runnerScope(runner),
  pairScope(runtime, runner),
];

/** The scopes that a runner adds to those of its rig and of the bead's runtime: itself, and that runtime there. */
export const scopesAt = (view: RigView, bead: Bead, runner: string): readonly BreakerScope[] =>
  passedScopes({ runtime: engineOf(bead, view.config()).runtime, runner }).slice(2);

/** Three failures in a row: nothing is dispatched there but one probe per back-off. */
export const isTripped = ({ failures }: BreakerFacts): boolean => failures >= INFRA_FAILURES_TO_OPEN;

/** Tripped, and its next probe is not due yet. */
export const isClosedToDispatch = (breaker: BreakerFacts, nowMs: number): boolean =>
  isTripped(breaker) && breaker.retryAtMs > nowMs;

/** Tripped, and one probe may go. */
export const isHalfOpen = (breaker: BreakerFacts, nowMs: number): boolean =>
  isTripped(breaker) && breaker.retryAtMs <= nowMs;

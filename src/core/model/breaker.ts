/**
 * What a breaker is about. An infrastructure failure is charged to what failed, so that a missing program stops the beads
 * that need it, a broken machine what would run there, and everything else goes on.
 */
/** The whole rig: its repository, and its machine while there is only one. */
export const RIG_SCOPE = 'dispatch' as const;

/**
 * `dispatch`: the rig. `runtime:<name>`: the program of a runtime. `runner:<id>`: a machine. `runtime:<name>@<id>`: the
 * program of a runtime on one of several machines; elsewhere it may well be there.
 */
export type BreakerScope = typeof RIG_SCOPE | `runtime:${string}` | `runner:${string}`;

const RUNTIME = 'runtime:';
const RUNNER = 'runner:';

export const runtimeScope = (runtime: string): BreakerScope => `${RUNTIME}${runtime}`;
export const runnerScope = (runner: string): BreakerScope => `${RUNNER}${runner}`;
export const pairScope = (runtime: string, runner: string): BreakerScope => `${RUNTIME}${runtime}@${runner}`;

/** Reads a recorded scope; a word that nobody knows is the rig. */
export function breakerScope(recorded: string): BreakerScope {
  if (recorded.startsWith(RUNTIME)) return `${RUNTIME}${recorded.slice(RUNTIME.length)}`;
  if (recorded.startsWith(RUNNER)) return `${RUNNER}${recorded.slice(RUNNER.length)}`;
  return RIG_SCOPE;
}

/** What a scope is called in a sentence. */
export function scopeText(scope: BreakerScope, rig: string): string {
  if (scope === RIG_SCOPE) return `the rig ${rig}`;
  if (scope.startsWith(RUNNER)) return `the runner ${scope.slice(RUNNER.length)}`;
  return `the runtime ${scope.slice(RUNTIME.length).replace('@', ' on the runner ')}`;
}

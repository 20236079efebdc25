import type { RigConfig } from '../../core/commands.ts';
import type { StartAgent } from '../../core/facts.ts';
import type { AttemptFacts } from '../../core/view.ts';
import type { RigContext } from './rig-context.ts';

/** What the town's file says of a runtime; a runner knows the others by itself. */
export function presetFor(config: RigConfig, runtime: string): Pick<StartAgent, 'preset'> {
  const own = config.runtimes ?? {};
  return Object.hasOwn(own, runtime) ? { preset: own[runtime] } : {};
}

/**
 * Somebody ended the session before this one so that a fresh one begins (`gt handoff`, a lifecycle request). Every other
 * end was not wanted: what the session knows is taken up again.
 */
export function wantsFresh({ view }: Pick<RigContext, 'view'>, attempt: AttemptFacts): Pick<StartAgent, 'fresh'> {
  const before = view
    .attemptsOf(attempt.beadId)
    .filter((each) => each.epoch < attempt.epoch)
    .reduce<AttemptFacts | null>((last, each) => (last === null || each.epoch > last.epoch ? each : last), null);
  return before !== null && before.outcome === 'evicted' && before.exit?.cause !== 'drained' ? { fresh: true } : {};
}

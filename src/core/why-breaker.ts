import { isClosedToDispatch } from './breaker-scope.ts';
import { RIG_SCOPE, runtimeScope, scopeText } from './model/breaker.ts';
import type { Bead } from './model/bead.ts';
import { engineOf } from './quota.ts';
import { brokenRunners } from './rules/choose-runner.ts';
import type { BreakerFacts, RigView } from './view.ts';

/** The open breaker that a ready bead waits for: of its rig, its runtime, or of all runners that would take it. */
export function openBreaker(view: RigView, bead: Bead, nowMs: number): BreakerFacts | null {
  const { runtime } = engineOf(bead, view.config());
  const wide = [view.breaker(RIG_SCOPE), view.breaker(runtimeScope(runtime))].find((breaker) =>
    isClosedToDispatch(breaker, nowMs),
  );
  return wide ?? brokenRunners(view, bead, nowMs);
}

interface Wait {
  readonly sentence: string;
  readonly rule: string;
  readonly next: string;
  readonly wakeAtMs: number;
  readonly sinceMs: number | null;
}

/** What such a bead says. */
export function breakerWait(view: RigView, breaker: BreakerFacts): Wait {
  const { scope, failures, reason, retryAtMs, openedAtMs } = breaker;
  const where = scope === RIG_SCOPE ? 'this rig' : scopeText(scope, view.config().name);
  return {
    sentence: `Ready, but dispatch of ${where} is stopped after ${String(failures)} infrastructure failures: ${(reason ?? 'unknown').replace(/\.$/, '')}.`,
    rule: 'assign-work',
    next: 'A probe goes by itself when the breaker half-opens.',
    wakeAtMs: retryAtMs,
    sinceMs: openedAtMs,
  };
}

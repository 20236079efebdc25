import type { AttemptId } from '../core/model/ids.ts';
import { trusted } from '../core/model/ids.ts';
import type { WaitingEffect } from '../store/outbox-revival.ts';

/** Orders to the runner of one attempt, which their keys name first. */
const OF_ATTEMPT: ReadonlySet<string> = new Set(['start', 'stop']);
/** Git work goes wherever a runner answers, so it may have moved. */
const ANYWHERE: ReadonlySet<string> = new Set(['job', 'cancel_job', 'nudge']);

/**
 * Whether an effect may have another answer now that something became of `runner`. What goes to a code host, to people or
 * to another actor has not: its time was set by those.
 */
export function concernsRunner(
  { key, kind }: WaitingEffect,
  runner: string,
  runnerOf: (attempt: AttemptId) => string | null,
): boolean {
  if (ANYWHERE.has(kind)) return true;
  return OF_ATTEMPT.has(kind) && runnerOf(trusted.attempt(key.slice(key.indexOf(':') + 1))) === runner;
}

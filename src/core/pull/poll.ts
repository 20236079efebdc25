import { PULL_POLL_MAX_MS, PULL_POLL_MS, PULL_SILENT_RETRY_MS } from '../limits.ts';
import type { Proposal } from '../model/proposal.ts';

/** In how long a pull request is looked at again: soon after a change, ever slower while nothing happens. */
export function pollAfterMs({ changedAtMs }: Pick<Proposal, 'changedAtMs'>, nowMs: number): number {
  const stillMs = Math.max(0, nowMs - changedAtMs);
  return PULL_POLL_MS.find(({ untilMs }) => stillMs < untilMs)?.everyMs ?? PULL_POLL_MAX_MS;
}

/** The same while the forge does not answer: not before it said, doubling with the silence. */
export function silentAfterMs(sinceMs: number | null, nowMs: number, retryAfterMs: number | null): number {
  const silentMs = sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs);
  const waitMs = Math.min(PULL_POLL_MAX_MS, Math.max(PULL_SILENT_RETRY_MS, silentMs));
  return Math.max(waitMs, retryAfterMs ?? 0);
}

import type { Clock } from '../../ports/clock.ts';

/**
 * Wall time that never goes back. After a backward jump of the machine's clock it goes on from where it was, at the
 * pace of the monotonic clock, until wall time has caught up: timers and leases run on, and no record is in the future.
 */
export function monotoneClock(
  read: () => number = Date.now,
  elapsed: () => number = () => performance.now(),
): Required<Clock> {
  let lastMs = 0;
  let readAtMs = elapsed();
  return {
    now: () => {
      const nowMs = elapsed();
      lastMs = Math.max(read(), lastMs + Math.max(0, nowMs - readAtMs));
      readAtMs = nowMs;
      return Math.floor(lastMs);
    },
    raise: (atMs) => {
      lastMs = Math.max(lastMs, atMs);
    },
  };
}

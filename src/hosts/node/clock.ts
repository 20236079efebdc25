import type { Clock } from '../../ports/clock.ts';

/** Wall time that never goes back within this process; after a backward jump it stands still until time catches up. */
export function monotoneClock(read: () => number = Date.now): Clock {
  let last = 0;
  return {
    now: () => {
      last = Math.max(last, Math.floor(read()));
      return last;
    },
  };
}

import type { Clock } from '../ports/clock.ts';

/**
 * The machine's clock, held from going back: a time that is stored is never later than one taken after it. Set back by
 * somebody it goes on, not still: signs of life at one and the same moment would look like silence.
 */
export function systemClock(read: () => number = Date.now, elapsed: () => number = () => performance.now()): Clock {
  let lastMs = 0;
  let readAtMs = elapsed();
  return {
    now: () => {
      const nowMs = elapsed();
      lastMs = Math.max(read(), lastMs + Math.max(0, nowMs - readAtMs));
      readAtMs = nowMs;
      return Math.floor(lastMs);
    },
  };
}

/** Waits; a cancelled wait returns at once. Never keeps the process alive by itself. */
export function pause(waitMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal?.addEventListener('abort', done);
  });
}

/** The promise's value, or null when it is not settled within the time. The promise goes on. */
export async function within<T>(promise: Promise<T>, waitMs: number): Promise<T | null> {
  const timer = new AbortController();
  const late = pause(waitMs, timer.signal).then(() => null);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

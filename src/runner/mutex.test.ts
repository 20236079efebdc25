import { describe, expect, it } from 'vitest';

import { pause, within } from './clock.ts';
import { Mutex, Semaphore } from './mutex.ts';

describe('Mutex and Semaphore', () => {
  it('run in order, one at a time, also after a failure', async () => {
    const mutex = new Mutex();
    const seen: string[] = [];
    const work = async (name: string, waitMs: number): Promise<void> => {
      seen.push(`${name}+`);
      await pause(waitMs);
      seen.push(`${name}-`);
      if (name === 'b') throw new Error('b');
    };
    const all = [mutex.run(() => work('a', 10)), mutex.run(() => work('b', 1)), mutex.run(() => work('c', 1))];
    expect((await Promise.allSettled(all)).map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-']);
  });

  it('let at most the limit run', async () => {
    const semaphore = new Semaphore(2);
    let now = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      now += 1;
      most = Math.max(most, now);
      await pause(2);
      now -= 1;
    };
    await Promise.all(Array.from({ length: 7 }, () => semaphore.run(work)));
    expect(most).toBe(2);
    expect(now).toBe(0);
  });
});

describe('waiting', () => {
  it('ends with the value, the time limit or the cancellation', async () => {
    expect(await within(Promise.resolve(1), 1_000)).toBe(1);
    expect(await within(new Promise(() => undefined), 5)).toBeNull();
    await expect(within(Promise.reject(new Error('x')), 1_000)).rejects.toThrow('x');
    const cancelled = new AbortController();
    const long = pause(60_000, cancelled.signal);
    cancelled.abort();
    await long;
    await pause(60_000, cancelled.signal);
  });
});

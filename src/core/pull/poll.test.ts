import { describe, expect, it } from 'vitest';
import { PULL_POLL_MAX_MS, PULL_POLL_MS, PULL_SILENT_RETRY_MS } from '../limits.ts';
import { pollAfterMs, silentAfterMs } from './poll.ts';

const CHANGED = 1_000_000;
const after = (stillMs: number): number => pollAfterMs({ changedAtMs: CHANGED }, CHANGED + stillMs);

describe('the next look at a pull request', () => {
  it('comes ever later while nothing happens, up to a bound', () => {
    for (const [index, { untilMs, everyMs }] of PULL_POLL_MS.entries()) {
      expect(after(untilMs - 1)).toBe(everyMs);
      expect(after(untilMs)).toBe(PULL_POLL_MS[index + 1]?.everyMs ?? PULL_POLL_MAX_MS);
    }
    expect(PULL_POLL_MS.length).toBeGreaterThan(1);
    expect(after(30 * 86_400_000)).toBe(PULL_POLL_MAX_MS);
  });

  it('is soon when the clock went backwards', () => {
    expect(after(-5_000)).toBe(PULL_POLL_MS[0]?.everyMs);
  });
});

describe('the next look at a forge that does not answer', () => {
  it('waits as long as the silence lasts: that doubles, between a quarter of a minute and the usual bound', () => {
    expect(silentAfterMs(null, CHANGED, null)).toBe(PULL_SILENT_RETRY_MS);
    expect(silentAfterMs(CHANGED, CHANGED + PULL_SILENT_RETRY_MS - 1, null)).toBe(PULL_SILENT_RETRY_MS);
    expect(silentAfterMs(CHANGED, CHANGED + 2 * PULL_SILENT_RETRY_MS, null)).toBe(2 * PULL_SILENT_RETRY_MS);
    expect(silentAfterMs(CHANGED, CHANGED + 10 * PULL_POLL_MAX_MS, null)).toBe(PULL_POLL_MAX_MS);
    expect(silentAfterMs(CHANGED, CHANGED - 5_000, null)).toBe(PULL_SILENT_RETRY_MS);
  });

  it('never comes before the forge said that it may', () => {
    expect(silentAfterMs(null, CHANGED, 60_000)).toBe(60_000);
    expect(silentAfterMs(null, CHANGED, 3 * PULL_POLL_MAX_MS)).toBe(3 * PULL_POLL_MAX_MS);
    expect(silentAfterMs(null, CHANGED, 1)).toBe(PULL_SILENT_RETRY_MS);
  });
});

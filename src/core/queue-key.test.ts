import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AGEING_STEP_MS } from './limits.ts';
import { PRIORITIES } from './model/bead.ts';
import { queueKey } from './queue-key.ts';

const priority = fc.constantFrom(...PRIORITIES);
const moment = fc.integer({ min: 0, max: 4_102_444_800_000 });

it('is first come, first served within a priority, and higher first at the same moment', () => {
  fc.assert(
    fc.property(priority, moment, fc.nat(1_000_000), (of, atMs, laterMs) => {
      expect(queueKey(of, atMs + laterMs) - queueKey(of, atMs)).toBe(laterMs);
    }),
  );
  const keys = PRIORITIES.map((of) => queueKey(of, 0));
  expect(keys).toEqual(keys.toSorted((a, b) => a - b));
  expect(new Set(keys).size).toBe(PRIORITIES.length);
});

it('lets an entry overtake a newer one of a higher class exactly after one ageing step for each class between', () => {
  fc.assert(
    fc.property(priority, priority, moment, fc.nat(4 * AGEING_STEP_MS), (old, young, atMs, gapMs) => {
      const classes = PRIORITIES.indexOf(old) - PRIORITIES.indexOf(young);
      const overtakes = queueKey(old, atMs) < queueKey(young, atMs + gapMs);
      expect(overtakes).toBe(gapMs > classes * AGEING_STEP_MS);
    }),
  );
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsOf, holds, type BudgetPart } from './budget.ts';

const part = (rig: string, over: Partial<BudgetPart> = {}): BudgetPart => ({
  rig,
  granted: 0,
  returned: 0,
  spent: 0,
  reserved: 0,
  wanted: 0,
  least: 0,
  waiting: false,
  reported: true,
  ...over,
});

describe('what is given of a shared budget', () => {
  it('never adds up to more than there is, whoever asks for whatever', () => {
    const number = fc.integer({ min: 0, max: 100 });
    const parts = fc.array(
      fc.record({ granted: number, returned: number, spent: number, reserved: number, wanted: number, least: number }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(number, parts, (amount, rows) => {
        const named = rows.map((row, index) =>
          part(`rig${String(index)}`, { ...row, returned: Math.min(row.returned, row.granted) }),
        );
        const before = named.reduce((sum, row) => sum + holds(row), 0);
        const grants = new Map(grantsOf(amount, named).map(({ rig, granted }) => [rig, granted]));
        const after = named.map((row) => ({ ...row, granted: grants.get(row.rig) ?? row.granted }));
        for (const [index, row] of after.entries())
          expect(row.granted).toBeGreaterThanOrEqual(named[index]?.granted ?? 0);
        const held = after.reduce((sum, row) => sum + holds(row), 0);
        expect(held).toBeLessThanOrEqual(Math.max(amount, before));
      }),
    );
  });
});

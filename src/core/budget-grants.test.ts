import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grantsOf, holds, type BudgetPart } from './budget.ts';

const part = (rig: string, over: Partial<BudgetPart> = {}): BudgetPart => ({
  rig,
  granted: 0,
  heard: 0,
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
          part(`rig${String(index)}`, { ...row, heard: row.granted, returned: Math.min(row.returned, row.granted) }),
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

  it('gives nothing more to a rig whose last grant is on its way, and its part to nobody else', () => {
    const waits = part('api', { granted: 4, heard: 3, wanted: 8, least: 8 });
    expect(grantsOf(10, [waits])).toEqual([]);
    expect(grantsOf(10, [{ ...waits, heard: 4 }])).toEqual([{ rig: 'api', granted: 8 }]);
    expect(grantsOf(10, [waits, part('web', { wanted: 9, least: 6 })])).toEqual([{ rig: 'web', granted: 6 }]);
  });

  it('comes to an end however messages cross: whoever asks for what there is gets it', () => {
    const size = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.tuple(size, size), fc.array(fc.nat(3), { maxLength: 40 }), (needs, order) => {
        // Each rig holds a useless part, gives it back and asks, while older words of both are still on their way.
        const world = new Crossing(6, needs);
        for (const choice of order) world.deliver(choice);
        let rest = 200;
        while (world.deliver(rest) && rest > 0) rest -= 1;
        expect(rest).toBeGreaterThan(0);
        expect(world.served).toBe(2);
      }),
    );
  });
});

/** Two rigs and a town that only hear each other's messages, each in its order, whoever is next. */
class Crossing {
  served = 0;
  readonly #amount: number;
  readonly #town: BudgetPart[];
  readonly #rigs: { need: number; granted: number; returned: number }[];
  /** Accounts to the town, then grants to the rigs: one queue per sender and receiver. */
  readonly #queues: (() => void)[][] = [[], [], [], []];

  constructor(amount: number, needs: readonly number[]) {
    this.#amount = amount;
    this.#town = needs.map((_need, rig) => part(String(rig), { granted: 3, heard: 3 }));
    this.#rigs = needs.map((need) => ({ need, granted: 3, returned: 0 }));
    for (const rig of this.#rigs.keys()) {
      this.#tell(rig, 1);
      this.#tell(rig, 2);
    }
  }

  /** Delivers the oldest message of one queue that has some; false when all are empty. */
  deliver(choice: number): boolean {
    const full = this.#queues.filter((queue) => queue.length > 0);
    const next = full[choice % Math.max(1, full.length)]?.shift();
    next?.();
    return next !== undefined;
  }

  /** Gives back `spare` at most, and asks for its need. */
  #tell(index: number, spare: number): void {
    const rig = this.#rigs[index];
    if (rig === undefined) return;
    rig.returned += Math.min(spare, rig.granted - rig.returned);
    const { granted, returned, need } = rig;
    this.#queues[index]?.push(() => {
      this.#town[index] = part(String(index), {
        granted: this.#town[index]?.granted ?? 0,
        heard: granted,
        returned,
        wanted: need,
        least: need,
      });
      this.#grant();
    });
  }

  #grant(): void {
    for (const { rig, granted } of grantsOf(this.#amount, this.#town)) {
      const index = Number(rig);
      const row = this.#town[index];
      if (row !== undefined) this.#town[index] = { ...row, granted };
      this.#queues[2 + index]?.push(() => {
        this.#hear(index, granted);
      });
    }
  }

  /** Enough is used and settled at once; a part that is too small goes back. */
  #hear(index: number, granted: number): void {
    const rig = this.#rigs[index];
    if (rig === undefined) return;
    rig.granted = Math.max(rig.granted, granted);
    const has = rig.granted - rig.returned;
    if (rig.need > 0 && has >= rig.need) {
      this.served += 1;
      rig.need = 0;
    }
    this.#tell(index, has);
  }
}

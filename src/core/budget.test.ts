import { describe, expect, it } from 'vitest';
import {
  allowance,
  amountText,
  budgetId,
  budgetText,
  grantsOf,
  holds,
  isShared,
  raiseText,
  sumOf,
  type Budget,
  type BudgetPart,
} from './budget.ts';
import { rigBudget } from '../../test/support/budget-builder.ts';

const part = (rig: string, over: Partial<BudgetPart> = {}): BudgetPart => ({
  rig,
  spent: 0,
  reserved: 0,
  granted: 0,
  heard: over.granted ?? 0,
  returned: 0,
  wanted: 0,
  least: 0,
  waiting: false,
  reported: true,
  ...over,
});
const budget = (over: Partial<Budget> = {}): Budget => ({
  id: 'town:usd:hard',
  scope: 'town',
  unit: 'usd',
  kind: 'hard',
  amount: 10_000_000,
  ...over,
});

describe('a budget', () => {
  it('is known by scope, unit and kind', () => {
    expect(budgetId('rig:api', 'usd', 'soft')).toBe('rig:api:usd:soft');
  });

  it('of the town or of a convoy is given out; one of a rig or a bead is its own', () => {
    expect(['town', 'convoy:hq-cv-00000', 'rig:api', 'bead:api-00000'].map(isShared)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('lets a rig use all of its own, and of a shared one what it was given and has not given back', () => {
    const given = { amount: 100, granted: 30, returned: 10 };
    expect(allowance(rigBudget(given))).toBe(100);
    expect(allowance(rigBudget({ ...given, shared: true }))).toBe(20);
  });
});

describe('what a rig holds of a shared budget', () => {
  it('is what it was given, or what it used beyond that', () => {
    expect(holds(part('api', { granted: 30, returned: 10, spent: 5, reserved: 5 }))).toBe(20);
    expect(holds(part('api', { granted: 30, returned: 10, spent: 15, reserved: 10 }))).toBe(25);
  });
});

describe('a shared budget is given out', () => {
  const grants = (amount: number, ...parts: readonly BudgetPart[]): unknown =>
    grantsOf(amount, parts).map(({ rig, granted }) => [rig, granted]);
  const asks = (wanted: number, least = wanted, over: Partial<BudgetPart> = {}): Partial<BudgetPart> => ({
    wanted,
    least,
    ...over,
  });

  it.each<[string, number, readonly BudgetPart[], readonly (readonly [string, number])[]]>([
    ['to nobody who asks for nothing', 100, [part('api')], []],
    ['to who asks', 100, [part('api', asks(40))], [['api', 40]]],
    [
      'in the order of asking',
      100,
      [part('api', asks(70)), part('web', asks(50, 30))],
      [
        ['api', 70],
        ['web', 30],
      ],
    ],
    [
      'not to who could do nothing with the rest',
      100,
      [part('api', asks(70)), part('web', asks(50, 31))],
      [['api', 70]],
    ],
    ['to the last unit', 100, [part('api', asks(100))], [['api', 100]]],
    ['as far as it reaches', 100, [part('api', asks(101, 50))], [['api', 100]]],
    [
      'as totals that only grow: what was given back counts on',
      100,
      [part('api', asks(40, 40, { granted: 50, returned: 30 }))],
      [['api', 70]],
    ],
    ['to nobody who has enough', 100, [part('api', asks(20, 20, { granted: 50, returned: 30 }))], []],
    ['to nobody when nothing is free', 20, [part('api', asks(30, 10, { granted: 20 }))], []],
    ['without what others hold', 100, [part('web', { granted: 80 }), part('api', asks(30, 30))], []],
    [
      'without what others used beyond their part',
      100,
      [part('web', { spent: 75 }), part('api', asks(30, 20))],
      [['api', 25]],
    ],
    [
      'to who used more than it was given, for all that it used and what it needs',
      100,
      [part('api', asks(70, 70, { spent: 60 }))],
      [['api', 70]],
    ],
    [
      'once: what one takes the next can not have',
      100,
      [part('api', asks(60, 60, { spent: 50 })), part('web', asks(50, 40))],
      [
        ['api', 60],
        ['web', 40],
      ],
    ],
    ['not when a rig used it up', 100, [part('web', { spent: 120 }), part('api', asks(10, 0))], []],
  ])('%s', (_case, amount, parts, expected) => {
    expect(grants(amount, ...parts)).toEqual(expected);
  });

  it('only when every rig has said what it holds', () => {
    expect(grants(100, part('api', asks(40)), part('web', { reported: false }))).toEqual([]);
  });
});

describe('what is said of a budget', () => {
  it('sums what rigs use', () => {
    expect(sumOf([part('api', { spent: 1, reserved: 2 }), part('web', { spent: 10, reserved: 20 })])).toEqual({
      spent: 11,
      reserved: 22,
    });
  });

  it.each([
    [1_500_000, 'usd', '$1.50'],
    [1_500_000, 'tokens', '1,500,000 tokens'],
    [3, 'polecats', '3 polecats'],
  ] as const)('%i %s is %s', (amount, unit, text) => {
    expect(amountText(amount, unit)).toBe(text);
  });

  const use = { spent: 9_000_000, reserved: 1_000_000 };

  it.each<[Partial<Budget>, string, string]>([
    [
      {},
      'the budget of town: spent $9.00 of $10.00, $1.00 reserved',
      'raise it with "gt budget set town --usd <more>"',
    ],
    [
      { scope: 'convoy:hq-cv-00000', unit: 'tokens', kind: 'soft' },
      'the budget of convoy hq-cv-00000: spent 9,000,000 tokens of 10,000,000 tokens, 1,000,000 tokens reserved',
      'raise it with "gt budget set convoy hq-cv-00000 --tokens <more> --soft"',
    ],
    [
      { unit: 'polecats', amount: 3 },
      'the 3 polecats of the town; all are taken',
      'raise polecats_max in [town] of gastown.toml',
    ],
  ])('%j', (over, text, raise) => {
    expect(budgetText(budget(over), use)).toBe(text);
    expect(raiseText(budget(over))).toBe(raise);
  });
});

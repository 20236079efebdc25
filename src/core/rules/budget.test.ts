import { describe, expect, it } from 'vitest';
import { townView } from '../../../test/support/town-builder.ts';
import type { Budget, BudgetPart, BudgetTold } from '../budget.ts';
import type { TownView } from '../town-view.ts';
import { budgetRule } from './budget.ts';

const budget = (over: Partial<Budget> = {}): Budget => ({
  id: 'town:tokens:hard',
  scope: 'town',
  unit: 'tokens',
  kind: 'hard',
  amount: 100,
  ...over,
});
const part = (over: Partial<BudgetPart> = {}): BudgetPart => ({
  rig: 'api',
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
type Terms = ReturnType<TownView['budgetTerms']>;
interface Given {
  readonly of?: Partial<Budget>;
  readonly parts?: readonly BudgetPart[];
  readonly told?: BudgetTold;
  /** What a rig was told last. */
  readonly terms?: Terms;
  readonly rigs?: readonly string[];
}
const known: Terms = { amount: 100, spent: 0, reserved: 0 };

const judge = ({ of, parts = [part()], told = 'no', terms = known, rigs = ['api'] }: Given): unknown =>
  budgetRule(
    townView({
      budget: () => budget(of),
      budgetParts: () => parts,
      budgetTold: () => told,
      budgetTerms: () => terms,
      budgetRigs: () => rigs,
    }),
    budget(of).id,
  );

const nothing = { decisions: [], wakeAtMs: null };
const one = (reason: string, ...actions: readonly object[]): object => ({
  decisions: [{ rule: 'budget', entity: 'budget:town:tokens:hard', reason, actions }],
  wakeAtMs: null,
});
const stands = (spent: number, reserved = 0): string =>
  `the budget of town: spent ${String(spent)} tokens of 100 tokens, ${String(reserved)} tokens reserved`;
const grant = (granted: number, rig = 'api'): object => ({
  type: 'grant_budget',
  budget: 'town:tokens:hard',
  rig,
  granted,
});

describe('a budget of the town', () => {
  it('is nothing once it was removed, and nothing to do when everybody knows it', () => {
    expect(budgetRule(townView(), 'town:tokens:hard')).toEqual(nothing);
    expect(judge({})).toEqual(nothing);
  });

  describe('is told to rigs', () => {
    it('that know nothing of it, or another amount', () => {
      const told = one(stands(0), grant(7));
      expect(judge({ parts: [part({ granted: 7 })], terms: null })).toEqual(told);
      expect(judge({ parts: [part({ granted: 7 })], terms: { ...known, amount: 99 } })).toEqual(told);
      expect(judge({ parts: [], terms: null })).toEqual(one(stands(0), grant(0)));
    });

    it('each with its own part', () => {
      const parts = [part({ granted: 7 }), part({ rig: 'web', granted: 8 })];
      expect(judge({ parts, terms: null, rigs: ['web', 'api'] })).toEqual(one(stands(0), grant(8, 'web'), grant(7)));
    });

    it('that wait, whenever what is used has changed', () => {
      const waits = { parts: [part({ spent: 5, reserved: 3, granted: 8, waiting: true })], told: 'over' } as const;
      const told = one(stands(5, 3), grant(8));
      expect(judge({ ...waits, terms: { amount: 100, spent: 4, reserved: 3 } })).toEqual(told);
      expect(judge({ ...waits, terms: { amount: 100, spent: 5, reserved: 4 } })).toEqual(told);
      expect(judge({ ...waits, terms: { amount: 100, spent: 5, reserved: 3 } })).toEqual(nothing);
    });

    it('that wait and have heard nothing', () => {
      const waits = [part({ waiting: true })];
      expect(judge({ parts: waits, terms: null, told: 'over' })).toEqual(one(stands(0), grant(0)));
    });

    it('but not to those that do not wait', () => {
      expect(judge({ parts: [part({ spent: 5 })] })).toEqual(nothing);
      expect(judge({ parts: [] })).toEqual(nothing);
    });
  });

  describe('is given out', () => {
    const asks = part({ wanted: 40, least: 10 });

    it('to who asks', () => {
      expect(judge({ parts: [asks] })).toEqual(one(stands(0), grant(40)));
    });

    it('only when it is hard and shared', () => {
      expect(judge({ of: { kind: 'soft' }, parts: [asks] })).toEqual(nothing);
      expect(judge({ of: { scope: 'rig:api' }, parts: [asks] })).toEqual(nothing);
    });
  });

  describe('is told to people', () => {
    const mark = (told: BudgetTold): object => ({ type: 'mark_budget_told', budget: 'town:tokens:hard', told });
    const open = (severity: string, message: string): object => ({
      type: 'open_escalation',
      rig: null,
      causeKey: 'budget:town:tokens:hard',
      severity,
      category: 'budget',
      subject: 'budget:town:tokens:hard',
      message,
    });
    const close = { type: 'close_escalation', causeKey: 'budget:town:tokens:hard' };
    const spent = (tokens: number): readonly BudgetPart[] => [part({ spent: tokens })];
    const soft = { kind: 'soft' } as const;

    it.each([
      ['hard', 'When it is used up, nothing new is started there.'],
      ['soft', 'It is soft: work goes on.'],
    ] as const)('when little of a %s one is left, once', (kind, ahead) => {
      expect(judge({ of: { kind }, parts: spent(79) })).toEqual(nothing);
      expect(judge({ of: { kind }, parts: spent(80) })).toEqual(
        one(stands(80), mark('near'), open('low', `Nearly used up: ${stands(80)}. ${ahead}`)),
      );
      expect(judge({ of: { kind }, parts: spent(99), told: 'near' })).toEqual(nothing);
    });

    it.each([
      ['hard', 'Nothing new is started there; what runs may finish, and ready work waits.', ''],
      ['soft', 'It is soft: work goes on.', ' --soft'],
    ] as const)('when a %s one is used up, once, in the place of the first', (kind, what, option) => {
      const told = open(
        'medium',
        `Used up: ${stands(100)}. ${what} To go on, raise it with "gt budget set town --tokens <more>${option}".`,
      );
      expect(judge({ of: { kind }, parts: spent(100) })).toEqual(one(stands(100), mark('over'), told));
      expect(judge({ of: { kind }, parts: spent(100), told: 'near' })).toEqual(
        one(stands(100), mark('over'), close, told),
      );
      expect(judge({ of: { kind }, parts: spent(100), told: 'over' })).toEqual(nothing);
    });

    it('when it was raised: what was said is over', () => {
      expect(judge({ of: soft, parts: spent(79), told: 'over' })).toEqual(one(stands(79), mark('no'), close));
      expect(judge({ of: soft, parts: spent(80), told: 'over' })).toMatchObject({
        decisions: [{ actions: [mark('near'), close, { severity: 'low' }] }],
      });
    });

    it('not of one of which nothing was spent, however small it is', () => {
      expect(judge({ of: { amount: 0 }, terms: { ...known, amount: 0 } })).toEqual(nothing);
    });

    it('when ready work waits for a hard one and nobody can be given anything', () => {
      const waits = [part({ reserved: 60, granted: 60, waiting: true, wanted: 110, least: 110 }), part({ rig: 'web' })];
      const terms = { amount: 100, spent: 0, reserved: 60 };
      expect(judge({ parts: waits, terms })).toMatchObject({ decisions: [{ actions: [mark('over'), {}] }] });
      expect(judge({ of: soft, parts: waits, terms })).toEqual(nothing);
    });

    it('nobody while a grant is on its way to who waits', () => {
      const waits = part({ granted: 40, waiting: true, wanted: 40, least: 10 });
      expect(judge({ parts: [{ ...waits, heard: 0 }] })).toEqual(nothing);
      expect(judge({ parts: [waits] })).not.toEqual(nothing);
    });

    it('not while somebody can be given something', () => {
      const asks = part({ waiting: true, wanted: 40, least: 10 });
      expect(judge({ parts: [asks], told: 'over' })).toEqual(one(stands(0), grant(40), mark('no'), close));
    });

    it('never about polecats: one is free when another agent ends', () => {
      const polecats = { unit: 'polecats', amount: 1 } as const;
      const waits = [part({ spent: 1, waiting: true, wanted: 2, least: 2 })];
      expect(judge({ of: polecats, parts: waits, terms: { amount: 1, spent: 1, reserved: 0 } })).toEqual(nothing);
    });
  });
});

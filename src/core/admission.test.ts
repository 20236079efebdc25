import { describe, expect, it } from 'vitest';
import { bead, beadId, NOW, rigView, type World } from '../../test/support/rig-view-builder.ts';
import { trusted } from './model/ids.ts';
import { Admission } from './admission.ts';
import type { RigBudget } from './budget.ts';
import { assignWork } from './rules/assign-work.ts';

const CONVOY = 'hq-cv-00000';
const budget = (scope: string, over: Partial<RigBudget> = {}): RigBudget => ({
  id: `${scope}:usd:hard`,
  scope,
  unit: 'usd',
  kind: 'hard',
  amount: 100,
  shared: !scope.startsWith('rig:'),
  since: 1,
  granted: 0,
  returned: 0,
  wanted: 0,
  least: 0,
  waiting: false,
  townSpent: 0,
  townReserved: 0,
  ...over,
});
const town = budget('town');
const convoy = budget(`convoy:${CONVOY}`);
const cap = budget('town', { id: 'town:polecats:hard', unit: 'polecats', amount: 3 });
const own = budget('rig:api', { amount: 100 });
const work = (name: string) => bead({ id: beadId(name), convoyId: trusted.convoy(CONVOY) });

/** What one look decides: who is dispatched, what is asked for of which budget and what is given back. */
function decided(over: Partial<World>): readonly string[] {
  const world = { average: { tokens: 1, microUsd: 10 }, ready: [work('one')], ...over };
  return assignWork(rigView(world), '', NOW)
    .decisions.flatMap((decision) => decision.actions)
    .map((action) => {
      if (action.type === 'reserve_budget')
        return `ask ${action.budget} ${String(action.least)}..${String(action.wanted)}${action.waiting ? '' : ' nothing'}`;
      if (action.type === 'settle_budget') return `return ${action.budget} ${String(action.returned)}`;
      return action.type;
    });
}

describe('budgets that cover the same bead', () => {
  it('are asked for one after the other, the narrower first, the cap on agents last', () => {
    const all = (over: Readonly<Record<'convoy' | 'town' | 'cap', number>>) => ({
      budgets: [
        { ...town, granted: over.town },
        { ...cap, granted: over.cap },
        { ...convoy, granted: over.convoy },
      ],
    });
    expect(decided(all({ convoy: 0, town: 0, cap: 0 }))).toEqual([`ask ${convoy.id} 10..10`]);
    expect(decided(all({ convoy: 10, town: 0, cap: 0 }))).toEqual([`ask ${town.id} 10..10`]);
    expect(decided(all({ convoy: 10, town: 10, cap: 0 }))).toEqual([`ask ${cap.id} 1..1`]);
    expect(decided(all({ convoy: 10, town: 10, cap: 1 }))).toEqual(['dispatch_agent']);
  });

  it('keep what comes before the one that is awaited, and return what comes after it or is more than needed', () => {
    const parts = (narrow: number, wide: number) => ({
      budgets: [
        { ...convoy, granted: narrow },
        { ...town, granted: wide },
      ],
    });
    expect(decided(parts(13, 0))).toEqual([`return ${convoy.id} 3`, `ask ${town.id} 10..10`]);
    expect(decided(parts(0, 10))).toEqual([`ask ${convoy.id} 10..10`, `return ${town.id} 10`]);
  });

  it('ask for all that could run at once, beside what is kept, and say with how little one could', () => {
    const budgets = [
      { ...convoy, granted: 10 },
      { ...town, granted: 0 },
    ];
    expect(decided({ budgets, ready: [work('one'), work('two')] })).toEqual([`ask ${town.id} 10..20`]);
    const narrow = [{ ...convoy, granted: 5 }];
    expect(decided({ budgets: narrow, ready: [work('one'), work('two')] })).toEqual([
      `ask ${convoy.id} 10..20`,
      `return ${convoy.id} 5`,
    ]);
  });

  it('ask the town for nothing while a budget of the rig alone is used up', () => {
    const used = { [own.id]: { spent: 95, reserved: 0 } };
    expect(decided({ budgets: [own, { ...town, granted: 10 }], uses: used })).toEqual([
      `ask ${own.id} 0..0`,
      `return ${town.id} 10`,
    ]);
  });

  it('do not hold up who is not in the narrower one', () => {
    const free = bead({ id: beadId('free') });
    const budgets = [convoy, { ...town, granted: 10 }];
    expect(decided({ budgets, ready: [work('one'), free] })).toEqual(['dispatch_agent', `ask ${convoy.id} 10..10`]);
  });
});

describe('a look at a bead that may not ask', () => {
  it('says what it lacks, and wishes for nothing', () => {
    const pass = new Admission(rigView({ average: { tokens: 1, microUsd: 10 }, budgets: [town] }), NOW);
    expect(pass.judge(work('one'), false)).toEqual({ kind: 'budget', budgets: [town] });
    expect(pass.askFor(town)).toEqual({ wanted: 0, least: 0 });
    expect(pass.judge(work('one'))).toEqual({ kind: 'budget', budgets: [town] });
    expect(pass.askFor(town)).toEqual({ wanted: 10, least: 10 });
  });
});

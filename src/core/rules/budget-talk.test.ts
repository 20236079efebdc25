import { describe, expect, it } from 'vitest';
import { rigBudget } from '../../../test/support/budget-builder.ts';
import { bead, beadId, CLOSED_BREAKER, NOW, rigView, type World } from '../../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../../test/support/rig-config.ts';
import type { RigBudget } from '../budget.ts';
import { READY_SCAN_MAX } from '../limits.ts';
import type { Bead } from '../model/bead.ts';
import { trusted } from '../model/ids.ts';
import type { QuotaWindow } from '../view.ts';
import { assignWork } from './assign-work.ts';

const line = (count: number, over: Partial<Bead> = {}): readonly Bead[] =>
  Array.from({ length: count }, (_, index) => bead({ id: beadId(`b${String(index).padStart(4, '0')}`), ...over }));
const town = (over: Partial<RigBudget> = {}): RigBudget =>
  rigBudget({ id: 'town', scope: 'town', unit: 'tokens', shared: true, ...over });
const talk = (world: Partial<World>): unknown =>
  assignWork(rigView({ average: { tokens: 10, microUsd: 10 }, ...world }), '', NOW).decisions.filter(
    (decision) => decision.rule === 'budget',
  );
const dispatched = (world: Partial<World>): number =>
  assignWork(rigView({ average: { tokens: 10, microUsd: 10 }, ...world }), '', NOW).decisions.filter(
    (decision) => decision.rule === 'assign-work',
  ).length;
const said = (reason: string, ...actions: readonly object[]): readonly object[] => [
  { rule: 'budget', entity: 'schedule:', reason, actions },
];
const asks = (wanted: number, least: number, waiting: boolean): object => ({
  type: 'reserve_budget',
  budget: 'town',
  wanted,
  least,
  waiting,
});

describe('what a rig tells the town of a shared budget', () => {
  it('nothing when nothing waits and nothing is left over', () => {
    expect(talk({ budgets: [town()] })).toEqual([]);
  });

  it('what waits needs, once', () => {
    expect(talk({ budgets: [town()], ready: line(1) })).toEqual(said('ready work waits for town', asks(10, 10, true)));
    expect(talk({ budgets: [town({ wanted: 10, least: 10, waiting: true })], ready: line(1) })).toEqual([]);
    expect(talk({ budgets: [town({ wanted: 10, least: 9, waiting: true })], ready: line(1) })).toHaveLength(1);
    expect(talk({ budgets: [town({ wanted: 9, least: 10, waiting: true })], ready: line(1) })).toHaveLength(1);
    expect(talk({ budgets: [town({ wanted: 10, least: 10 })], ready: line(1) })).toHaveLength(1);
  });

  it('no more than could run', () => {
    expect(talk({ budgets: [town()], ready: line(9) })).toEqual(said('ready work waits for town', asks(40, 10, true)));
    const config = rigConfig('api', { polecatsMax: 1 });
    expect(talk({ budgets: [town()], ready: line(9), config })).toEqual(
      said('ready work waits for town', asks(10, 10, true)),
    );
  });

  it('and what needs none of it runs meanwhile, however many wait before it', () => {
    const of = trusted.convoy('hq-cv-aaaaa');
    const waiting = line(9, { convoyId: of });
    const free = bead({ id: beadId('z0000') });
    const budgets = [town({ id: 'convoy', scope: `convoy:${of}` })];
    for (const polecatsMax of [1, 4])
      expect(dispatched({ budgets, ready: [...waiting, free], config: rigConfig('api', { polecatsMax }) })).toBe(1);
  });

  it('although others in front wait for something else', () => {
    const config = rigConfig('api', { polecatsMax: 1 });
    const own = rigBudget({ id: 'own', scope: `bead:${beadId('b0000')}`, unit: 'tokens', amount: 5 });
    const ready = line(2);
    const reasons = { budgets: [own, town({ wanted: 10, least: 10, waiting: true })], ready, config };
    expect(talk(reasons)).toEqual(
      said('ready work waits for own', { type: 'reserve_budget', budget: 'own', wanted: 0, least: 0, waiting: true }),
    );
  });

  it('that nothing waits any more, and what is left over comes back', () => {
    const had = town({ granted: 50, returned: 20, wanted: 30, least: 10, waiting: true });
    expect(talk({ budgets: [had] })).toEqual(
      said('nothing waits for town', asks(0, 0, false), { type: 'settle_budget', budget: 'town', returned: 50 }),
    );
    expect(talk({ budgets: [town({ granted: 50, returned: 20 })], ready: line(1) })).toEqual(
      said('nothing waits for town', { type: 'settle_budget', budget: 'town', returned: 40 }),
    );
  });

  it('the same while it is parked, and while its breaker is open', () => {
    const given = { budgets: [town({ granted: 5 })], ready: line(1) };
    const back = said('nothing waits for town', { type: 'settle_budget', budget: 'town', returned: 5 });
    expect(talk({ ...given, config: rigConfig('api', { parked: true }) })).toEqual(back);
    expect(talk({ ...given, breaker: { ...CLOSED_BREAKER, failures: 3, retryAtMs: NOW + 1 } })).toEqual(back);
  });

  it('of its own budget only whether something waits', () => {
    const own = rigBudget({ id: 'town', unit: 'tokens', amount: 5 });
    expect(talk({ budgets: [own], ready: line(1) })).toEqual(said('ready work waits for town', asks(0, 0, true)));
    expect(talk({ budgets: [{ ...own, amount: 100 }] })).toEqual([]);
    const soft = town({ kind: 'soft', granted: 5 });
    expect(assignWork(rigView({ budgets: [soft, { ...own, amount: 100 }] }), '', NOW).decisions).toEqual([]);
  });
});

describe('what may not run now does not hide what may', () => {
  const closed: QuotaWindow = {
    scope: 'script/big',
    account: 'script',
    model: 'big',
    openedAtMs: 0,
    reportedAtMs: 0,
    resetsAtMs: NOW + 9,
    isKnown: true,
    isBurst: false,
    strikes: 0,
    reason: '',
    told: 'no',
  };
  const waiting = (count: number): readonly Bead[] => line(count, { model: 'big' });
  const free = line(4).map((one, index) => ({ ...one, id: beadId(`free${String(index)}`) }));

  it.each([5, 100, READY_SCAN_MAX - 4])('behind %i that wait for a quota', (count) => {
    expect(dispatched({ ready: [...waiting(count), ...free], windows: [closed] })).toBe(4);
  });

  it('its own budget asks no one, so those behind it are looked at', () => {
    const own = rigBudget({ scope: `bead:${line(1)[0]?.id ?? ''}`, unit: 'tokens', amount: 0 });
    const config = rigConfig('api', { polecatsMax: 1 });
    expect(dispatched({ ready: [...line(1), ...free], budgets: [own], config })).toBe(1);
  });

  it('and is looked at again when it may run', () => {
    const look = (backoffEndMs: number | null): number | null =>
      assignWork(rigView({ ready: waiting(1), windows: [closed], backoffEndMs }), '', NOW).wakeAtMs;
    expect([look(null), look(NOW + 5), look(NOW + 20)]).toEqual([NOW + 9, NOW + 5, NOW + 9]);
  });

  it.each<[string, readonly Bead[], readonly number[]]>([
    ['a short line', waiting(19), [20]],
    ['enough that may run', [...waiting(8), ...line(12)], [20]],
    ['too few that may run', [...waiting(9), ...line(11)], [20, 80]],
    ['a line that is longer than is ever read', waiting(2_000), [20, 80, 320, 1_280]],
  ])('no further than it must: %s', (_case, ready, limits) => {
    const view = rigView({ ready, windows: [closed] });
    const read: number[] = [];
    const readyBeads: typeof view.readyBeads = (nowMs, limit) => {
      read.push(limit);
      return view.readyBeads(nowMs, limit);
    };
    assignWork({ ...view, readyBeads }, '', NOW);
    expect(read).toEqual(limits);
  });

  it('and not at all without a free slot', () => {
    const view = rigView({ ready: line(1), config: rigConfig('api', { polecatsMax: 0 }) });
    const readyBeads: typeof view.readyBeads = () => {
      throw new Error('it was read');
    };
    expect(assignWork({ ...view, readyBeads }, '', NOW)).toEqual({ decisions: [], wakeAtMs: null });
  });
});

import { describe, expect, it } from 'vitest';
import { rigBudget } from '../../test/support/budget-builder.ts';
import { attempt, bead, beadId, NOW, rigView, type World } from '../../test/support/rig-view-builder.ts';
import { rigConfig } from '../../test/support/rig-config.ts';
import { Admission, covers } from './admission.ts';
import type { RigBudget } from './budget.ts';
import { NO_CAPS, type RigCaps } from './commands.ts';
import { QUOTA_STAGGER_MS } from './limits.ts';
import type { Bead } from './model/bead.ts';
import { trusted } from './model/ids.ts';
import type { QuotaWindow } from './view.ts';

const task = bead();
const other = bead({ id: beadId('task2') });
const admission = (world: Partial<World>): Admission => new Admission(rigView(world), NOW);
const judge = (world: Partial<World>, of: Bead = task): unknown => admission(world).judge(of);

/** Work with the model `big` uses 20 of everything, other work 10. */
const big = bead({ id: beadId('big1'), model: 'big' });
const bySize = (world: Partial<World>): Admission =>
  new Admission(
    {
      ...rigView(world),
      average: ({ model }) => (model === 'big' ? { tokens: 20, microUsd: 20 } : { tokens: 10, microUsd: 10 }),
    },
    NOW,
  );

describe('a quota window', () => {
  const window = (over: Partial<QuotaWindow>): QuotaWindow => ({
    scope: 'script/default',
    account: 'script',
    model: 'default',
    openedAtMs: 0,
    reportedAtMs: 0,
    resetsAtMs: NOW,
    isKnown: true,
    isBurst: false,
    strikes: 0,
    reason: '',
    told: 'no',
    ...over,
  });

  it('that is closed keeps what draws on it, until its moment', () => {
    const closed = window({ resetsAtMs: NOW + 1 });
    expect(judge({ windows: [closed] })).toEqual({ kind: 'quota', window: closed });
    expect(judge({ windows: [window({ resetsAtMs: NOW })] })).toBeNull();
    expect(judge({ windows: [closed] }, bead({ model: 'big' }))).toBeNull();
  });

  it('is looked at again at the earliest moment of those that are in the way', () => {
    const pass = admission({
      windows: [window({ resetsAtMs: NOW + 9 }), window({ scope: 'script/big', resetsAtMs: NOW + 5 })],
    });
    expect(pass.wakeAtMs).toBeNull();
    pass.judge(task);
    expect(pass.wakeAtMs).toBe(NOW + 9);
    pass.judge(bead({ model: 'big' }));
    pass.judge(task);
    expect(pass.wakeAtMs).toBe(NOW + 5);
  });

  describe('that has just opened lets one go after the other', () => {
    const opened = (agoMs: number): Partial<World> => ({ windows: [window({ resetsAtMs: NOW - agoMs })] });
    const startedAt = (agoMs: number): World['attempts'] => [attempt(other, { startedAtMs: NOW - agoMs })];

    it('in one pass', () => {
      const pass = admission(opened(0));
      expect(pass.judge(task)).toBeNull();
      pass.take(task);
      expect(pass.judge(other)).toEqual({ kind: 'stagger', untilMs: NOW + QUOTA_STAGGER_MS });
      expect(pass.wakeAtMs).toBe(NOW + QUOTA_STAGGER_MS);
      expect(pass.judge(bead({ model: 'big' }))).toBeNull();
    });

    it('each for itself', () => {
      const pass = admission({ windows: [window({}), window({ scope: 'script/big' })] });
      pass.take(task);
      expect(pass.judge(bead({ model: 'big' }))).toBeNull();
    });

    it('after the last that was started since, for a short time', () => {
      const after = (agoMs: number): unknown => judge({ ...opened(20_000), attempts: startedAt(agoMs) });
      expect(after(QUOTA_STAGGER_MS)).toBeNull();
      expect(after(QUOTA_STAGGER_MS - 1)).toEqual({ kind: 'stagger', untilMs: NOW + 1 });
    });

    it('whatever was started before it closed', () => {
      const started = (agoMs: number): unknown => judge({ ...opened(5_000), attempts: startedAt(agoMs) });
      expect(started(5_001)).toBeNull();
      expect(started(5_000)).toEqual({ kind: 'stagger', untilMs: NOW - 5_000 + QUOTA_STAGGER_MS });
      expect(judge(opened(5_000))).toBeNull();
    });

    it('for two minutes', () => {
      const pass = (agoMs: number): unknown => {
        const again = admission(opened(agoMs));
        again.take(task);
        return again.judge(other);
      };
      expect(pass(11 * QUOTA_STAGGER_MS)).toEqual({ kind: 'stagger', untilMs: NOW + QUOTA_STAGGER_MS });
      expect(pass(12 * QUOTA_STAGGER_MS)).toEqual({ kind: 'stagger', untilMs: NOW + 1 });
      const late = { ...opened(12 * QUOTA_STAGGER_MS), attempts: startedAt(1) };
      expect(judge(late)).toEqual({ kind: 'stagger', untilMs: NOW + 1 });
      expect(pass(12 * QUOTA_STAGGER_MS + 1)).toBeNull();
    });
  });
});

describe('a cap', () => {
  const capped = (caps: Partial<RigCaps>, more: Partial<World> = {}): Partial<World> => ({
    config: rigConfig('api', { caps: { ...NO_CAPS, account: 'work', ...caps } }),
    ...more,
  });
  const busy = { attempts: [attempt(other, { quotaScope: 'work/default' })] };

  it.each<[string, Partial<RigCaps>, object]>([
    ['of a runtime', { perRuntimeMax: { script: 2 } }, { kind: 'runtime', name: 'script', max: 2 }],
    ['of an account', { perAccountMax: 2 }, { kind: 'account', name: 'work', max: 2 }],
  ])('%s counts who works and who goes in this pass', (_case, caps, obstacle) => {
    const pass = admission(capped(caps, busy));
    expect(pass.judge(task)).toBeNull();
    pass.take(task);
    expect(pass.judge(other)).toEqual(obstacle);
  });

  it('counts only its own runtime and its own account', () => {
    const runtimes = admission(capped({ perRuntimeMax: { command: 1 } }, busy));
    runtimes.take(task);
    expect(runtimes.judge(bead({ runtime: 'command' }))).toBeNull();
    expect(runtimes.judge(other)).toBeNull();
    const accounts = admission({
      config: rigConfig('api', { caps: { ...NO_CAPS, perAccountMax: 1 } }),
    });
    accounts.take(task);
    expect(accounts.judge(bead({ runtime: 'command' }))).toBeNull();
    expect(accounts.judge(other)).toEqual({ kind: 'account', name: 'script', max: 1 });
  });

  it('of waiting reviews holds up new work, never the rework that ends them', () => {
    const caps = { reviewsWaitingMax: 2 };
    expect(judge(capped(caps, { reviewsWaiting: 3 }))).toEqual({ kind: 'reviews', name: 'merge requests', max: 2 });
    expect(judge(capped(caps, { reviewsWaiting: 2 }))).toBeNull();
    expect(judge(capped({}, { reviewsWaiting: 99 }))).toBeNull();
    expect(judge(capped(caps, { reviewsWaiting: 3 }), bead({ kind: 'rework', branchOf: other.id }))).toBeNull();
  });
});

describe('a hard budget', () => {
  const usd = rigBudget({ amount: 100 });
  const average = { tokens: 7, microUsd: 40 };
  const use = (spent: number, reserved: number): Partial<World> => ({ uses: { [usd.id]: { spent, reserved } } });

  it('lets go what fits into what is left of it, to the last unit', () => {
    const world = { budgets: [usd], average };
    expect(judge({ ...world, ...use(50, 10) })).toBeNull();
    expect(judge({ ...world, ...use(50, 11) })).toEqual({ kind: 'budget', budgets: [usd] });
    expect(judge({ ...world, ...use(51, 10) })).toEqual({ kind: 'budget', budgets: [usd] });
  });

  it('is taken by what goes before in the same pass', () => {
    const pass = admission({ budgets: [usd], average });
    for (const one of [task, other]) {
      expect(pass.judge(one)).toBeNull();
      pass.take(one);
    }
    expect(pass.usedOf(usd)).toBe(80);
    expect(pass.judge(bead({ id: beadId('task3') }))).toEqual({ kind: 'budget', budgets: [usd] });
  });

  it('expects of a kind of work what that kind has used, not what others have', () => {
    const pass = new Admission(
      {
        ...rigView({ budgets: [usd] }),
        average: ({ kind }) => ({ tokens: 1, microUsd: kind === 'review' ? 3 : 40 }),
      },
      NOW,
    );
    pass.take(bead({ kind: 'review' }));
    expect(pass.usedOf(usd)).toBe(3);
  });

  it.each<[string, Partial<RigBudget>, Partial<World>, number]>([
    ['dollars', {}, { average }, 40],
    ['tokens', { unit: 'tokens' }, { average }, 7],
    ['agents', { unit: 'polecats' }, { average }, 1],
    ['at least one of what is expected to cost nothing', {}, {}, 1],
  ])('counts %s', (_case, over, world, need) => {
    const budget = rigBudget({ amount: 100, ...over });
    const pass = admission({ budgets: [budget], ...world });
    pass.take(task);
    expect(pass.usedOf(budget)).toBe(need);
  });

  it('does not hold up what it is not about, and a soft one nothing', () => {
    for (const over of [{ scope: 'rig:web' }, { scope: 'bead:api-other' }, { kind: 'soft' as const }])
      expect(judge({ budgets: [rigBudget({ amount: 0, ...over })] })).toBeNull();
  });

  it('asks for what waits, beside what is used', () => {
    const pass = admission({ budgets: [usd], ...use(90, 5), average });
    expect(pass.askFor(usd)).toEqual({ wanted: 0, least: 0 });
    pass.judge(task);
    pass.judge(other);
    expect(pass.askFor(usd)).toEqual({ wanted: 95 + 80, least: 95 + 40 });
    expect(pass.spareOf(usd)).toBe(5);
  });

  it('of two sizes needs at least the smaller one', () => {
    const pass = bySize({ budgets: [usd], ...use(95, 0) });
    pass.judge(big);
    pass.judge(task);
    expect(pass.askFor(usd)).toEqual({ wanted: 95 + 30, least: 95 + 10 });
  });
});

describe('budgets that several rigs share', () => {
  const shared = (id: string, over: Partial<RigBudget> = {}): RigBudget =>
    rigBudget({ id, scope: 'town', unit: 'tokens', shared: true, ...over });
  const CONVOY = trusted.convoy('hq-cv-00000');
  const convoy = shared('convoy', { scope: `convoy:${CONVOY}` });
  const town = shared('town');
  const polecats = shared('polecats', { unit: 'polecats' });
  const of = bead({ convoyId: CONVOY });
  const average = { tokens: 10, microUsd: 10 };

  it('are asked for one after the other: convoy, town, agents', () => {
    const asked = (...granted: readonly RigBudget[]): readonly number[] => {
      const all = [polecats, town, convoy].map((one) => granted.find((given) => given.id === one.id) ?? one);
      const pass = admission({ budgets: all, average });
      pass.judge(of);
      return [convoy, town, polecats].map(
        (one) => pass.askFor(all.find((budget) => budget.id === one.id) ?? one).wanted,
      );
    };
    expect(asked()).toEqual([10, 0, 0]);
    expect(asked({ ...convoy, granted: 10 })).toEqual([0, 10, 0]);
    expect(asked({ ...convoy, granted: 10 }, { ...town, granted: 10 })).toEqual([0, 0, 1]);
  });

  it('keep their part while the next one is asked for', () => {
    const given = { ...convoy, granted: 25 };
    const pass = admission({ budgets: [given, town], average });
    pass.judge(of);
    expect(pass.spareOf(given)).toBe(15);
    pass.judge({ ...of, id: other.id });
    expect(pass.spareOf(given)).toBe(5);
    pass.judge({ ...of, id: beadId('task3') });
    expect(pass.spareOf(given)).toBe(0);
    expect(pass.askFor(given).wanted).toBe(0);
    expect(pass.spareOf(town)).toBe(0);
  });

  it('are asked for beside what is kept of them', () => {
    const given = { ...convoy, granted: 15 };
    const pass = bySize({ budgets: [given, town] });
    pass.judge(of);
    pass.judge({ ...big, convoyId: CONVOY });
    expect(pass.askFor(given)).toEqual({ wanted: 10 + 20, least: 20 });
  });

  it("are asked for only after what is the rig's own", () => {
    const own = rigBudget({ unit: 'tokens', amount: 5 });
    const both = { budgets: [town, own], average };
    const pass = admission(both);
    expect(pass.judge(of)).toEqual({ kind: 'budget', budgets: [own, town] });
    expect([pass.askFor(own).wanted, pass.askFor(town).wanted]).toEqual([10, 0]);
    expect(admission({ budgets: [convoy, own], average }).judge(of)).toEqual({
      kind: 'budget',
      budgets: [own, convoy],
    });
  });
});

describe('what counts in a budget', () => {
  const view = rigView({ beads: [bead({ id: beadId('source'), convoyId: trusted.convoy('hq-cv-00000') })] });
  const rework = bead({ branchOf: beadId('source') });

  it.each<[string, Bead, boolean]>([
    ['town', task, true],
    ['rig:api', task, true],
    ['rig:web', task, false],
    ['bead:api-task1', task, true],
    ['bead:api-task2', task, false],
    ['bead:api-source', rework, true],
    ['bead:api-task1', rework, false],
    ['convoy:hq-cv-00000', bead({ convoyId: trusted.convoy('hq-cv-00000') }), true],
    ['convoy:hq-cv-00000', rework, true],
    ['convoy:hq-cv-00000', task, false],
    ['convoy:hq-cv-00000', bead({ branchOf: beadId('gone') }), false],
    ['convoy:null', task, false],
  ])('%s: %#', (scope, of, counts) => {
    expect(covers(view, { scope }, of)).toBe(counts);
  });
});

import { describe, expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import { MICRO_USD } from '../../src/core/usage.ts';
import {
  count,
  finish,
  human,
  newBead,
  newConvoy,
  newTask,
  openTown,
  processOf,
  sling,
} from '../support/town-story.ts';
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';

const api = trusted.rig('api');
const remove = (town: VirtualTown, drain: boolean) => town.service.removeRig(api, drain, human);
const rigNames = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.listRigs()).map((rig) => rig.id);

const usd = (amount: number): number => amount * MICRO_USD;

describe('a rig', () => {
  it('with work is not removed, and one without is, for good', async () => {
    const town = await openTown({ api: {}, web: {} });
    const id = await sling(town, 'one');
    await expect(remove(town, false)).rejects.toMatchObject({ code: 'rig_has_work' });
    await expect(remove(town, true)).rejects.toMatchObject({ code: 'rig_not_parked' });
    await finish(town, id);
    expect(await remove(town, false)).toMatchObject({ status: 'removed' });
    expect(await rigNames(town)).toEqual(['web']);
    await expect(town.service.createBead(newBead('two'), human)).rejects.toMatchObject({ code: 'rig_not_found' });
    await expect(town.service.why(id)).rejects.toMatchObject({ code: 'bead_not_found' });
    town.crash();
    await town.service.start([]);
    expect(await rigNames(town)).toEqual(['web']);
  });

  it('drains: what runs is finished and merged, what has not started is cancelled', async () => {
    const town = await openTown({ api: { polecatsMax: 1 } });
    const running = await sling(town, 'running');
    const waiting = await town.service.createBead(newBead('waiting', { dependsOn: [running] }), human);
    await town.service.addRig(rigConfig('api', { polecatsMax: 1, parked: true }));
    expect(await remove(town, true)).toMatchObject({ status: 'draining', running: 1, open: 2 });
    await town.settle();
    expect(processOf(town, running).state).toBe('running');
    await finish(town, running);
    let answer = await remove(town, true);
    for (let turn = 0; turn < 5 && answer.status === 'draining'; turn += 1) {
      await town.settle();
      answer = await remove(town, true);
    }
    expect(answer).toMatchObject({ status: 'removed', running: 0, merging: 0, open: 0 });
    await town.service.addRig(rigConfig('api'));
    await town.settle();
    const shown = async (id: typeof running) => (await town.service.getBead(id)).phase;
    expect([await shown(running), await shown(waiting.id)]).toEqual(['merged', 'cancelled']);
  });

  it('keeps its prefix when it is gone', async () => {
    const town = await openTown();
    await remove(town, false);
    await expect(town.service.addRig(rigConfig('other', { prefix: 'api' }))).rejects.toMatchObject({
      code: 'prefix_taken',
    });
  });
});

describe('a town without one of its rigs', () => {
  const budget = async (town: VirtualTown) => (await town.service.money.listBudgets())[0];
  const web = trusted.rig('web');

  it('gives out its money: a removed rig is asked for no account', async () => {
    const ai = { runtime: 'command', command: 'agent' };
    const town = await openTown({ api: ai, web: ai });
    await remove(town, false);
    await town.service.money.setBudget({ scope: 'town', unit: 'usd', kind: 'hard', amount: usd(10) }, human);
    await town.settle();
    const first = await sling(town, 'first', { rig: web });
    expect(processOf(town, first).state).toBe('running');
    expect(await budget(town)).toMatchObject({ reserved: usd(1), isWaitedFor: false, parts: [{ rig: 'web' }] });
    expect(await town.service.listEscalations(true)).toEqual([]);
    // Added again, it takes part.
    await town.service.addRig(rigConfig('api', ai));
    await town.settle();
    const second = await sling(town, 'second');
    expect(processOf(town, second).state).toBe('running');
    expect((await budget(town))?.reserved).toBe(usd(2));
  });

  it('keeps nothing waiting for a rig that was removed before it told its account', async () => {
    const ai = { runtime: 'command', command: 'agent' };
    const town = await openTown({ api: ai, web: ai });
    await remove(town, false);
    await town.service.money.setBudget({ scope: 'town', unit: 'usd', kind: 'hard', amount: usd(10) }, human);
    await town.settle();
    // As an older version left it: a part of the removed rig that never reports.
    town.tampered = true;
    town.databases
      .get('town')
      ?.all(
        `INSERT INTO budget_parts (budget_id, rig, granted, terms) SELECT id, 'api', 0, '{"amount":10000000,"spent":0,"reserved":0}' FROM budgets`,
      );
    const first = await sling(town, 'first', { rig: web });
    expect(processOf(town, first).state).toBe('running');
    await town.service.addRig(rigConfig('api', ai));
    await town.settle();
    expect(processOf(town, await sling(town, 'second')).state).toBe('running');
  });

  it('plans nothing for it, and waits for nothing of it', async () => {
    const town = await openTown({ api: {}, web: {} });
    const gone = await sling(town, 'gone');
    await finish(town, gone);
    await remove(town, false);
    const plan = (over: Parameters<typeof newConvoy>[0]) => town.service.createConvoy(newConvoy(over), human);
    await expect(plan({ tasks: [newTask('api', 'a')] })).rejects.toMatchObject({ code: 'rig_not_found' });
    await expect(plan({ beads: [gone] })).rejects.toMatchObject({ code: 'bead_not_found' });
    await expect(plan({ tasks: [newTask('web', 'b', [gone])] })).rejects.toMatchObject({ code: 'bead_not_found' });
    await expect(town.service.createBead(newBead('c', { rig: web, dependsOn: [gone] }), human)).rejects.toMatchObject({
      code: 'bead_not_found',
    });
  });
});

/** Messages of the town that nobody has taken. */
const onTheWay = (town: VirtualTown): readonly string[] =>
  (town.databases.get('town')?.all(`SELECT key FROM outbox WHERE state = 'pending'`) ?? []).map((row) =>
    String(row['key']),
  );

describe('a rig that is added again', () => {
  it('hears the town as before: what happened meanwhile, and what comes', async () => {
    const web = trusted.rig('web');
    const ai = { runtime: 'command', command: 'agent' };
    const town = await openTown({ api: ai, web: {} });
    const { money, runners } = town.service;
    await money.setBudget({ scope: 'rig:api', unit: 'usd', kind: 'hard', amount: 1 }, human);
    await town.settle();
    await remove(town, false);
    await money.removeBudget('rig:api:usd:hard', human);
    await money.setBudget({ scope: 'town', unit: 'tokens', kind: 'soft', amount: 1000 }, human);
    await runners.add({ id: 'far', url: null, serial: 's' });
    const blocker = await sling(town, 'blocker', { rig: web });
    await town.settle();
    expect(count(town, `runners WHERE id = 'far'`)).toBe(0);
    await town.service.addRig(rigConfig('api', ai));
    await town.advance(1_000);
    expect(count(town, `runners WHERE id = 'far'`)).toBe(1);
    expect(count(town, `budgets WHERE id = 'town:tokens:soft'`)).toBe(1);
    const waits = await sling(town, 'waits', { dependsOn: [blocker] });
    await finish(town, blocker);
    expect(processOf(town, waits).state).toBe('running');
    expect(count(town, `budgets WHERE id = 'rig:api:usd:hard'`)).toBe(0);
    expect(onTheWay(town)).toEqual([]);
  });

  it('keeps no budget that ended while it was away, though it has nothing new to tell of it', async () => {
    const town = await openTown({ api: {}, web: {} });
    const id = await sling(town, 'one');
    const { money } = town.service;
    await money.setBudget({ scope: `bead:${id}`, unit: 'usd', kind: 'soft', amount: usd(1) }, human);
    await finish(town, id);
    await town.advance(1_000);
    expect(count(town, 'budgets')).toBe(1);
    await remove(town, false);
    await money.removeBudget(`bead:${id}:usd:soft`, human);
    await town.service.addRig(rigConfig('api'));
    await town.advance(1_000);
    expect(count(town, 'budgets')).toBe(0);
  });

  it('was not removed while a message to it was on its way', async () => {
    const town = await openTown({ api: {}, web: {} });
    const news = town.service.runners.add({ id: 'far', url: null, serial: 's' });
    const [answer] = await Promise.all([remove(town, false), news]);
    expect(answer).toMatchObject({ status: 'removed' });
    expect(onTheWay(town).filter((key) => key.includes('api'))).toEqual([]);
    expect(count(town, `runners WHERE id = 'far'`)).toBe(1);
    await town.service.addRig(rigConfig('api'));
    await town.advance(1_000);
    await town.service.runners.drain('far', true);
    await town.settle();
    expect(count(town, `runners WHERE id = 'far' AND state = 'draining'`)).toBe(0);
    expect(onTheWay(town)).toEqual([]);
  });
});

describe('the feed', () => {
  it('begins with the newest, and its cursor goes on behind them', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    await town.advance(60_000);
    const all = (await town.service.feed(null, 10_000)).items;
    const tail = await town.service.feedTail(0, 3);
    expect(tail.items).toEqual(all.slice(-3));
    expect((await town.service.feed(tail.cursor, 10)).items).toEqual([]);
    await finish(town, id);
    expect((await town.service.feed(tail.cursor, 10_000)).items.length).toBeGreaterThan(3);
    expect((await town.service.feedTail(town.nowMs + 1, 100)).items).toEqual([]);
  });
});

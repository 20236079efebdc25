import { describe, expect, it } from 'vitest';
import { trusted } from '../../src/core/model/ids.ts';
import { finish, human, newBead, openTown, processOf, sling } from '../support/town-story.ts';
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';

const api = trusted.rig('api');
const remove = (town: VirtualTown, drain: boolean) => town.service.removeRig(api, drain, human);
const rigNames = async (town: VirtualTown): Promise<readonly string[]> =>
  (await town.service.listRigs()).map((rig) => rig.id);

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

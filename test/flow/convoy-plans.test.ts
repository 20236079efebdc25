import { describe, expect, it } from 'vitest';
import type { CreateConvoy } from '../../src/core/commands.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { ConvoyDetail } from '../../src/core/queries.ts';
import {
  count,
  finish,
  finishAll,
  HOUR,
  human,
  MINUTE,
  newBead,
  newConvoy,
  newTask,
  openTown,
  processOf,
  show,
  sling,
} from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

const TWO = { api: {}, web: {} };

/** Creates a convoy and lets its rigs answer. */
async function create(town: VirtualTown, over: Partial<CreateConvoy>): Promise<ConvoyDetail> {
  const creating = town.service.createConvoy(newConvoy(over), human);
  creating.catch(() => undefined);
  await town.settle();
  return creating;
}
const web = { rig: trusted.rig('web') };
const idOf = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads[position]?.beadId;
  if (id === undefined || id === null) throw new Error(`no bead at ${String(position)}`);
  return id;
};
const working = (town: VirtualTown): readonly string[] => town.runner.running().map((process) => process.request.title);

describe('a convoy', () => {
  it('works in the right repository of each rig (T29)', async () => {
    const town = await openTown(TWO);
    const convoy = await create(town, { tasks: [newTask('api', 'a'), newTask('web', 'b')] });
    for (const process of town.runner.running())
      expect(process.request.repo?.url).toBe(`/remotes/${process.request.rig}.git`);
    await finishAll(town);
    for (const job of town.runner.jobs.values()) expect(job.repo.url).toBe(`/remotes/${job.repo.rig}.git`);
    expect(await town.service.getConvoy(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 2 });
  });

  it('with a failed bead is held, its dependents wait, and a person sees why (T28)', async () => {
    const town = await openTown();
    const convoy = await create(town, {
      tasks: [newTask('api', 'a'), newTask('api', 'b', [0]), newTask('api', 'c')],
    });
    const failing = idOf(convoy, 0);
    await finish(town, idOf(convoy, 2));
    for (const word of ['red', 'blue', 'green', 'white', 'black']) {
      town.runner.exit(processOf(town, failing).request.attempt, { exitCode: 1, lastLine: word });
      await town.settle();
      await town.advance(5 * MINUTE + 1);
    }
    const held = await town.service.getConvoy(convoy.id);
    expect(held).toMatchObject({ status: 'active', closedBeads: 1, failedBeads: 1 });
    expect(held.why.sentence).toContain(failing);
    expect(await show(town, idOf(convoy, 1))).toMatchObject({ status: 'open', phase: 'blocked_by_failure' });
    const attention = (await town.service.status()).attention.map((item) => item.subject);
    expect(attention).toContain(convoy.id);
    await town.advance(HOUR);
    expect(working(town)).toEqual([]);
    expect((await town.service.getConvoy(convoy.id)).status).toBe('active');
  });

  it('that is staged starts nothing until it is told to', async () => {
    const town = await openTown(TWO);
    const convoy = await create(town, { staged: true, tasks: [newTask('api', 'a'), newTask('web', 'b')] });
    expect(convoy.status).toBe('staged');
    await town.advance(HOUR);
    expect(working(town)).toEqual([]);
    await expect(town.service.beadCommand({ type: 'release', bead: idOf(convoy, 0) }, human)).rejects.toMatchObject({
      code: 'convoy_not_started',
    });
    await town.service.startConvoy(convoy.id, human);
    await town.settle();
    expect(working(town).toSorted()).toEqual(['a', 'b']);
    await finishAll(town);
    expect((await town.service.getConvoy(convoy.id)).status).toBe('landed');
  });

  it('takes in beads that exist, one of them already merged', async () => {
    const town = await openTown(TWO);
    const merged = await sling(town, 'merged');
    await finish(town, merged);
    const running = await sling(town, 'running');
    const staged = await sling(town, 'staged', { sling: false, ...web });
    const convoy = await create(town, { beads: [merged, running, staged] });
    expect(working(town).toSorted()).toEqual(['running', 'staged']);
    await finishAll(town, 300);
    expect(await town.service.getConvoy(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 3 });
  });

  it('that one rig refuses exists nowhere: no bead runs, none stays, and those that existed before are left alone', async () => {
    const town = await openTown({ api: { polecatsMax: 1 }, web: {} });
    await sling(town, 'first');
    const before = await sling(town, 'before');
    await expect(
      create(town, { beads: [before], tasks: [newTask('web', 'b', [trusted.bead('web-zzzzz')])] }),
    ).rejects.toMatchObject({ code: 'convoy_refused' });
    await town.advance(HOUR);
    expect(await show(town, before)).toMatchObject({ status: 'open', convoyId: null });
    const live = await town.service.listBeads({ includeMergeRequests: false, limit: 50, statuses: ['open'] });
    expect(live.items.map((row) => row.title)).toEqual(['before']);
    expect((await town.service.listConvoys(10)).items.map((row) => row.status)).toEqual(['failed']);
    await finishAll(town);
    await finish(town, before, 200);
    expect((await show(town, before)).closeReason).toBe('merged');
  });

  it('that is refused leaves alone what was there before in the rig of its new tasks, also what runs', async () => {
    const town = await openTown({ api: { polecatsMax: 1 }, web: {} });
    const runs = await sling(town, 'runs');
    const waits = await sling(town, 'waits');
    await expect(
      create(town, {
        beads: [runs, waits],
        tasks: [newTask('api', 'a'), newTask('web', 'b', [trusted.bead('web-zzzzz')])],
      }),
    ).rejects.toMatchObject({ code: 'convoy_refused' });
    await town.settle();
    expect(await show(town, waits)).toMatchObject({ status: 'open', convoyId: null });
    // Its agent ends in vain: it is tried again, as any bead that is by itself.
    town.runner.exit(processOf(town, runs).request.attempt, { exitCode: 1, lastLine: 'red' });
    await town.advance(HOUR);
    await finishAll(town, 200);
    await finishAll(town, 300);
    for (const bead of [runs, waits]) expect(await show(town, bead)).toMatchObject({ closeReason: 'merged' });
    const ends = await town.service.listBeads({ includeMergeRequests: false, limit: 50, statuses: ['closed'] });
    expect(ends.items.map((row) => `${row.title} ${row.closeReason ?? ''}`).toSorted()).toEqual([
      'a cancelled',
      'runs merged',
      'waits merged',
    ]);
  });

  it('that refuses an addition keeps none of its new beads, and none of those that were there before', async () => {
    const town = await openTown({ api: { polecatsMax: 1 }, web: {} });
    const convoy = await create(town, { tasks: [newTask('api', 'a')] });
    const before = await sling(town, 'before');
    const add = town.service.changeConvoy(
      convoy.id,
      {
        type: 'add',
        plan: { beads: [before], tasks: [newTask('api', 'b'), newTask('web', 'c', [trusted.bead('web-zzzzz')])] },
      },
      human,
    );
    add.catch(() => undefined);
    await town.settle();
    await expect(add).rejects.toMatchObject({ code: 'beads_refused' });
    const rows = await town.service.listBeads({ includeMergeRequests: false, limit: 50 });
    expect(rows.items.map((row) => `${row.title} ${row.status} ${row.convoyId ?? 'alone'}`).toSorted()).toEqual([
      `a in_progress ${convoy.id}`,
      'b closed alone',
      'before open alone',
    ]);
  });
});

describe('a bead that waits for a bead of another rig', () => {
  it('starts when that one is merged', async () => {
    const town = await openTown(TWO);
    const first = await sling(town, 'first');
    const second = await sling(town, 'second', { ...web, dependsOn: [first] });
    expect(working(town)).toEqual(['first']);
    expect((await show(town, second)).why.sentence).toContain(first);
    await finish(town, first);
    expect(working(town)).toEqual(['second']);
  });

  it('starts at once when that one was merged long ago, also for the second and the third who ask', async () => {
    const town = await openTown({ api: {}, web: {}, app: {} });
    const convoy = await create(town, { tasks: [newTask('api', 'first')] });
    const first = idOf(convoy, 0);
    await finish(town, first);
    await town.advance(HOUR);
    await sling(town, 'second', { ...web, dependsOn: [first] });
    expect(working(town)).toEqual(['second']);
    await sling(town, 'third', { rig: trusted.rig('app'), dependsOn: [first] });
    await sling(town, 'fourth', { ...web, dependsOn: [first] });
    expect(working(town)).toEqual(['second', 'third', 'fourth']);
  });

  it('is blocked by its failure, visibly', async () => {
    const town = await openTown(TWO);
    const first = await sling(town, 'first');
    const second = await sling(town, 'second', { ...web, dependsOn: [first] });
    await town.service.beadCommand({ type: 'close', bead: first, reason: 'cancelled', note: '' }, human);
    await town.settle();
    expect(await show(town, second)).toMatchObject({ phase: 'blocked_by_failure', failedBlockers: 1 });
  });

  it('is refused when nobody has that bead', async () => {
    const town = await openTown(TWO);
    const missing = newBead('x', { dependsOn: [trusted.bead('web-zzzzz')] });
    await expect(town.service.createBead(missing, human)).rejects.toMatchObject({ kind: 'not_found' });
    const nowhere = newBead('x', { dependsOn: [trusted.bead('moon-zzzzz')] });
    await expect(town.service.createBead(nowhere, human)).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('a plan', () => {
  it.each([
    [{ tasks: [] }, 'empty_convoy'],
    [{ tasks: [newTask('api', 'a', [0])] }, 'self_dependency'],
    [{ tasks: [newTask('api', 'a', [1])] }, 'unknown_dependency'],
    [{ tasks: [newTask('api', 'a', [-1])] }, 'unknown_dependency'],
    [{ tasks: [newTask('api', 'a', [0.5])] }, 'unknown_dependency'],
    [{ tasks: [newTask('moon', 'a')] }, 'rig_not_found'],
    [{ tasks: Array.from({ length: 501 }, () => newTask('api', 'a')) }, 'convoy_too_large'],
    [{ beads: [trusted.bead('api-00000'), trusted.bead('api-00000')] }, 'duplicate_bead'],
    [{ beads: [trusted.bead('moon-00000')] }, 'bead_not_found'],
  ])('that is wrong creates nothing: %#', async (over, code) => {
    const town = await openTown();
    await expect(create(town, over)).rejects.toMatchObject({ code });
    expect((await town.service.listConvoys(10)).items).toEqual([]);
    expect((await town.service.listBeads({ includeMergeRequests: true, limit: 10 })).items).toEqual([]);
  });
});

describe('the same request twice', () => {
  it('with one key makes one convoy and one bead', async () => {
    const town = await openTown();
    const caller = { ...human, idempotencyKey: 'again' };
    const ids = [];
    for (let n = 0; n < 2; n += 1) ids.push((await town.service.createBead(newBead('one'), caller)).id);
    const convoys = [];
    for (let n = 0; n < 2; n += 1) {
      const creating = town.service.createConvoy(newConvoy({ tasks: [newTask('api', 'a')] }), caller);
      await town.settle();
      convoys.push((await creating).id);
    }
    expect([new Set(ids).size, new Set(convoys).size]).toEqual([1, 1]);
    await finishAll(town, 100);
    expect(count(town, `beads WHERE type = 'issue' AND close_reason = 'merged'`)).toBe(2);
  });
});

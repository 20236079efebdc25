import { beforeEach, describe, expect, it } from 'vitest';
import type { CreateConvoy } from '../../src/core/commands.ts';
import type { BeadId, ConvoyId } from '../../src/core/model/ids.ts';
import type { BeadSummary, ConvoyDetail } from '../../src/core/queries.ts';
import { count, finishAll, human, MINUTE, newBead, newConvoy, newTask, openTown, show } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = await openTown({ api: {}, web: {} });
});

async function create(over: Partial<CreateConvoy>): Promise<ConvoyDetail> {
  const asked = town.service.createConvoy(newConvoy(over), human);
  await town.settle();
  return asked;
}
const shown = (id: ConvoyId): Promise<ConvoyDetail> => town.service.getConvoy(id);
const idOf = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads.find((bead) => bead.position === position)?.beadId;
  if (id === null || id === undefined) throw new Error(`no bead at ${String(position)}`);
  return id;
};
async function close(bead: BeadId): Promise<void> {
  await town.service.beadCommand({ type: 'close', bead, reason: 'cancelled', note: '' }, human);
  await town.settle();
}
async function reopen(bead: BeadId): Promise<BeadSummary> {
  const successor = await town.service.beadCommand({ type: 'reopen', bead }, human);
  await town.settle();
  return show(town, successor.id);
}
const workAll = async (): Promise<void> => {
  for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
};

describe('a reopened bead', () => {
  it('stays as it ended, and a new one does its work for whoever waits', async () => {
    const first = await town.service.createBead(newBead('first', { body: 'the text', priority: 'high' }), human);
    const waiting = await town.service.createBead(newBead('waiting', { dependsOn: [first.id] }), human);
    const far = await town.service.createBead(newBead('far', { rig: 'web' as never, dependsOn: [first.id] }), human);
    await town.settle();
    await close(first.id);
    for (const id of [waiting.id, far.id]) expect((await show(town, id)).phase).toBe('blocked_by_failure');

    const second = await reopen(first.id);
    expect(second).toMatchObject({
      title: 'first',
      body: 'the text',
      priority: 'high',
      reopens: first.id,
      phase: 'running',
    });
    expect(await show(town, first.id)).toMatchObject({
      status: 'closed',
      closeReason: 'cancelled',
      reopenedAs: second.id,
    });
    expect((await town.service.why(first.id)).sentence).toContain(`Reopened as ${second.id}.`);
    for (const id of [waiting.id, far.id])
      expect(await show(town, id)).toMatchObject({
        phase: 'blocked',
        blockers: [{ blockerRef: second.id, state: 'open' }],
      });
    await workAll();
    for (const id of [waiting.id, far.id]) expect((await show(town, id)).closeReason).toBe('merged');
  });

  it.each(['merged', 'cancelled'] as const)(
    'is known by its end, %s, to who begins to wait in another rig long after',
    async (end) => {
      const first = await town.service.createBead(newBead('first'), human);
      const begin = async (title: string): Promise<BeadId> => {
        const far = { rig: 'web' as never, dependsOn: [first.id] };
        const { id } = await town.service.createBead(newBead(title, far), human);
        await town.settle();
        return id;
      };
      const early = await begin('early');
      await close(first.id);
      const second = await reopen(first.id);
      if (end === 'merged') await workAll();
      else await close(second.id);
      await town.advance(MINUTE);
      const late = await begin('late');
      for (const id of [early, late]) {
        const bead = await show(town, id);
        if (end === 'merged') expect(bead.blockers.filter(({ state }) => state !== 'cleared')).toEqual([]);
        else expect(bead.blockers).toMatchObject([{ blockerRef: second.id, state: 'failed' }]);
      }
      if (end === 'cancelled') await reopen(second.id);
      await workAll();
      for (const id of [early, late]) expect((await show(town, id)).closeReason).toBe('merged');
    },
  );

  it('keeps its place in its convoy also when it is closed and reopened in one turn', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a'), newTask('web', 'b', [0])] });
    const first = idOf(convoy, 0);
    const [, second] = await Promise.all([
      town.service.beadCommand({ type: 'close', bead: first, reason: 'cancelled', note: '' }, human),
      town.service.beadCommand({ type: 'reopen', bead: first }, human),
    ]);
    await town.settle();
    expect(count(town, `turns WHERE input LIKE '%"close"%' AND input LIKE '%"reopen"%'`)).toBe(1);
    expect(await show(town, second.id)).toMatchObject({ convoyId: convoy.id, phase: 'running' });
    await workAll();
    expect(await shown(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 2, cancelledBeads: 0 });
  });

  it('is the same one when it is asked twice, and nothing that lives is reopened', async () => {
    const first = await town.service.createBead(newBead('first'), human);
    await expect(town.service.beadCommand({ type: 'reopen', bead: first.id }, human)).rejects.toThrow(
      /only what has ended/,
    );
    await close(first.id);
    const second = await reopen(first.id);
    expect((await reopen(first.id)).id).toBe(second.id);
    await close(second.id);
    await expect(town.service.beadCommand({ type: 'reopen', bead: first.id }, human)).rejects.toThrow(
      /which has ended too/,
    );
    expect((await reopen(second.id)).reopens).toBe(second.id);
  });

  it.each(['review-and-merge', 'review-then-land'] as const)(
    'takes its place in its convoy (%s)',
    async (mergeMode) => {
      const convoy = await create({ mergeMode, tasks: [newTask('api', 'a'), newTask('web', 'b', [0])] });
      await close(idOf(convoy, 0));
      expect(await shown(convoy.id)).toMatchObject({ status: 'active', cancelledBeads: 1 });
      const second = await reopen(idOf(convoy, 0));
      expect(second).toMatchObject({
        convoyId: convoy.id,
        targetBranch: convoy.featureBranch ?? 'main',
        phase: 'running',
      });
      expect(await shown(convoy.id)).toMatchObject({ totalBeads: 2, cancelledBeads: 0, closedBeads: 0 });
      expect(idOf(await shown(convoy.id), 0)).toBe(second.id);
      expect((await show(town, idOf(convoy, 1))).phase).toBe('blocked');
      await workAll();
      expect(await shown(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 2, cancelledBeads: 0 });
      expect(await town.service.listEscalations(true)).toEqual([]);
    },
  );

  it('runs by itself when its convoy has ended, or when it was merged there', async () => {
    const ended = await create({ tasks: [newTask('api', 'a')] });
    await close(idOf(ended, 0));
    expect((await shown(ended.id)).status).toBe('cancelled');
    expect(await reopen(idOf(ended, 0))).toMatchObject({ convoyId: null, phase: 'running' });

    const other = await create({ tasks: [newTask('api', 'b'), newTask('web', 'c', [0])] });
    const process = town.runner.running().find((row) => row.request.bead === idOf(other, 0));
    town.runner.done(process?.request.attempt ?? '', 'b'.repeat(40));
    town.runner.exit(process?.request.attempt ?? '');
    await town.settle();
    expect(await reopen(idOf(other, 0))).toMatchObject({ convoyId: null, phase: 'running' });
    expect(await shown(other.id)).toMatchObject({ totalBeads: 2, closedBeads: 1 });
    await town.advance(MINUTE);
  });

  it('that waits for a place in a convoy that never started hears of the bead there, and its end', async () => {
    const convoy = await create({ tasks: [newTask('web', 'a'), newTask('api', 'b', [0])], staged: true });
    await town.service.changeConvoy(convoy.id, { type: 'close', note: 'not wanted' }, human);
    await town.settle();
    const [first, second] = [idOf(convoy, 0), idOf(convoy, 1)];
    const successor = await reopen(second);
    expect(await show(town, successor.id)).toMatchObject({ phase: 'blocked_by_failure' });
    expect((await town.service.getBead(successor.id)).blockers).toMatchObject([{ blockerRef: first, state: 'failed' }]);
    await reopen(first);
    expect((await town.service.getBead(successor.id)).blockers).toMatchObject([{ state: 'open' }]);
    await finishAll(town);
    await finishAll(town, 200);
    expect(await show(town, successor.id)).toMatchObject({ status: 'closed', closeReason: 'merged' });
  });
});

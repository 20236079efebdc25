import { beforeEach, describe, expect, it } from 'vitest';
import type { CreateConvoy } from '../../src/core/commands.ts';
import type { BeadId, ConvoyId } from '../../src/core/model/ids.ts';
import type { ConvoyDetail } from '../../src/core/queries.ts';
import { count, finishAll, human, MINUTE, newConvoy, newTask, openTown, show } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = await openTown({ api: {}, web: {}, doc: {} });
});

async function settled<T>(work: Promise<T>): Promise<T> {
  const [answer] = await Promise.allSettled([work, town.settle()]);
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}
const create = (over: Partial<CreateConvoy>): Promise<ConvoyDetail> =>
  settled(town.service.createConvoy(newConvoy(over), human));
const shown = (id: ConvoyId): Promise<ConvoyDetail> => town.service.getConvoy(id);
const idOf = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads[position]?.beadId;
  if (id === null || id === undefined) throw new Error(`no bead at ${String(position)}`);
  return id;
};

/** Fails the bead's attempts until it is given up, while the others stay alive. */
async function giveUp(bead: BeadId): Promise<void> {
  for (const line of ['red', 'green', 'blue', 'black', 'white']) {
    for (let n = 0; n < 10 && !town.runner.running().some((row) => row.request.bead === bead); n += 1) {
      for (const row of town.runner.running()) town.runner.active(row.request.attempt);
      await town.advance(MINUTE);
    }
    const attempt = town.runner.running().find((row) => row.request.bead === bead)?.request.attempt;
    town.runner.exit(attempt ?? '', { exitCode: 1, lastLine: `failed as ${line}` });
    await town.settle();
  }
  expect((await show(town, bead)).status).toBe('failed');
}

/** `a` fails; `b` runs in another rig; `c` in a third one waits for both. */
async function aborted(mergeMode: CreateConvoy['mergeMode']): Promise<ConvoyDetail> {
  const tasks = [newTask('api', 'a'), newTask('web', 'b'), newTask('doc', 'c', [0, 1])];
  const convoy = await create({ tasks, onFailure: 'abort', mergeMode });
  await giveUp(idOf(convoy, 0));
  return shown(convoy.id);
}

describe.each(['review-and-merge', 'review-then-land'] as const)('a convoy (%s) that was aborted', (mergeMode) => {
  it('cancels what has not started in every rig, and lets what runs end', async () => {
    const convoy = await aborted(mergeMode);
    expect(convoy).toMatchObject({ status: 'failed', failedBeads: 1 });
    expect(await show(town, idOf(convoy, 2))).toMatchObject({ status: 'closed', closeReason: 'cancelled' });
    expect((await show(town, idOf(convoy, 1))).status).toBe('in_progress');
    await finishAll(town, 500);
    expect(await show(town, idOf(convoy, 1))).toMatchObject({ status: 'closed', closeReason: 'merged' });
    expect(await shown(convoy.id)).toMatchObject({
      status: 'failed',
      closedBeads: 1,
      failedBeads: 1,
      cancelledBeads: 1,
    });
    // Nothing lands of a convoy that failed.
    expect(['api', 'web', 'doc'].map((rig) => count(town, `beads WHERE kind = 'landing'`, rig))).toEqual([0, 0, 0]);
    expect(town.runner.running()).toEqual([]);
  });

  it('takes no more beads, and says what to do instead', async () => {
    const convoy = await aborted(mergeMode);
    const plan = { tasks: [newTask('api', 'd')], beads: [] };
    await expect(settled(town.service.changeConvoy(convoy.id, { type: 'add', plan }, human))).rejects.toMatchObject({
      code: 'convoy_ended',
      next: expect.stringContaining('new convoy'),
    });
    expect(count(town, 'beads')).toBe(1);
  });

  it('gives its work to another convoy: what was reopened and what still runs, all to its end', async () => {
    const convoy = await aborted(mergeMode);
    const reopened: BeadId[] = [];
    for (const position of [0, 2]) {
      const after = await settled(town.service.beadCommand({ type: 'reopen', bead: idOf(convoy, position) }, human));
      reopened.push(after.id);
    }
    // The old convoy has ended: its account does not change any more.
    expect(await shown(convoy.id)).toMatchObject({ failedBeads: 1, cancelledBeads: 1 });
    await finishAll(town, 500);
    for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
    const ends = await Promise.all(reopened.map((bead) => show(town, bead)));
    expect(ends.map((bead) => bead.closeReason)).toEqual(['merged', 'merged']);
  });
});

describe('beads of a convoy that failed', () => {
  it('may be put into a new convoy while they run', async () => {
    const convoy = await aborted('review-and-merge');
    const running = idOf(convoy, 1);
    const next = await create({ beads: [running] });
    expect(next.beads).toMatchObject([{ beadId: running, status: 'live' }]);
    await finishAll(town, 500);
    expect((await shown(next.id)).status).toBe('landed');
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Caller, CreateBead, CreateConvoy } from '../../src/core/commands.ts';
import { trusted, type BeadId, type ConvoyId } from '../../src/core/model/ids.ts';
import type { ConvoyDetail } from '../../src/core/queries.ts';
import { sha } from '../support/fake-runner.ts';
import { rigConfig, VirtualTown } from '../support/virtual-town.ts';

const human: Caller = { actor: 'human/test', origin: 'human' };
const task = (rig: string, title: string, dependsOn: readonly (number | BeadId)[] = []) => ({
  rig: trusted.rig(rig),
  title,
  body: '',
  priority: 'medium' as const,
  runtime: null,
  model: null,
  dependsOn,
});
const loose = (title: string): CreateBead => ({
  rig: trusted.rig('api'),
  title,
  body: '',
  priority: 'medium',
  dependsOn: [],
  runtime: null,
  model: null,
  targetBranch: null,
  sling: false,
  pinnedAgent: null,
  parentId: null,
});

let town: VirtualTown;
beforeEach(async () => {
  town = new VirtualTown();
  await town.service.start([rigConfig('api'), rigConfig('web')]);
  await town.settle();
});

/** What the town answers while the virtual world goes on. */
async function during<T>(asked: Promise<T>): Promise<T> {
  const settled = asked.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
  await town.settle();
  return (await settled)();
}

const create = (over: Partial<CreateConvoy>): Promise<ConvoyDetail> =>
  during(
    town.service.createConvoy(
      {
        title: 'convoy',
        tasks: [],
        beads: [],
        mergeMode: 'review-and-merge',
        onFailure: 'hold',
        staged: false,
        ...over,
      },
      human,
    ),
  );
const shown = (id: ConvoyId): Promise<ConvoyDetail> => town.service.getConvoy(id);
const idOf = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads.find((bead) => bead.position === position)?.beadId;
  if (id === null || id === undefined) throw new Error(`no bead at ${String(position)}`);
  return id;
};

const asked = async () => (await town.service.listEscalations(true)).filter((item) => item.category === 'convoy');

let head = 100;
/** Every agent whose bead has one of these titles finishes; without titles, every agent. */
async function work(...titles: string[]): Promise<void> {
  for (const process of town.runner.running()) {
    if (titles.length > 0 && !titles.includes(process.request.title)) continue;
    head += 1;
    town.runner.done(process.request.attempt, sha(head));
    town.runner.exit(process.request.attempt);
  }
  await town.settle();
}

/** The agent on this bead fails in five different ways, so that nobody is asked and the bead ends as failed. */
async function failForGood(title: string): Promise<void> {
  for (const line of ['red', 'green', 'blue', 'black', 'white']) {
    const process = town.runner.running().find((one) => one.request.title === title);
    if (process === undefined) throw new Error(`nobody works on ${title}`);
    town.runner.exit(process.request.attempt, { exitCode: 1, lastLine: `failed as ${line}` });
    await town.settle();
    await town.advance(400_000);
  }
}

const running = (): string[] =>
  town.runner
    .running()
    .map((process) => process.request.title)
    .toSorted();

describe('a convoy with a failed bead', () => {
  const plan = [task('api', 'a'), task('web', 'b', [0]), task('web', 'c', [1]), task('api', 'd')];

  it('is held, asks a person once, and goes on when the policy changes', async () => {
    const convoy = await create({ tasks: plan });
    await failForGood('a');
    await work('d');
    expect(await shown(convoy.id)).toMatchObject({ status: 'active', closedBeads: 1, failedBeads: 1 });
    expect((await town.service.getBead(idOf(convoy, 1))).phase).toBe('blocked_by_failure');
    expect(await asked()).toMatchObject([{ severity: 'medium', subject: `convoy:${convoy.id}`, repeats: 0 }]);
    expect((await town.service.why(convoy.id)).sentence).toContain('waits for a person because of');

    await town.service.changeConvoy(convoy.id, { type: 'update', update: { onFailure: 'skip' } }, human);
    await town.settle();
    expect(await shown(convoy.id)).toMatchObject({
      status: 'landed',
      closedBeads: 1,
      failedBeads: 1,
      cancelledBeads: 2,
    });
    expect((await town.service.why(convoy.id)).sentence).toContain('Landed partially');
    expect(await asked()).toEqual([]);
  });

  it('with the policy skip cancels what waits for it, over rigs, and lands the rest', async () => {
    const convoy = await create({ tasks: plan, onFailure: 'skip' });
    await failForGood('a');
    expect((await town.service.getBead(idOf(convoy, 2))).closeReason).toBe('cancelled');
    expect((await shown(convoy.id)).status).toBe('active');
    await work('d');
    expect(await shown(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 1, totalBeads: 4 });
  });

  it('with the policy skip is never landed when nothing ended well', async () => {
    const convoy = await create({ tasks: [task('api', 'a'), task('web', 'b', [0])], onFailure: 'skip' });
    await failForGood('a');
    expect(await shown(convoy.id)).toMatchObject({ status: 'failed', closedBeads: 0 });
  });

  it('with the policy abort fails at once, and cancels only what has not started', async () => {
    const convoy = await create({ tasks: plan, onFailure: 'abort' });
    await failForGood('a');
    expect(await shown(convoy.id)).toMatchObject({ status: 'failed', failedBeads: 1, cancelledBeads: 2 });
    expect(running()).toEqual(['d']);
    await work('d');
    expect(await shown(convoy.id)).toMatchObject({ status: 'failed', closedBeads: 1 });
  });

  it('is cancelled when every bead was: nothing is landed that is not there', async () => {
    const convoy = await create({ tasks: [task('api', 'a'), task('web', 'b')], onFailure: 'skip' });
    for (const position of [0, 1])
      await town.service.beadCommand(
        { type: 'close', bead: idOf(convoy, position), reason: 'cancelled', note: '' },
        human,
      );
    await town.settle();
    expect((await shown(convoy.id)).status).toBe('cancelled');
  });
});

describe('changing a convoy', () => {
  it('takes more tasks that wait for beads it has, and lands only with them', async () => {
    const convoy = await create({ tasks: [task('api', 'a')] });
    const added = await during(
      town.service.changeConvoy(
        convoy.id,
        { type: 'add', plan: { tasks: [task('web', 'b', [idOf(convoy, 0)]), task('api', 'c', [0])], beads: [] } },
        human,
      ),
    );
    expect(added).toMatchObject({ totalBeads: 3, status: 'active' });
    expect(added.beads.map((bead) => bead.dependsOn)).toEqual([[], [], [1]]);
    for (const title of ['a', 'b', 'c']) {
      expect(running()).toEqual([title]);
      await work();
    }
    expect(await shown(convoy.id)).toMatchObject({ status: 'landed', closedBeads: 3 });
  });

  it('takes a bead that exists, also one that has ended', async () => {
    const first = await town.service.createBead({ ...loose('x'), sling: true }, human);
    await town.settle();
    await work();
    const convoy = await create({ tasks: [task('api', 'a')] });
    await during(town.service.changeConvoy(convoy.id, { type: 'add', plan: { tasks: [], beads: [first.id] } }, human));
    await town.settle();
    expect(await shown(convoy.id)).toMatchObject({ closedBeads: 1, totalBeads: 2 });
    await work('a');
    expect((await shown(convoy.id)).status).toBe('landed');
  });

  it('adds all or nothing: a refusal of one rig takes back what another made', async () => {
    const convoy = await create({ tasks: [task('api', 'a')] });
    const missing = trusted.bead('api-zzzzz');
    await expect(
      during(
        town.service.changeConvoy(
          convoy.id,
          { type: 'add', plan: { tasks: [task('web', 'b'), task('api', 'c', [missing])], beads: [] } },
          human,
        ),
      ),
    ).rejects.toMatchObject({ code: 'beads_refused', message: expect.stringContaining('api-zzzzz') });
    await town.settle();
    expect(await shown(convoy.id)).toMatchObject({ totalBeads: 1, status: 'active' });
    expect(running()).toEqual(['a']);
    const web = await town.service.listBeads({ rig: trusted.rig('web'), includeMergeRequests: false, limit: 10 });
    expect(web.items).toMatchObject([{ title: 'b', status: 'closed', closeReason: 'cancelled' }]);
  });

  it('never cancels a bead that was there before when joining fails', async () => {
    const other = await create({ tasks: [task('web', 'w')] });
    const mine = await town.service.createBead(loose('mine'), human);
    await expect(create({ beads: [mine.id, idOf(other, 0)] })).rejects.toMatchObject({ code: 'convoy_refused' });
    await town.settle();
    expect(await town.service.getBead(mine.id)).toMatchObject({ status: 'open', hold: 'staged', convoyId: null });
  });

  it('lets a bead go, which runs on by itself, and no longer waits for it', async () => {
    const convoy = await create({ tasks: [task('api', 'a'), task('web', 'b')] });
    await work('a');
    await town.service.changeConvoy(convoy.id, { type: 'remove', beads: [idOf(convoy, 1)] }, human);
    await town.settle();
    expect(await shown(convoy.id)).toMatchObject({ status: 'landed', totalBeads: 1 });
    expect(await town.service.getBead(idOf(convoy, 1))).toMatchObject({ status: 'in_progress', convoyId: null });
    await work('b');
    expect((await town.service.getBead(idOf(convoy, 1))).closeReason).toBe('merged');
  });

  it('refuses to forget what was merged, and to become empty', async () => {
    const convoy = await create({ tasks: [task('api', 'a'), task('web', 'b')] });
    await work('a');
    const remove = (...positions: number[]) =>
      town.service.changeConvoy(
        convoy.id,
        { type: 'remove', beads: positions.map((position) => idOf(convoy, position)) },
        human,
      );
    await expect(remove(0)).rejects.toMatchObject({ code: 'bead_done' });
    const alone = await create({ tasks: [task('api', 'z')] });
    await expect(
      town.service.changeConvoy(alone.id, { type: 'remove', beads: [idOf(alone, 0)] }, human),
    ).rejects.toMatchObject({ code: 'convoy_would_be_empty' });
  });

  it('closing cancels what has not ended, also what runs, and takes no change after that', async () => {
    const convoy = await create({ tasks: [task('api', 'a'), task('web', 'b'), task('web', 'c', [1])] });
    await work('a');
    await town.service.changeConvoy(convoy.id, { type: 'close', note: 'not needed' }, human);
    await town.settle();
    expect(await shown(convoy.id)).toMatchObject({
      status: 'cancelled',
      closedBeads: 1,
      cancelledBeads: 2,
      reason: 'closed by human/test: not needed',
    });
    expect(running()).toEqual([]);
    for (const change of [
      { type: 'add', plan: { tasks: [task('api', 'x')], beads: [] } },
      { type: 'remove', beads: [idOf(convoy, 1)] },
      { type: 'update', update: { title: 'new' } },
      { type: 'close', note: '' },
    ] as const)
      await expect(town.service.changeConvoy(convoy.id, change, human)).rejects.toMatchObject({
        code: 'convoy_ended',
        next: 'Create a new convoy for more work.',
      });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Job } from '../../src/core/facts.ts';
import { trusted, type BeadId, type ConvoyId } from '../../src/core/model/ids.ts';
import type { CreateConvoy } from '../../src/core/commands.ts';
import type { BeadDetail, ConvoyDetail } from '../../src/core/queries.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
import { count, finish, finishAll, HOUR, human, newConvoy, newTask, openTown, show } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = await openTown({ api: {}, web: {} });
});

async function convoyOf(over: Partial<CreateConvoy> = {}): Promise<ConvoyDetail> {
  const tasks = [newTask('api', 'a'), newTask('web', 'b'), newTask('web', 'c')];
  const asked = town.service.createConvoy(newConvoy({ tasks, ...over }), human);
  await town.settle();
  return asked;
}

async function landed(over: Partial<CreateConvoy> = {}): Promise<ConvoyDetail> {
  const { id } = await convoyOf(over);
  for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
  const end = await town.service.getConvoy(id);
  expect(end.status).toBe('landed');
  return end;
}

const shown = (id: ConvoyId): Promise<ConvoyDetail> => town.service.getConvoy(id);
const jobs = <Kind extends Job['kind']>(kind: Kind): readonly Extract<Job, { kind: Kind }>[] =>
  [...town.runner.jobs.values()].filter((job): job is Extract<Job, { kind: Kind }> => job.kind === kind);
const revertsOf = (rig: string): number => count(town, `beads WHERE kind = 'revert'`, rig);

async function revert(id: ConvoyId): Promise<ConvoyDetail> {
  const asked = town.service.changeConvoy(id, { type: 'revert' }, human);
  const [answer] = await Promise.allSettled([asked, town.settle()]);
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

async function revertBead(id: ConvoyId, rig: string): Promise<BeadDetail> {
  const row = (await shown(id)).reverts.find((entry) => entry.rig === rig);
  if (row?.beadId === null || row === undefined) throw new Error(`no revert in ${rig}`);
  return show(town, row.beadId);
}

describe('gt convoy revert', () => {
  it('undoes all that was merged, with one merge request per rig, through the gates', async () => {
    const convoy = await landed();
    expect(convoy.reverted).toBeNull();
    const merged = convoy.beads.map((bead) => bead.mergeSha);
    const answer = await revert(convoy.id);
    expect(answer.reverts).toMatchObject([
      { rig: 'api', target: 'main', attempt: 1 },
      { rig: 'web', target: 'main', attempt: 1 },
    ]);
    await town.settle();
    expect(jobs('revert').map((job) => [job.repo.rig, job.commits])).toEqual([
      ['api', [merged[0]]],
      ['web', [merged[1], merged[2]]],
    ]);
    const end = await shown(convoy.id);
    expect(end).toMatchObject({ status: 'landed', reverts: [{ state: 'reverted' }, { state: 'reverted' }] });
    expect((await town.service.listConvoys(5)).items).toMatchObject([{ status: 'landed', reverted: 'done' }]);
    expect(end.why.sentence).toBe(
      'Landed: 3 of 3 beads are merged or needed no change. Its revert: main of api is undone; main of web is undone.',
    );
    expect(await revertBead(convoy.id, 'web')).toMatchObject({
      status: 'closed',
      closeReason: 'merged',
      kind: 'revert',
      title: 'Revert convoy',
      review: { headSha: sha(0xe002), mergeSha: end.reverts[1]?.mergeSha },
    });
    expect(town.runner.running()).toEqual([]);
    expect(town.nextAlarmMs()).toBeNull();
  });

  it('is the same when it is asked for twice, before and after it is merged', async () => {
    const convoy = await landed();
    town.runner.judge = (job) => (job.kind === 'gates' ? null : defaultResult(job));
    await revert(convoy.id);
    const first = await shown(convoy.id);
    expect(first.reverted).toBe('running');
    expect(first.why).toMatchObject({ next: expect.stringMatching(/^The merge of api-/) });
    expect((await revert(convoy.id)).reverts).toEqual(first.reverts);
    for (const job of jobs('gates'))
      town.runner.finish(job.key, job.repo.rig, { result: 'gates', green: true, runs: [] });
    await town.settle();
    const end = await shown(convoy.id);
    expect(end.reverts.map((row) => row.state)).toEqual(['reverted', 'reverted']);
    expect((await revert(convoy.id)).reverts).toEqual(end.reverts);
    expect([revertsOf('api'), revertsOf('web')]).toEqual([1, 1]);
  });

  it('undoes the landing of a convoy that landed at once, and not what is on its feature branch', async () => {
    const convoy = await landed({ mergeMode: 'review-then-land', tasks: [newTask('api', 'a'), newTask('api', 'b')] });
    await revert(convoy.id);
    expect(jobs('revert').map((job) => job.commits)).toEqual([[convoy.landings[0]?.mergeSha]]);
    expect((await shown(convoy.id)).reverts).toMatchObject([{ rig: 'api', state: 'reverted' }]);
  });

  it('gives what can not be undone by itself to an agent, with the reason', async () => {
    const convoy = await landed({ tasks: [newTask('api', 'a')] });
    town.runner.judge = (job) =>
      job.kind === 'revert'
        ? {
            result: 'conflict',
            targetSha: sha(1),
            paths: ['a.txt'],
            message: 'what came after it changed the same places.',
          }
        : defaultResult(job);
    await revert(convoy.id);
    const bead = await revertBead(convoy.id, 'api');
    expect(bead.status).toBe('in_progress');
    expect(bead.body).toContain('It conflicts in a.txt.');
    const [process] = town.runner.running();
    expect(process?.request).toMatchObject({ kind: 'revert', bead: bead.id });
    expect(process?.request.prompt).toContain(convoy.beads[0]?.mergeSha);
    await finish(town, bead.id, 9_000);
    expect((await shown(convoy.id)).reverts).toMatchObject([{ state: 'reverted', attempt: 1 }]);
  });

  it('does nothing where nothing is left, and says so', async () => {
    const convoy = await landed({ tasks: [newTask('api', 'a')] });
    town.runner.judge = (job) =>
      job.kind === 'revert'
        ? { result: 'nothing_to_revert', message: 'main has nothing left of it.' }
        : defaultResult(job);
    await revert(convoy.id);
    expect(await revertBead(convoy.id, 'api')).toMatchObject({ status: 'closed', closeReason: 'no_change' });
    const end = await shown(convoy.id);
    expect(end.reverts).toMatchObject([{ state: 'nothing' }]);
    expect(end.why.sentence).toContain('main of api has nothing left of it');
  });

  it('is tried again when its bead was cancelled, and only there', async () => {
    const convoy = await landed();
    town.runner.judge = (job) => (job.kind === 'revert' && job.repo.rig === 'api' ? null : defaultResult(job));
    await revert(convoy.id);
    const first = await revertBead(convoy.id, 'api');
    expect(first.why.sentence).toContain('The runner undoes 1 merges');
    await town.service.beadCommand({ type: 'close', bead: first.id, reason: 'cancelled', note: 'not now' }, human);
    await town.settle();
    const failed = await shown(convoy.id);
    expect(failed.reverts).toMatchObject([
      { rig: 'api', state: 'failed', reason: expect.stringContaining('cancelled') },
      { rig: 'web', state: 'reverted' },
    ]);
    expect(failed.reverted).toBe('failed');
    expect(failed.why.command).toBe(`gt convoy revert ${convoy.id}`);
    town.runner.judge = defaultResult;
    await revert(convoy.id);
    expect((await shown(convoy.id)).reverts).toMatchObject([
      { rig: 'api', state: 'reverted', attempt: 2 },
      { rig: 'web', state: 'reverted', attempt: 1 },
    ]);
    expect([revertsOf('api'), revertsOf('web')]).toEqual([2, 1]);
  });

  it('waits while the bead is held, and goes on when it is released', async () => {
    const convoy = await landed({ tasks: [newTask('api', 'a')] });
    town.runner.judge = (job) => (job.kind === 'revert' ? null : defaultResult(job));
    await revert(convoy.id);
    const { id } = await revertBead(convoy.id, 'api');
    await town.service.beadCommand({ type: 'hold', bead: id, note: 'wait' }, human);
    const [job] = jobs('revert');
    town.runner.finish(job?.key ?? '', 'api', { result: 'reverted', head: sha(7) });
    await town.settle();
    await town.advance(HOUR);
    expect((await show(town, id)).status).toBe('open');
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'release', bead: id }, human);
    await town.settle();
    expect((await shown(convoy.id)).reverts).toMatchObject([{ state: 'reverted' }]);
  });

  it('is refused with the next step while the convoy runs, and when nothing landed', async () => {
    const running = await convoyOf();
    await expect(revert(running.id)).rejects.toMatchObject({
      code: 'convoy_runs',
      next: expect.stringContaining('close'),
    });
    await town.service.changeConvoy(running.id, { type: 'close', note: '' }, human);
    await town.settle();
    await expect(revert(running.id)).rejects.toMatchObject({ code: 'nothing_landed' });
    await expect(revert(trusted.convoy('hq-cv-00000'))).rejects.toMatchObject({ code: 'convoy_not_found' });
  });

  it('takes back what a convoy merged before it failed, once nothing of it can merge any more', async () => {
    const convoy = await convoyOf({ onFailure: 'abort' });
    const [a, b, c] = convoy.beads.map((bead) => bead.beadId as BeadId);
    await finish(town, a!);
    for (const line of ['red', 'green', 'blue', 'black', 'white']) {
      for (let n = 0; n < 10 && !town.runner.running().some((process) => process.request.bead === b); n += 1) {
        for (const process of town.runner.running()) town.runner.active(process.request.attempt);
        await town.advance(60_000);
      }
      const process = town.runner.running().find((row) => row.request.bead === b);
      town.runner.exit(process?.request.attempt ?? '', { exitCode: 1, lastLine: `failed as ${line}` });
      await town.settle();
    }
    expect((await shown(convoy.id)).status).toBe('failed');
    await expect(revert(convoy.id)).rejects.toMatchObject({
      code: 'convoy_runs',
      message: expect.stringContaining(String(c)),
    });
    await finish(town, c!, 700);
    await revert(convoy.id);
    expect((await shown(convoy.id)).reverts.map((row) => [row.rig, row.state])).toEqual([
      ['api', 'reverted'],
      ['web', 'reverted'],
    ]);
  });
});

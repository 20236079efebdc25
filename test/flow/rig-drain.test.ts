/** A rig that is drained before its removal: what is in its line ends, and what can't end by itself is said. */
import { describe, expect, it } from 'vitest';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import type { RigRemoval } from '../../src/core/queries.ts';
import type { JobResult } from '../../src/core/facts.ts';
import { defaultResult, isGateOfWork } from '../support/fake-runner.ts';
import {
  finish,
  finishAll,
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
import { rigConfig, type VirtualTown } from '../support/virtual-town.ts';

const api = trusted.rig('api');

const RED: JobResult = {
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1_000, tail: 'expected 2, got 3' }],
};

/** One call of `gt rig remove --drain`, which parks the rig first. */
async function drain(town: VirtualTown): Promise<RigRemoval> {
  await town.service.configure([rigConfig('api', { parked: true })]);
  const answer = await town.service.removeRig(api, true, human);
  await town.settle();
  return answer;
}

async function drained(town: VirtualTown): Promise<RigRemoval> {
  for (let turn = 0; turn < 5; turn += 1) {
    const answer = await drain(town);
    if (answer.status === 'removed') return answer;
  }
  return drain(town);
}

/** A task whose gate is red once, so that its merge request waits for rework. */
async function redOnce(town: VirtualTown): Promise<BeadId> {
  town.runner.judge = (job) => (isGateOfWork(job) ? RED : defaultResult(job));
  const id = await sling(town, 'one');
  await town.service.configure([rigConfig('api', { parked: true })]);
  await finish(town, id);
  await town.advance(1_000);
  town.runner.judge = defaultResult;
  expect((await show(town, id)).review).toMatchObject({ step: 'reworking' });
  expect(town.runner.running()).toEqual([]);
  return id;
}

describe('a parked rig with rework', () => {
  it('says so of the merge request, and a drain lets the rework go on and nothing else', async () => {
    const town = await openTown();
    const id = await redOnce(town);
    const other = await town.service.createBead(newBead('other'), human);
    await town.advance(10 * MINUTE);
    expect(town.runner.running()).toEqual([]);
    expect(await town.service.why(id)).toMatchObject({
      sentence: expect.stringContaining('Ready, but the rig api is parked.'),
      command: 'gt rig unpark api',
    });
    expect(await drain(town)).toMatchObject({ status: 'draining', merging: 1, waitsFor: [{ id }] });
    expect(town.runner.running().map(({ request }) => [request.kind, request.sourceBead])).toEqual([['rework', id]]);
    expect((await town.service.listRigs())[0]?.status).toBe('draining');
    expect(await town.service.why('rig:api')).toMatchObject({
      state: 'draining',
      command: 'gt rig remove api --drain',
    });
    expect(await town.service.why(other.id)).toMatchObject({ sentence: expect.stringContaining('is drained') });
    await finishAll(town, 200);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: expect.any(String) } });
    expect(await drained(town)).toMatchObject({ status: 'removed', waitsFor: [] });
  });

  it('goes on with its line when nobody asks any more and the daemon died, until it is unparked', async () => {
    const town = await openTown();
    const id = await redOnce(town);
    await drain(town);
    town.crash();
    await town.service.start([rigConfig('api', { parked: true })]);
    await town.settle();
    expect((await town.service.listRigs())[0]?.status).toBe('draining');
    await finishAll(town, 200);
    expect((await show(town, id)).closeReason).toBe('merged');
    await town.service.configure([rigConfig('api')]);
    await town.service.configure([rigConfig('api', { parked: true })]);
    expect((await town.service.listRigs())[0]?.status).toBe('parked');
  });

  it('names the rework that a person held, with the command that moves it', async () => {
    const town = await openTown();
    const id = await redOnce(town);
    const [rework] = (await show(town, id)).reworkBeads;
    if (rework === undefined) throw new Error('it has rework');
    await town.service.beadCommand({ type: 'hold', bead: rework, note: 'not now' }, human);
    await drain(town);
    await town.advance(10 * MINUTE);
    expect(town.runner.running()).toEqual([]);
    expect((await drain(town)).waitsFor).toEqual([
      { id, sentence: expect.stringContaining('Held by a person: not now.'), command: `gt bead release ${rework}` },
    ]);
  });
});

describe('a convoy that lands at once', () => {
  const web = trusted.rig('web');

  it('says that a rig was removed before its turn, and lands there when it is added again', async () => {
    const town = await openTown({ api: {}, web: {} });
    const tasks = [newTask('api', 'a'), newTask('web', 'b')];
    const plan = newConvoy({ mergeMode: 'review-then-land', tasks, landingOrder: [web, api] });
    const { id } = await town.service.createConvoy(plan, human);
    await town.settle();
    const of = (rig: string) => town.runner.running().filter(({ request }) => request.rig === rig);
    for (const { request } of of('web')) await finish(town, trusted.bead(request.bead));
    expect(of('web')).toEqual([]);
    expect(await town.service.removeRig(web, false, human)).toMatchObject({ status: 'removed' });
    await finishAll(town, 300);
    await town.advance(10 * MINUTE);
    const why = await town.service.why(id);
    expect(why.sentence).toBe(
      'Nothing has landed yet (order: web, api); the rig web was removed before the convoy landed there.',
    );
    expect(why.next).toContain(`gt convoy close ${id}`);
    const told = await town.service.listEscalations(true);
    expect(told).toMatchObject([{ severity: 'high', repeats: 0, subject: `convoy:${id}` }]);
    expect(told[0]?.message).toContain('"gt rig add web <url>"');
    await town.service.addRig(rigConfig('web'));
    await town.advance(1_000);
    expect(await town.service.getConvoy(id)).toMatchObject({ status: 'landed' });
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('ends without that rig when a person closes it', async () => {
    const town = await openTown({ api: {}, web: {} });
    const plan = newConvoy({ mergeMode: 'review-then-land', tasks: [newTask('api', 'a'), newTask('web', 'b')] });
    const { id } = await town.service.createConvoy(plan, human);
    await town.settle();
    const inWeb = town.runner.running().find(({ request }) => request.rig === 'web');
    await finish(town, trusted.bead(inWeb?.request.bead ?? ''));
    await town.service.removeRig(web, false, human);
    await finishAll(town, 300);
    // The rig that is left has landed; what is not there is said.
    expect((await town.service.why(id)).sentence).toContain('Landed in api');
    await town.service.changeConvoy(id, { type: 'close', note: 'without web' }, human);
    expect(await town.service.getConvoy(id)).toMatchObject({ status: 'cancelled' });
    expect(await town.service.listEscalations(true)).toEqual([]);
  });
});

describe('a drain', () => {
  it('goes on for whoever asks further, until a person takes it back: then the rig stays with its work', async () => {
    const town = await openTown();
    const again = () => town.service.removeRig(api, 'go_on', human);
    const id = await sling(town, 'one');
    const other = await town.service.createBead(newBead('other', { dependsOn: [id] }), human);
    await expect(again()).rejects.toMatchObject({ code: 'drain_ended' });
    await drain(town);
    expect(await again()).toMatchObject({ status: 'draining', running: 1 });
    await town.service.configure([rigConfig('api')]);
    await finish(town, id);
    await expect(again()).rejects.toMatchObject({ code: 'drain_ended', kind: 'conflict' });
    expect(await show(town, other.id)).toMatchObject({ status: 'in_progress', closeReason: null });
    // Parked again is not drained again.
    await town.service.configure([rigConfig('api', { parked: true })]);
    await expect(again()).rejects.toMatchObject({ code: 'drain_ended' });
    await drain(town);
    await expect(again()).resolves.toMatchObject({ id: 'api' });
  });

  it('says which train is paused and how it goes on, wherever it is asked', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    await town.service.rigCommand(api, { type: 'pause_train', target: null, reason: 'release' }, human);
    await drain(town);
    await finish(town, id);
    const resume = 'gt mq resume api';
    const sentence = expect.stringContaining('is paused by human/test');
    expect(await drain(town)).toMatchObject({ status: 'draining', waitsFor: [{ id, sentence, command: resume }] });
    for (const subject of [id, 'rig:api'])
      expect(await town.service.why(subject)).toMatchObject({ sentence, command: resume });
    const { attention } = await town.service.status();
    expect(attention).toContainEqual(expect.objectContaining({ sentence, command: resume }));
    await town.service.rigCommand(api, { type: 'resume_train', target: null }, human);
    expect(await drained(town)).toMatchObject({ status: 'removed' });
    await town.service.addRig(rigConfig('api'));
    expect((await show(town, id)).closeReason).toBe('merged');
  });

  it('names what runs, and who is asked a question first', async () => {
    const town = await openTown();
    const [quiet, asking] = [await sling(town, 'quiet'), await sling(town, 'asking')];
    town.runner.active(processOf(town, asking).request.attempt, { eventType: 'waiting', statusMessage: 'Which one?' });
    await town.settle();
    const answer = await drain(town);
    expect(answer.waitsFor.map(({ id }) => id)).toEqual([asking, quiet]);
    expect(answer.waitsFor[0]?.command).toContain('gt mail send');
  });
});

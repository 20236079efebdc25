import { describe, expect, it } from 'vitest';
import { AGEING_STEP_MS } from '../../src/core/limits.ts';
import type { GateRun, Job, JobResult } from '../../src/core/facts.ts';
import { trusted, type BeadId } from '../../src/core/model/ids.ts';
import { defaultResult, headsIn, isGateOfWork, sha } from '../support/fake-runner.ts';
import {
  actionsOf,
  count,
  finish,
  finishAll,
  HOUR,
  human,
  MINUTE,
  openTown,
  processOf,
  report,
  show,
  sling,
} from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

/** The first job of a kind gets this result, all others the usual one. */
function firstTime(town: VirtualTown, kind: Job['kind'], result: JobResult): void {
  let done = false;
  town.runner.judge = (job) => {
    if (job.kind !== kind || done) return defaultResult(job);
    done = true;
    return result;
  };
}
/** The result of one gate that is not green. */
const redWith = (tail: string, over: Partial<GateRun> = {}): JobResult => ({
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail, ...over }],
});

const GREEN: JobResult = { result: 'gates', green: true, runs: [] };

/** Jobs of a kind are accepted and answered by the test. */
function hold(town: VirtualTown, kind: Job['kind']): void {
  town.runner.judge = (job) => (job.kind === kind ? null : defaultResult(job));
}

describe('a merge request', () => {
  it('whose head is on the target already is merged without a push (T21, R12)', async () => {
    const town = await openTown();
    firstTime(town, 'merge', { result: 'already_merged', targetSha: sha(9), mergeSha: sha(9) });
    const id = await sling(town, 'one');
    await finish(town, id);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { mergeSha: sha(9) } });
    expect(town.runner.pushed).toEqual([]);
    await town.advance(10 * MINUTE);
    expect(town.runner.processes.size).toBe(1);
  });

  it('whose gates run when it ends calls them off', async () => {
    const town = await openTown();
    hold(town, 'gates');
    const id = await sling(town, 'one');
    await finish(town, id);
    const key = [...town.runner.jobs.keys()].find((one) => one.startsWith('gates:'));
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'enough' }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'cancelled' });
    expect(town.runner.calls.filter((call) => call.startsWith('cancel'))).toEqual([`cancel ${String(key)}`]);
    // An end without gates under way calls nothing off.
    const second = await sling(town, 'two');
    await town.service.beadCommand({ type: 'close', bead: second, reason: 'cancelled', note: 'enough' }, human);
    await town.settle();
    expect(town.runner.calls.filter((call) => call.startsWith('cancel'))).toHaveLength(1);
  });

  it('in conflict is reworked on the same branch by the same agent, and is still one (T24)', async () => {
    const town = await openTown();
    firstTime(town, 'merge', { result: 'conflict', targetSha: sha(2), paths: ['a.ts'], message: '' });
    const id = await sling(town, 'one');
    await finish(town, id);
    const [rework] = town.runner.running();
    expect(rework?.request).toMatchObject({
      kind: 'conflict',
      sourceBead: id,
      branch: `gt/${id}`,
      fixedHead: sha(100),
      agent: 'api/polecats/nux',
    });
    await finishAll(town, 200);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(200) } });
    expect([count(town, 'reviews'), town.runner.pushed.length]).toEqual([1, 1]);
  });

  it('that lost a race is pushed again; what passed is not tested twice', async () => {
    const town = await openTown();
    firstTime(town, 'push', { result: 'lost_race', targetSha: sha(2) });
    const id = await sling(town, 'one');
    await finish(town, id);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
    expect(town.runner.calls.filter((call) => call === 'job gates')).toHaveLength(1);
    expect(town.runner.calls.filter((call) => call === 'job push')).toHaveLength(2);
  });

  it('asks a person after five rounds of rework, and goes on when told to', async () => {
    const town = await openTown();
    let red = true;
    town.runner.judge = (job) =>
      isGateOfWork(job) && red
        ? redWith(`fails ${'abcdef'.charAt(Number.parseInt(job.commit.slice(-2), 16) % 6)}`)
        : defaultResult(job);
    const id = await sling(town, 'one');
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const fromMs = town.nowMs;
      while (town.runner.running().length === 0) await town.advance(10_000);
      waits.push(town.nowMs - fromMs);
      await finishAll(town, 100 + round);
    }
    expect(waits).toEqual([0, 0, 30_000, 60_000, 120_000, 300_000]);
    expect(town.runner.running()).toEqual([]);
    expect((await show(town, id)).review).toMatchObject({ step: 'reworking', rounds: 5 });
    expect((await town.service.status()).attention.map((item) => item.subject)).toContain(id);
    red = false;
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(105) } });
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('whose gate is red twice in the same way asks a person instead of a third try', async () => {
    const town = await openTown();
    town.runner.judge = (job) => (isGateOfWork(job) ? redWith(`expected 2, got 3 after 5 ms`) : defaultResult(job));
    const id = await sling(town, 'one');
    await finishAll(town, 100);
    await finishAll(town, 101);
    await town.advance(HOUR);
    expect(town.runner.running()).toEqual([]);
    expect((await show(town, id)).review).toMatchObject({ step: 'reworking', rounds: 1 });
    const [item] = (await town.service.status()).attention;
    expect(item).toMatchObject({ subject: id, sentence: expect.stringContaining('in the same way') });
  });

  it('whose gate something else killed runs it again, blames no work, and asks a person when it goes on', async () => {
    const town = await openTown();
    let kills = 2;
    const killed = redWith('', { exitCode: null, killedBy: 'SIGKILL' });
    town.runner.judge = (job) => (job.kind === 'gates' && (kills -= 1) >= 0 ? killed : defaultResult(job));
    const saved = await sling(town, 'one');
    await finishAll(town, 100);
    expect(await show(town, saved)).toMatchObject({ closeReason: 'merged', reworkBeads: [], failures: 0 });
    kills = 3;
    const stuck = await sling(town, 'two');
    await finishAll(town, 200);
    expect(await show(town, stuck)).toMatchObject({ status: 'in_review', reworkBeads: [], failures: 0 });
    expect((await town.service.status()).attention).toMatchObject([{ sentence: expect.stringContaining('SIGKILL') }]);
    await town.service.beadCommand({ type: 'retry', bead: stuck }, human);
    await town.settle();
    expect((await show(town, stuck)).closeReason).toBe('merged');
  });

  it('is merged although its bead was cancelled while the push was under way', async () => {
    const town = await openTown();
    hold(town, 'push');
    const id = await sling(town, 'one');
    await finish(town, id);
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'late' }, human);
    await town.settle();
    expect((await show(town, id)).status).toBe('in_review');
    await report(town, 'push', { result: 'pushed', targetSha: sha(9) });
    expect((await show(town, id)).closeReason).toBe('merged');
  });

  it('ends with its cancelled bead when that push lost', async () => {
    const town = await openTown();
    hold(town, 'push');
    const id = await sling(town, 'one');
    await finish(town, id);
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'late' }, human);
    await report(town, 'push', { result: 'lost_race', targetSha: sha(9) });
    await town.advance(MINUTE);
    expect((await show(town, id)).closeReason).toBe('cancelled');
    expect(count(town, `beads WHERE type = 'merge_request' AND close_reason = 'source_ended'`)).toBe(1);
    expect(town.runner.calls.filter((call) => call === 'job push')).toHaveLength(1);
  });

  it('takes changes that were asked for while an agent made others: another round follows', async () => {
    const town = await openTown();
    hold(town, 'gates');
    const id = await sling(town, 'one');
    await finish(town, id);
    const changes = { type: 'request_changes', bead: id } as const;
    await town.service.beadCommand({ ...changes, comment: 'Say it shorter.' }, human);
    await town.settle();
    // Its prompt was read: this one nobody would see.
    await town.service.beadCommand({ ...changes, comment: 'And in English.' }, human);
    // A third one waits together with the second.
    await town.service.beadCommand({ ...changes, comment: 'And at once.' }, human);
    await town.settle();
    expect((await show(town, id)).reworkBeads).toHaveLength(2);
    town.runner.judge = defaultResult;
    await finishAll(town, 200);
    expect((await show(town, id)).review).toMatchObject({ step: 'reworking', headSha: sha(200) });
    const [next] = town.runner.running();
    expect(next?.request.prompt).toContain('And in English.');
    expect(next?.request.prompt).toContain('And at once.');
    await finishAll(town, 201);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', evidence: { head: sha(201) } });
  });

  describe('whose push nobody answered before its deadline', () => {
    const CHANGES = { type: 'request_changes', comment: 'Say it shorter.' } as const;

    /** Its next merge has been ordered, and will say whether that push arrived. */
    async function unanswered(): Promise<{ readonly town: VirtualTown; readonly id: BeadId }> {
      const town = await openTown();
      let merges = 0;
      town.runner.judge = (job) =>
        job.kind === 'push' || (job.kind === 'merge' && (merges += 1) > 1) ? null : defaultResult(job);
      const id = await sling(town, 'one');
      await finish(town, id);
      await town.advance(HOUR);
      expect((await show(town, id)).review).toMatchObject({ step: 'preparing', candidateSha: expect.any(String) });
      return { town, id };
    }

    it('takes no request for changes: it may have landed', async () => {
      const { town, id } = await unanswered();
      await expect(town.service.beadCommand({ ...CHANGES, bead: id }, human)).rejects.toMatchObject({
        code: 'push_under_way',
        message: expect.stringContaining('nobody knows yet whether it arrived'),
      });
      await report(town, 'merge', { result: 'conflict', targetSha: sha(2), paths: ['a.ts'], message: '' });
      await town.service.beadCommand({ ...CHANGES, bead: id }, human);
      expect((await show(town, id)).review).toMatchObject({ step: 'reworking', candidateSha: null });
    });

    it.each([
      [
        'is merged although it was cancelled, when it had arrived',
        'merged',
        { result: 'already_merged', mergeSha: sha(9) },
      ],
      ['is cancelled when it conflicts by now', 'cancelled', { result: 'conflict', paths: ['a.ts'], message: '' }],
    ] as const)('%s', async (_name, closeReason, verdict) => {
      const { town, id } = await unanswered();
      await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'late' }, human);
      await town.settle();
      expect((await show(town, id)).status).toBe('in_review');
      expect((await town.service.why(id)).sentence).toContain('Its cancel waits until git says');
      await report(town, 'merge', { targetSha: sha(9), ...verdict } as JobResult);
      expect(await show(town, id)).toMatchObject({ closeReason, reworkBeads: [] });
    });
  });

  it('ends with a bead that is cancelled while its gates run, and the train goes on', async () => {
    const town = await openTown();
    hold(town, 'gates');
    const id = await sling(town, 'one');
    await finish(town, id);
    const next = await sling(town, 'two');
    await finish(town, next, 200);
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: '' }, human);
    await town.settle();
    await report(town, 'gates', { result: 'gates', green: true, runs: [] });
    expect((await show(town, id)).closeReason).toBe('cancelled');
    expect((await show(town, next)).closeReason).toBe('merged');
  });

  it('takes no late result of a step that is over', async () => {
    const town = await openTown();
    hold(town, 'gates');
    const id = await sling(town, 'one');
    await finish(town, id);
    const merge = [...town.runner.jobs.values()].find((job) => job.kind === 'merge');
    town.runner.finish(merge?.key ?? '', 'api', { result: 'conflict', targetSha: sha(2), paths: [], message: '' });
    await town.settle();
    expect((await show(town, id)).review?.step).toBe('gating');
    await report(town, 'gates', { result: 'gates', green: true, runs: [] });
    expect((await show(town, id)).closeReason).toBe('merged');
  });
});

describe('the train', () => {
  /** Three that finish one after the other, while the gates of the first run. */
  async function three(town: VirtualTown): Promise<readonly BeadId[]> {
    hold(town, 'gates');
    const ids = [];
    for (const title of ['a', 'b', 'c']) ids.push(await sling(town, title));
    for (const [index, id] of ids.entries()) {
      await finish(town, id, 100 + index);
      await town.advance(1_000);
    }
    return ids;
  }
  const stepsOf = (town: VirtualTown, ids: readonly BeadId[]): Promise<readonly unknown[]> =>
    Promise.all(ids.map(async (id) => (await show(town, id)).review?.step));

  it('tests those in line together, and lands them with one push in their order', async () => {
    const town = await openTown();
    const ids = await three(town);
    expect(await stepsOf(town, ids)).toEqual(['gating', 'queued', 'queued']);
    await report(town, 'gates', GREEN);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'gating', 'gating']);
    await report(town, 'gates', GREEN);
    const ends = await Promise.all(ids.map((id) => show(town, id)));
    expect(ends.map(({ closeReason }) => closeReason)).toEqual(['merged', 'merged', 'merged']);
    expect(new Set(ends.map(({ evidence }) => evidence?.mergeSha)).size).toBe(3);
    expect(town.runner.pushed).toEqual([ends[0]?.evidence?.mergeSha, ends[2]?.evidence?.mergeSha]);
  });

  it('lands seven of eight when one is red, and gives that one its log', async () => {
    const town = await openTown({ api: { polecatsMax: 9 } });
    const bad = sha(105);
    hold(town, 'gates');
    const ids = [];
    for (let n = 0; n < 9; n += 1) ids.push(await sling(town, `task ${String(n)}`));
    for (const [index, id] of ids.entries()) await finish(town, id, 99 + index);
    town.runner.judge = (job) =>
      isGateOfWork(job) && headsIn(job.commit).includes(bad) ? redWith('expected 2, got 3') : defaultResult(job);
    const before = town.runner.calls.filter((call) => call === 'job gates').length;
    await report(town, 'gates', GREEN);
    const shown = await Promise.all(ids.map((id) => show(town, id)));
    expect(shown.filter(({ closeReason }) => closeReason === 'merged')).toHaveLength(8);
    const culprit = shown.find(({ status }) => status === 'in_review');
    expect(culprit?.review).toMatchObject({ step: 'reworking', gateLog: expect.stringContaining('expected 2, got 3') });
    expect(town.runner.running().map(({ request }) => [request.kind, request.fixedHead])).toEqual([['rework', bad]]);
    // Eight, four, two, one, itself again, and the rest: less than one run for each.
    expect(town.runner.calls.filter((call) => call === 'job gates').length - before).toBeLessThanOrEqual(8);
  });

  it('gives nobody back for one red run because the other suspect was cancelled meanwhile', async () => {
    const town = await openTown();
    const [first, gone, left] = await three(town);
    if (first === undefined || gone === undefined || left === undefined) throw new Error('three');
    await report(town, 'gates', GREEN);
    await report(town, 'gates', redWith('one of the two'));
    expect(await stepsOf(town, [gone, left])).toEqual(['gating', 'queued']);
    await town.service.beadCommand({ type: 'close', bead: gone, reason: 'cancelled', note: '' }, human);
    await town.settle();
    // By itself for the first time, and red by a flake.
    await report(town, 'gates', redWith('the port was taken'));
    expect((await show(town, left)).reworkBeads).toEqual([]);
    expect(await stepsOf(town, [left])).toEqual(['gating']);
    town.runner.judge = defaultResult;
    await report(town, 'gates', GREEN);
    expect(await show(town, left)).toMatchObject({ closeReason: 'merged', reworkBeads: [], review: { flakes: 1 } });
  });

  it('parks only the one whose gates something keeps ending, and lands those before and behind it', async () => {
    const town = await openTown({ api: { polecatsMax: 9 } });
    const bad = sha(107);
    hold(town, 'gates');
    const ids = [];
    for (let n = 0; n < 9; n += 1) ids.push(await sling(town, `task ${String(n)}`));
    for (const [index, id] of ids.entries()) await finish(town, id, 100 + index);
    const killed = redWith('', { exitCode: null, killedBy: 'SIGKILL' });
    town.runner.judge = (job) => (isGateOfWork(job) && headsIn(job.commit).includes(bad) ? killed : defaultResult(job));
    await report(town, 'gates', GREEN);
    await town.advance(MINUTE);
    const shown = await Promise.all(ids.map((id) => show(town, id)));
    expect(shown.map(({ closeReason }) => closeReason)).toEqual(ids.map((_, n) => (n === 7 ? null : 'merged')));
    expect(shown[7]).toMatchObject({ reworkBeads: [], failures: 0 });
    expect(await town.service.listEscalations(true)).toMatchObject([{ causeKey: `bead:${String(ids[7])}` }]);
  });

  it('without gates lands the others of a push that is refused, and asks a person about that one', async () => {
    const town = await openTown({ api: { gates: [] } });
    const bad = sha(102);
    hold(town, 'push');
    const ids = [];
    for (const title of ['a', 'b', 'c', 'd']) ids.push(await sling(town, title));
    for (const [index, id] of ids.entries()) await finish(town, id, 100 + index);
    expect(await stepsOf(town, ids)).toEqual(['pushing', 'queued', 'queued', 'queued']);
    town.runner.judge = (job) =>
      job.kind === 'push' && headsIn(job.candidate).includes(bad)
        ? { result: 'refused', code: 'secret_found', message: 'It looks like a key.' }
        : defaultResult(job);
    await report(town, 'push', { result: 'pushed', targetSha: sha(0xc000 + 100) });
    await town.advance(MINUTE);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'ended', 'queued', 'ended']);
    expect(await town.service.listEscalations(true)).toMatchObject([{ causeKey: `bead:${String(ids[2])}` }]);
    // Three together, two of them, each of these two, and the last: a push or two for each.
    expect(town.runner.calls.filter((call) => call === 'job push').length).toBeLessThanOrEqual(6);
  });

  it('stands while its target is red, blames nobody, and goes on when it is mended', async () => {
    const town = await openTown();
    let red = true;
    town.runner.judge = (job) => (job.kind === 'gates' && red ? redWith('the target is broken') : defaultResult(job));
    const ids = [await sling(town, 'one'), await sling(town, 'two')];
    for (const [index, id] of ids.entries()) await finish(town, id, 100 + index);
    await town.advance(HOUR);
    expect(await Promise.all(ids.map(async (id) => (await show(town, id)).reworkBeads))).toEqual([[], []]);
    expect(await stepsOf(town, ids)).toEqual(['queued', 'queued']);
    expect(await town.service.listEscalations(true)).toMatchObject([
      { causeKey: 'train:api/main', subject: 'train:api/main' },
    ]);
    // One run of the gates or two every five minutes, no more.
    expect(town.runner.calls.filter((call) => call === 'job gates').length).toBeLessThan(40);
    red = false;
    await town.advance(10 * MINUTE);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'ended']);
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('begins nothing while a person paused it; the round under way ends with its push, and all of it is said', async () => {
    const town = await openTown();
    const ids = await three(town);
    const api = trusted.rig('api');
    const pause = { type: 'pause_train', target: null, reason: 'release 2.1' } as const;
    const paused = await town.service.rigCommand(api, pause, { ...human, idempotencyKey: 'one' });
    expect(paused.stoppedTrains).toMatchObject([
      { target: 'main', state: 'paused', reason: 'release 2.1', waiting: 2 },
    ]);
    await report(town, 'gates', GREEN);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'queued', 'queued']);
    await town.advance(HOUR);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'queued', 'queued']);
    expect(town.runner.pushed).toHaveLength(1);
    const sentence = 'In line; the merge train of main is paused by human/test since 1 h: release 2.1.';
    expect((await town.service.listQueue()).map(({ why }) => why.sentence)).toEqual([sentence, sentence]);
    expect((await show(town, ids[2] ?? trusted.bead(''))).why).toMatchObject({ sentence, command: 'gt mq resume api' });
    const told = 'The merge train of main is paused by human/test since 1 h: release 2.1; 2 wait in line.';
    expect(await town.service.attention()).toMatchObject([
      { kind: 'rig', sentence: told, command: 'gt mq resume api' },
    ]);
    expect((await town.service.why(`rig:${api}`)).sentence).toBe(told);

    town.crash();
    await town.service.start([]);
    await town.settle();
    expect(await stepsOf(town, ids)).toEqual(['ended', 'queued', 'queued']);
    await town.service.rigCommand(api, pause, { ...human, idempotencyKey: 'one' });
    await town.service.rigCommand(api, { type: 'resume_train', target: null }, human);
    await town.settle();
    await report(town, 'gates', GREEN);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'ended', 'ended']);
    expect(await town.service.attention()).toEqual([]);
    await expect(town.service.rigCommand(api, { type: 'resume_train', target: null }, human)).rejects.toMatchObject({
      code: 'train_not_paused',
    });
    await expect(town.service.rigCommand(api, { ...pause, target: 'mian' }, human)).rejects.toMatchObject({
      code: 'unknown_target',
      next: expect.stringContaining('Name one of main,'),
    });
    expect((await actionsOf(town)).filter((action) => action.endsWith('_train'))).toEqual([
      'pause_train',
      'resume_train',
    ]);
  });

  it('is red again after a pause until its target passes, and tells that it does', async () => {
    const town = await openTown();
    let red = true;
    town.runner.judge = (job) => (job.kind === 'gates' && red ? redWith('the target is broken') : defaultResult(job));
    const id = await sling(town, 'one');
    await finish(town, id);
    const api = trusted.rig('api');
    const resume = { type: 'resume_train', target: null } as const;
    expect(count(town, `trains WHERE state = 'red' AND escalated = 1`)).toBe(1);
    await town.service.rigCommand(api, { type: 'pause_train', target: 'main', reason: 'a freeze' }, human);
    const runs = town.runner.calls.length;
    await town.advance(HOUR);
    expect(town.runner.calls.slice(runs).filter((call) => call.startsWith('job'))).toEqual([]);
    await town.service.rigCommand(api, resume, human);
    await town.advance(MINUTE);
    expect(count(town, `trains WHERE state = 'red'`)).toBe(1);
    expect((await show(town, id)).why.sentence).toContain('In line for main, which is red itself');
    red = false;
    await town.service.beadCommand({ type: 'retry', bead: id }, human);
    await town.settle();
    expect((await show(town, id)).closeReason).toBe('merged');
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('is told of each rig by itself when the targets of two are red, and of one only as long as its own is', async () => {
    const town = await openTown({ api: {}, web: {} });
    const red = new Set(['api', 'web']);
    town.runner.judge = (job) =>
      job.kind === 'gates' && red.has(job.repo.rig) ? redWith(`${job.repo.rig} is broken`) : defaultResult(job);
    const ids = [await sling(town, 'one'), await sling(town, 'two', { rig: trusted.rig('web') })];
    for (const [index, id] of ids.entries()) await finish(town, id, 100 + index);
    await town.advance(20 * MINUTE);
    const told = async () => (await town.service.attention()).map(({ title, severity }) => [title, severity]);
    expect(new Set(await told())).toEqual(
      new Set([
        ['api/main', 'high'],
        ['web/main', 'high'],
      ]),
    );
    red.delete('api');
    await town.advance(10 * MINUTE);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'queued']);
    expect(await told()).toEqual([['web/main', 'high']]);
    // Said to be over by a person while it is not: the rig hears it, and tells again.
    const [open] = await town.service.listEscalations(true);
    if (open === undefined) throw new Error('nothing is open');
    await town.service.commandEscalation(open.id, { type: 'resolve', note: 'seen' }, human);
    await town.advance(20 * MINUTE);
    expect(await town.service.listEscalations(true)).toMatchObject([{ rig: 'web', causeKey: 'train:web/main' }]);
  });

  it('goes on after a red target that was a flake, although the newest in line is bad', async () => {
    const town = await openTown();
    const bad = sha(101);
    let red = true;
    town.runner.judge = (job) =>
      job.kind === 'gates' && (red || headsIn(job.commit).includes(bad)) ? redWith('no') : defaultResult(job);
    const ids = [await sling(town, 'one'), await sling(town, 'two')];
    for (const [index, id] of ids.entries()) await finish(town, id, 100 + index);
    await town.advance(20 * MINUTE);
    expect(await stepsOf(town, ids)).toEqual(['queued', 'queued']);
    red = false;
    await town.advance(12 * MINUTE);
    expect(await stepsOf(town, ids)).toEqual(['ended', 'reworking']);
    expect((await town.service.listEscalations(true)).map(({ causeKey }) => causeKey)).not.toContain('train:api/main');
  });

  it('works on one merge request at a time when the rig says so', async () => {
    const town = await openTown({ api: { merging: { batch: 1, lanes: 1, style: 'merge' } } });
    const ids = await three(town);
    for (const id of ids) {
      expect(count(town, `reviews WHERE step IN ('preparing', 'gating', 'pushing')`)).toBe(1);
      expect((await show(town, id)).review?.step).toBe('gating');
      await report(town, 'gates', GREEN);
      expect((await show(town, id)).closeReason).toBe('merged');
    }
  });

  it('lands the oldest within its ageing although more urgent ones keep coming (T23)', async () => {
    const town = await openTown({ api: { polecatsMax: 50 } });
    hold(town, 'gates');
    const low = await sling(town, 'low', { priority: 'low' });
    const first = await sling(town, 'first', { priority: 'critical' });
    await finishAll(town);
    const startMs = town.nowMs;
    for (let n = 0; n < 36 && (await show(town, low)).status === 'in_review'; n += 1) {
      const urgent = await sling(town, `urgent ${String(n)}`, { priority: 'critical' });
      await finish(town, urgent, 300 + n);
      await town.advance(10 * MINUTE);
      await report(town, 'gates', { result: 'gates', green: true, runs: [] });
    }
    expect((await show(town, first)).closeReason).toBe('merged');
    expect((await show(town, low)).closeReason).toBe('merged');
    expect(town.nowMs - startMs).toBeLessThanOrEqual(3 * AGEING_STEP_MS + 40 * MINUTE);
  });

  it('lets one that waits for rework stand aside', async () => {
    const town = await openTown();
    firstTime(town, 'merge', { result: 'conflict', targetSha: sha(2), paths: ['a.ts'], message: '' });
    const stuck = await sling(town, 'stuck');
    await finish(town, stuck);
    const next = await sling(town, 'next');
    await finish(town, next, 200);
    expect((await show(town, next)).closeReason).toBe('merged');
    expect((await show(town, stuck)).status).toBe('in_review');
    expect(processOf(town, (await show(town, stuck)).reworkBeads[0] ?? stuck).request.kind).toBe('conflict');
  });
});

describe('a merge request that a person has to look at', () => {
  it('goes on when its hold is released, like by a retry', async () => {
    const town = await openTown();
    const red: JobResult = { result: 'gates', green: false, runs: [] };
    town.runner.judge = (job) => (isGateOfWork(job) ? red : defaultResult(job));
    const id = await sling(town, 'one');
    await finish(town, id);
    for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 100 * (round + 1));
    const held = (await show(town, id)).review;
    const mergeRequest = held?.beadId ?? id;
    expect([held?.step, (await show(town, mergeRequest)).hold]).toEqual(['reworking', 'needs_human']);
    town.runner.judge = defaultResult;
    await town.service.beadCommand({ type: 'release', bead: mergeRequest }, human);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('a branch that the remote refuses', () => {
  it('is asked for again and told to a person, although its agent is gone', async () => {
    const town = await openTown();
    town.runner.judge = (job) =>
      job.kind === 'promote' ? { result: 'error', message: 'pre-receive hook declined' } : defaultResult(job);
    const id = await sling(town, 'one');
    await finish(town, id);
    await town.advance(30 * MINUTE);
    expect(await town.service.listEscalations(true)).toEqual([expect.objectContaining({ causeKey: `bead:${id}` })]);
    town.runner.judge = defaultResult;
    await town.advance(MINUTE);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged' });
    expect(await town.service.listEscalations(true)).toEqual([]);
  });
});

describe('a push that the remote keeps refusing', () => {
  const refusing = (town: VirtualTown, bead: string): void => {
    town.runner.judge = (job) =>
      job.kind === 'push' && town.runner.jobs.size > 0 && job.key.includes(bead)
        ? { result: 'error', message: 'protected branch' }
        : defaultResult(job);
  };

  it('lets others past, tells a person once, and lets itself be cancelled', async () => {
    const town = await openTown();
    const first = await sling(town, 'refused');
    town.runner.judge = (job) =>
      job.kind === 'push' ? { result: 'error', message: 'protected branch' } : defaultResult(job);
    await finish(town, first);
    const mergeRequest = (await show(town, first)).review?.beadId ?? '';
    refusing(town, mergeRequest);
    const second = await sling(town, 'fine');
    await finish(town, second, 300);
    await town.advance(10 * MINUTE);
    expect(await show(town, second)).toMatchObject({ closeReason: 'merged' });
    expect(await show(town, first)).toMatchObject({ status: 'in_review' });
    expect(
      (await town.service.listEscalations(true)).filter((row) => row.subject === `bead:${mergeRequest}`),
    ).toHaveLength(1);
    await town.service.beadCommand({ type: 'close', bead: first, reason: 'cancelled', note: 'not there' }, human);
    await town.advance(10 * MINUTE);
    expect(await show(town, first)).toMatchObject({ status: 'closed', closeReason: 'cancelled' });
    expect((await town.service.listQueue()).length).toBe(0);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/core/facts.ts';
import {
  BRANCH_JOB_DEADLINE_MS,
  FEATURE_RETRY_MS,
  LANDING_ATTEMPTS_MAX,
  REWORK_ROUNDS_MAX,
} from '../../src/core/limits.ts';
import { trusted, type BeadId, type ConvoyId } from '../../src/core/model/ids.ts';
import type { ConvoyDetail } from '../../src/core/queries.ts';
import type { CreateConvoy } from '../../src/core/commands.ts';
import { defaultResult, isGateOfWork } from '../support/fake-runner.ts';
import { count, finishAll, HOUR, human, MINUTE, newBead, newConvoy, newTask, openTown } from '../support/town-story.ts';
import type { VirtualTown } from '../support/virtual-town.ts';

let town: VirtualTown;
beforeEach(async () => {
  town = await openTown({ api: {}, web: {} });
});

const rig = trusted.rig;
const RED: JobResult = {
  result: 'gates',
  green: false,
  runs: [{ name: 'test', exitCode: 1, timedOut: false, durationMs: 1, tail: 'red' }],
};

async function create(over: Partial<CreateConvoy> = {}): Promise<ConvoyDetail> {
  const tasks = [newTask('api', 'a'), newTask('web', 'b'), newTask('web', 'c', [1])];
  const asked = town.service.createConvoy(newConvoy({ mergeMode: 'review-then-land', tasks, ...over }), human);
  await town.settle();
  return asked;
}
const shown = (id: ConvoyId): Promise<ConvoyDetail> => town.service.getConvoy(id);
const targets = (kind: Job['kind']): string[] =>
  [...town.runner.jobs.values()].flatMap((job) =>
    job.kind === kind ? [`${job.repo.rig} ${job.repo.targetBranch}`] : [],
  );
const landingsOf = (name: string): number => count(town, `beads WHERE kind = 'landing'`, name);
const idOf = (convoy: ConvoyDetail, position: number): BeadId => {
  const id = convoy.beads[position]?.beadId;
  if (id === null || id === undefined) throw new Error(`no bead at ${String(position)}`);
  return id;
};

/** Works off everything until nobody works any more. */
async function workAll(): Promise<void> {
  for (let round = 1; town.runner.running().length > 0; round += 1) await finishAll(town, 1_000 * round);
}

/** Answers of the runner for gates on this target in this rig, in order; green after them. */
function gatesOf(name: string, target: string, results: JobResult[]): void {
  town.runner.judge = (job) => {
    const merged = [...town.runner.jobs.values()].find((other) => other.kind === 'gates' && other.key === job.key);
    const mine = isGateOfWork(job) && job.repo.rig === name && job.repo.targetBranch === target;
    return mine && merged !== undefined ? (results.shift() ?? defaultResult(job)) : defaultResult(job);
  };
}

describe('a convoy that lands at once', () => {
  it('merges its beads into the feature branch of each rig and lands rig by rig', async () => {
    const convoy = await create({ landingOrder: [rig('web'), rig('api')] });
    const feature = `gt/${convoy.id}`;
    expect(convoy).toMatchObject({ featureBranch: feature, landingOrder: ['web', 'api'] });
    expect(targets('branch')).toEqual([`api ${feature}`, `web ${feature}`]);
    const starts = town.runner.calls.findIndex((call) => call.startsWith('start'));
    expect(town.runner.calls.slice(0, starts).filter((call) => call === 'job branch').length).toBeGreaterThan(0);
    await workAll();
    expect(targets('merge')).toEqual([`api ${feature}`, `web ${feature}`, `web ${feature}`, 'web main', 'api main']);
    const end = await shown(convoy.id);
    expect(end).toMatchObject({ status: 'landed', closedBeads: 3 });
    expect(end.landings).toMatchObject([
      { rig: 'web', state: 'landed', attempt: 1 },
      { rig: 'api', state: 'landed', attempt: 1 },
    ]);
    expect(end.beads.map((bead) => bead.mergeTarget)).toEqual([feature, feature, feature]);
    expect(end.why.sentence).toBe('Landed: 3 of 3 beads are merged or needed no change.');
    expect(town.nextAlarmMs()).toBeNull();
  });

  it('starts its beads from what it has so far, and only when the branch is there', async () => {
    town.runner.judge = (job) => (job.kind === 'branch' ? null : defaultResult(job));
    const convoy = await create();
    expect(town.runner.running()).toEqual([]);
    expect((await town.service.getBead(idOf(convoy, 0))).why.sentence).toContain(`gt/${convoy.id}`);
    for (const job of town.runner.jobs.values())
      if (job.kind === 'branch')
        town.runner.finish(job.key, job.repo.rig, { result: 'branch_ready', head: 'a'.repeat(40) });
    town.runner.judge = defaultResult;
    await town.settle();
    const requests = town.runner.running().map((process) => process.request);
    expect(requests.map((request) => request.fixedHead)).toEqual(['a'.repeat(40), 'a'.repeat(40)]);
    expect(requests[0]?.repo).toMatchObject({ targetBranch: `gt/${convoy.id}`, restore: 'a'.repeat(40) });
  });

  it('tells a person that its branch is not made, and no more once it is', async () => {
    town.runner.judge = (job) => (job.kind === 'branch' ? null : defaultResult(job));
    const convoy = await create();
    await town.advance(BRANCH_JOB_DEADLINE_MS + 1_000);
    const causes = async () => (await town.service.listEscalations(true)).map((item) => item.causeKey);
    expect(await causes()).toContain(`feature:api/gt/${convoy.id}`);
    for (const job of town.runner.jobs.values())
      if (job.kind === 'branch')
        town.runner.finish(job.key, job.repo.rig, { result: 'branch_ready', head: 'a'.repeat(40) });
    town.runner.judge = defaultResult;
    await town.settle();
    expect(await causes()).toEqual([]);
    expect(town.runner.running()).toHaveLength(2);
  });

  it('reworks a landing that is red on its feature branch, with the same merge request', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a')] });
    // Once for the suspicion, once more before it is given back.
    gatesOf('api', 'main', [RED, RED]);
    await workAll();
    const end = await shown(convoy.id);
    expect(end).toMatchObject({ status: 'landed', landings: [{ attempt: 1, state: 'landed' }] });
    expect(landingsOf('api')).toBe(1);
    const rework = [...town.runner.processes.values()].find((process) => process.request.kind === 'rework');
    expect(rework?.request.branch).toBe(`gt/${convoy.id}`);
    const promoted = [...town.runner.jobs.values()].findLast((job) => job.kind === 'promote');
    expect(promoted).toMatchObject({ branch: `gt/${convoy.id}` });
  });

  it('never has a second landing while one is open, and none after one merged', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a')] });
    town.runner.judge = (job) => (job.kind === 'gates' && job.repo.targetBranch === 'main' ? null : defaultResult(job));
    await workAll();
    await town.advance(3 * HOUR);
    expect(landingsOf('api')).toBe(1);
    const why = (await town.service.why(convoy.id)).sentence;
    expect(why).toContain('lands in api now, attempt 1 of 5');
    expect(why).toContain('runs its gates');
    const job = [...town.runner.jobs.values()].findLast((row) => row.kind === 'gates');
    town.runner.judge = defaultResult;
    town.runner.finish(job?.key ?? '', 'api', { result: 'gates', green: true, runs: [] });
    await town.settle();
    await town.advance(3 * HOUR);
    expect((await shown(convoy.id)).status).toBe('landed');
    expect(landingsOf('api')).toBe(1);
  });

  it('gives up after five landings, says so once, and loses nothing', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a'), newTask('web', 'b')] });
    town.runner.judge = (job) =>
      isGateOfWork(job) && job.repo.rig === 'web' && job.repo.targetBranch === 'main' ? RED : defaultResult(job);
    for (
      let n = 0;
      n < LANDING_ATTEMPTS_MAX * (REWORK_ROUNDS_MAX + 2) && (await shown(convoy.id)).status !== 'failed';
      n += 1
    ) {
      await finishAll(town, 1_000 * (n + 1));
      await town.advance(10 * MINUTE);
    }
    const end = await shown(convoy.id);
    expect(end).toMatchObject({
      status: 'failed',
      landings: [
        { rig: 'api', state: 'landed', attempt: 1 },
        { rig: 'web', state: 'failed', attempt: LANDING_ATTEMPTS_MAX },
      ],
    });
    expect(landingsOf('web')).toBe(LANDING_ATTEMPTS_MAX);
    expect(end.why.sentence).toContain('landed in api, not in web');
    expect(await town.service.listEscalations(true)).toMatchObject([
      { severity: 'high', subject: `convoy:${convoy.id}` },
    ]);
    expect(count(town, `features WHERE head_sha IS NOT NULL AND state = 'ready'`, 'web')).toBe(1);
    expect(town.nextAlarmMs() === null || town.nextAlarmMs()! > town.nowMs).toBe(true);
  });

  it('lands the rest when a bead failed under the policy skip, and says partially', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a'), newTask('web', 'b')], onFailure: 'skip' });
    await town.service.beadCommand({ type: 'close', bead: idOf(convoy, 1), reason: 'cancelled', note: '' }, human);
    await workAll();
    await town.advance(MINUTE);
    const end = await shown(convoy.id);
    expect(end).toMatchObject({ status: 'landed', landings: [{ state: 'landed' }, { rig: 'web', state: 'nothing' }] });
    expect(end.why.sentence).toContain('Landed partially');
  });

  it('tells a person when its branch cannot be put back, and goes on by itself when it can', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a')] });
    const lost = { result: 'refused', code: 'branch_lost', message: 'it was rewritten.' } as const;
    town.runner.judge = (job) => (job.kind === 'merge' || job.kind === 'branch' ? lost : defaultResult(job));
    await finishAll(town);
    expect(await town.service.listEscalations(true)).toMatchObject([
      { severity: 'high', category: 'convoy', causeKey: `feature:api/gt/${convoy.id}` },
    ]);
    expect(targets('merge')).toEqual([`api gt/${convoy.id}`]);
    await town.advance(3 * FEATURE_RETRY_MS);
    expect(targets('branch').length).toBeGreaterThan(2);
    town.runner.judge = defaultResult;
    await town.advance(FEATURE_RETRY_MS + MINUTE);
    expect((await shown(convoy.id)).status).toBe('landed');
    expect(await town.service.listEscalations(true)).toEqual([]);
  });

  it('ends with its landing when a person closes it', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a')] });
    town.runner.judge = (job) => (job.kind === 'gates' && job.repo.targetBranch === 'main' ? null : defaultResult(job));
    await workAll();
    await town.service.changeConvoy(convoy.id, { type: 'close', note: '' }, human);
    await town.settle();
    expect((await shown(convoy.id)).status).toBe('cancelled');
    expect(count(town, `beads WHERE kind = 'landing' AND close_reason = 'cancelled'`)).toBe(1);
  });
});

describe('beads that join or leave a convoy that lands at once', () => {
  it('change their target while nobody has begun, and are refused afterwards', async () => {
    const waiting = await town.service.createBead(newBead('waiting', { sling: false }), human);
    const convoy = await create({ tasks: [], beads: [waiting.id], staged: true });
    expect((await town.service.getBead(waiting.id)).targetBranch).toBe(`gt/${convoy.id}`);
    await town.service
      .changeConvoy(convoy.id, { type: 'add', plan: { tasks: [newTask('web', 'b')], beads: [] } }, human)
      .catch(() => undefined);
    await town.settle();
    await town.service.changeConvoy(convoy.id, { type: 'remove', beads: [waiting.id] }, human);
    await town.settle();
    expect((await town.service.getBead(waiting.id)).targetBranch).toBe('main');

    const begun = await town.service.createBead(newBead('begun'), human);
    await town.settle();
    const asked = town.service.createConvoy(newConvoy({ mergeMode: 'review-then-land', beads: [begun.id] }), human);
    const refused = expect(asked).rejects.toThrow(/has begun for main/);
    await town.settle();
    await refused;
  });

  it('may come from a convoy that was given up', async () => {
    const first = await create({ tasks: [newTask('api', 'a')], staged: true, mergeMode: 'review-and-merge' });
    const bead = idOf(first, 0);
    const held = town.service.createConvoy(newConvoy({ beads: [bead] }), human);
    const refused = expect(held).rejects.toThrow(/is in .* already/);
    await town.settle();
    await refused;
  });
});

describe('a convoy with the policy abort', () => {
  it('does not try a running bead again after its attempt failed', async () => {
    const convoy = await create({ tasks: [newTask('api', 'a'), newTask('web', 'b')], onFailure: 'abort' });
    const [a, b] = town.runner.running();
    for (const line of ['red', 'green', 'blue', 'black', 'white']) {
      const now = town.runner.running().find((process) => process.request.bead === a?.request.bead);
      town.runner.exit(now?.request.attempt ?? '', { exitCode: 1, lastLine: `failed as ${line}` });
      await town.settle();
      town.runner.active(b?.request.attempt ?? '');
      await town.advance(6 * MINUTE);
    }
    expect((await shown(convoy.id)).status).toBe('failed');
    expect((await town.service.getBead(idOf(convoy, 1))).status).toBe('in_progress');
    town.runner.exit(b?.request.attempt ?? '', { exitCode: 1, lastLine: 'boom' });
    await town.settle();
    await town.advance(10 * MINUTE);
    expect(await town.service.getBead(idOf(convoy, 1))).toMatchObject({
      status: 'closed',
      closeReason: 'cancelled',
      attempts: 1,
    });

    const next = newConvoy({ beads: [idOf(convoy, 1)] });
    const asked = town.service.createConvoy(next, human);
    await town.settle();
    expect((await asked).beads).toMatchObject([{ beadId: idOf(convoy, 1) }]);
  });
});

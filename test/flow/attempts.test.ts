import { describe, expect, it } from 'vitest';
import { TAKEOVER_AFTER_MS } from '../../src/core/limits.ts';
import { trusted } from '../../src/core/model/ids.ts';
import { RunnerRefusal } from '../../src/ports/runner-client.ts';
import { defaultResult, sha } from '../support/fake-runner.ts';
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

describe('an attempt whose time is over', () => {
  it('goes on after a short cut of the line, however busy it is then', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const { attempt } = processOf(town, id).request;
    town.runner.silent = true;
    await town.advance(2 * MINUTE);
    expect((await town.service.why(id)).sentence).toContain('Contact to the runner of');
    town.runner.silent = false;
    // So busy that the look at its process never falls due.
    for (let n = 0; n < 20; n += 1) {
      town.runner.active(attempt);
      await town.advance(MINUTE / 2);
    }
    expect(town.runner.running().map(({ request }) => request.attempt)).toEqual([attempt]);
    expect((await show(town, id)).attempts).toBe(1);
  });

  it('changes nothing by what it still says; its work is kept (R1, R6, T01)', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const old = processOf(town, id).request;
    town.runner.silent = true;
    await town.advance(TAKEOVER_AFTER_MS + 2 * MINUTE);
    const before = await show(town, id);
    expect(before.attemptList.map((row) => row.outcome)).toEqual(['infra', null]);
    town.runner.silent = false;
    town.runner.done(old.attempt, sha(77));
    await town.settle();
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', failures: 0, attempts: 2 });
    expect(count(town, `attempts WHERE late_head = '${sha(77)}'`)).toBe(1);
    expect(await actionsOf(town)).toContain('late_evidence');
  });

  it('whose "no change" was accepted is not told that the commits it hands in afterwards are accepted', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const { attempt, epoch } = processOf(town, id).request;
    const verdict = (): Promise<unknown> =>
      town.service.verdict(trusted.rig('api'), trusted.attempt(attempt), epoch, 0);
    town.runner.noChange(attempt, 'it is there already');
    await town.settle();
    expect(await verdict()).toMatchObject({ verdict: 'accepted' });
    town.runner.done(attempt, sha(77));
    await town.settle();
    expect(await verdict()).toEqual({
      verdict: 'superseded',
      message: `Your "no change" was accepted before; ${sha(77)} came after it and is kept in its ref, but is not part of the review.`,
    });
    expect(await show(town, id)).toMatchObject({ closeReason: 'no_change' });
  });

  it.each([-1, 1])('is unknown under another epoch (%i): the fact is recorded and ignored', async (step) => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const { attempt, epoch } = processOf(town, id).request;
    const fact = { rig: 'api', attempt, epoch: epoch + step, head: sha(5), summary: '', atMs: town.nowMs };
    await town.service.recordFacts([{ ...fact, type: 'agent_done', key: 'zombie' }]);
    await town.settle();
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', attempts: 1 });
    expect(await actionsOf(town)).toContain('ignore_fact');
    const capability = { town: 'town-test', rig: trusted.rig('api'), agent: trusted.agent('api/polecats/nux') };
    await expect(
      town.service.checkCapability({
        ...capability,
        bead: id,
        attempt: trusted.attempt(attempt),
        epoch: epoch + step,
        verbs: [],
        expiresAtMs: 0,
      }),
    ).rejects.toMatchObject({ code: 'superseded' });
  });

  it('leaves its work to the next one when it ends (T02)', async () => {
    const town = await openTown({ api: { runtime: 'command', command: 'agent' } });
    const id = await sling(town, 'one');
    const old = processOf(town, id).request;
    town.runner.silent = true;
    await town.advance(10 * MINUTE);
    town.runner.silent = false;
    town.runner.exit(old.attempt, { head: sha(77), ahead: 1 });
    await town.settle();
    await town.advance(MINUTE);
    expect(processOf(town, id).request).toMatchObject({ fixedHead: sha(77), epoch: old.epoch + 1 });
  });
});

describe('a process that outlived the contact to it', () => {
  it('is stopped and its work kept before the next one starts; the rig goes on meanwhile', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const old = processOf(town, id).request;
    town.runner.silent = true;
    await town.advance(TAKEOVER_AFTER_MS + 2 * MINUTE);
    town.runner.silent = false;
    await town.advance(MINUTE);
    expect(town.runner.processes.get(old.attempt)?.exit?.cause).toBe('stopped');
    expect(processOf(town, id).request.epoch).toBeGreaterThan(old.epoch);
    await finish(town, id);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', failures: 0 });
    expect(town.runner.processes.size).toBe(2);
  });
});

describe('a start', () => {
  it('whose answer is lost is repeated, and makes one process (T03)', async () => {
    const town = await openTown();
    const start = town.runner.start.bind(town.runner);
    let lost = 0;
    town.runner.start = async (request) => {
      await start(request);
      lost += 1;
      if (lost === 1) throw new Error('the answer was lost');
    };
    const id = await sling(town, 'one');
    await town.advance(5_000);
    expect([town.runner.processes.size, (await show(town, id)).attempts]).toEqual([1, 1]);
  });

  it('that the runner refuses for good ends the attempt without a charge', async () => {
    const town = await openTown();
    const start = town.runner.start.bind(town.runner);
    let refused = false;
    town.runner.start = (request) => {
      if (refused) return start(request);
      refused = true;
      return Promise.reject(new RunnerRefusal('stale_epoch', 'stale'));
    };
    const id = await sling(town, 'one');
    await town.advance(MINUTE);
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', failures: 0, attempts: 2 });
    await finish(town, id);
    expect((await show(town, id)).closeReason).toBe('merged');
  });
});

describe('an end', () => {
  it('with exit code 0 but without done closes nothing (T06)', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    town.runner.exit(processOf(town, id).request.attempt, { exitCode: 0 });
    await town.settle();
    expect(await show(town, id)).toMatchObject({ status: 'open', failures: 1, phase: 'backing_off' });
    expect((await show(town, id)).attemptList[0]?.outcome).toBe('no_progress');
  });

  it('for five different reasons gives the bead up, and a person can see it', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    for (const word of ['red', 'blue', 'green', 'white', 'black']) {
      town.runner.exit(processOf(town, id).request.attempt, { exitCode: 1, lastLine: word });
      await town.settle();
      await town.advance(5 * MINUTE + 1);
    }
    expect(await show(town, id)).toMatchObject({ status: 'failed', closeReason: 'attempts_exhausted', failures: 5 });
    expect((await town.service.listEscalations(true)).map((row) => row.subject)).toEqual([`bead:${id}`]);
    await town.advance(HOUR);
    expect(town.runner.processes.size).toBe(5);
  });

  it('comes to a bead that is cancelled: attempt, capability and hook at once, the slot when the process is gone (T10)', async () => {
    const town = await openTown({ api: { polecatsMax: 1 } });
    const id = await sling(town, 'one');
    const next = await sling(town, 'two');
    const { attempt } = processOf(town, id).request;
    town.runner.silent = true;
    await town.service.beadCommand({ type: 'close', bead: id, reason: 'cancelled', note: 'enough' }, human);
    expect(await show(town, id)).toMatchObject({ status: 'closed', closeReason: 'cancelled' });
    expect((await show(town, id)).attemptList[0]).toMatchObject({ outcome: 'cancelled', processGone: false });
    expect(await town.service.findAgent('nux')).toMatchObject({ status: 'stopping', hookBeadId: null });
    await town.advance(MINUTE);
    expect((await show(town, next)).status).toBe('open');
    town.runner.silent = false;
    await town.advance(MINUTE);
    expect(town.runner.processes.get(attempt)?.exit?.cause).toBe('stopped');
    expect((await show(town, next)).status).toBe('in_progress');
  });
});

describe('a claim', () => {
  it('is verified with its agent long dead, by nobody but git', async () => {
    const town = await openTown();
    town.runner.judge = (job) => (job.kind === 'verify' ? null : defaultResult(job));
    const id = await sling(town, 'one');
    await finish(town, id);
    await town.advance(HOUR);
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', attempts: 1 });
    await report(town, 'verify', { result: 'verified', head: sha(100), ahead: 1 });
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', attempts: 1, failures: 0 });
  });

  it('survives the loss of its runner: the verdict comes from its ref (R6)', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    town.runner.judge = (job) => (job.kind === 'verify' ? null : defaultResult(job));
    town.runner.done(processOf(town, id).request.attempt, sha(100));
    await town.settle();
    town.runner.silent = true;
    await town.advance(HOUR);
    town.runner.silent = false;
    town.runner.judge = defaultResult;
    await town.advance(2 * MINUTE);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', attempts: 1 });
  });

  it('that was refused may be repeated at the same head', async () => {
    const town = await openTown();
    let dirty = true;
    town.runner.judge = (job) =>
      job.kind === 'verify' && dirty
        ? { result: 'refused', code: 'not_pushed', message: 'The ref is not there.' }
        : defaultResult(job);
    const id = await sling(town, 'one');
    const { attempt, epoch } = processOf(town, id).request;
    town.runner.done(attempt, sha(100));
    await town.settle();
    expect(await town.service.verdict(trusted.rig('api'), trusted.attempt(attempt), epoch, 0)).toMatchObject({
      verdict: 'refused',
      code: 'not_pushed',
    });
    dirty = false;
    await town.advance(1_000);
    town.runner.done(attempt, sha(100));
    await town.settle();
    expect((await show(town, id)).closeReason).toBe('merged');
  });
});

describe('a runner that does not answer', () => {
  it('keeps its work for five minutes, then another attempt takes over', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    town.runner.silent = true;
    await town.advance(TAKEOVER_AFTER_MS);
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', attempts: 1 });
    await town.advance(2 * MINUTE);
    expect(await show(town, id)).toMatchObject({ status: 'in_progress', attempts: 2, failures: 0 });
  });

  it('goes on with the same attempt when it comes back in time', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    town.runner.silent = true;
    await town.advance(4 * MINUTE);
    expect((await town.service.findAgent('nux')).status).toBe('unknown');
    town.runner.silent = false;
    await town.advance(MINUTE);
    expect((await town.service.findAgent('nux')).status).toBe('working');
    await finish(town, id);
    expect(await show(town, id)).toMatchObject({ closeReason: 'merged', attempts: 1 });
  });

  it('for 70 hours charges no bead, is probed once per back-off, is told once, and all resumes (T11)', async () => {
    const town = await openTown();
    town.runner.silent = true;
    const ids = [];
    for (const title of ['a', 'b', 'c', 'd']) ids.push(await sling(town, title));
    await town.advance(HOUR);
    const early = count(town, 'attempts');
    await town.advance(2 * HOUR);
    expect(count(town, 'attempts') - early, 'one each 10 minutes').toBeLessThanOrEqual(13);
    town.nowMs += 67 * HOUR;
    await town.advance(MINUTE);
    expect(await town.service.listEscalations(true)).toHaveLength(1);
    for (const id of ids) expect(await show(town, id)).toMatchObject({ failures: 0, hold: null });
    town.runner.silent = false;
    for (
      let round = 0;
      round < 30 && count(town, `beads WHERE type = 'issue' AND status <> 'closed'`) > 0;
      round += 1
    ) {
      await town.advance(5 * MINUTE);
      await finishAll(town, 100 + 10 * round);
    }
    for (const id of ids) expect((await show(town, id)).closeReason).toBe('merged');
    expect(await town.service.listEscalations(true)).toEqual([]);
    expect((await town.service.listRigs())[0]?.status).toBe('ready');
  });
});

describe('the dispatch breaker', () => {
  it('opens after three failures in a row, lets one probe through, and closes by a done', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    for (let n = 0; n < 3; n += 1) {
      town.runner.exit(processOf(town, id).request.attempt, { cause: 'spawn_failed', exitCode: null });
      await town.settle();
    }
    const two = await sling(town, 'two');
    expect(town.runner.running()).toEqual([]);
    expect((await town.service.listRigs())[0]).toMatchObject({ status: 'breaker_open', liveAttempts: 0 });
    await town.advance(20_000);
    expect(town.runner.running()).toHaveLength(1);
    await finish(town, two);
    expect((await town.service.listRigs())[0]?.status).toBe('ready');
    expect(town.runner.running()).toHaveLength(1);
    await finish(town, id);
    expect(await show(town, id)).toMatchObject({ failures: 0, closeReason: 'merged' });
  });
});

describe('a bead that can never start', () => {
  it('does not keep the others of its rig from being the probe', async () => {
    const town = await openTown();
    const spawn = town.runner.spawn.bind(town.runner);
    town.runner.spawn = (attempt) => {
      const isBad = town.runner.processes.get(attempt)?.request.repo?.targetBranch === 'typo';
      if (isBad) town.runner.exit(attempt, { cause: 'spawn_failed', exitCode: null });
      else spawn(attempt);
    };
    await sling(town, 'bad', { targetBranch: 'typo' });
    const good = await sling(town, 'good');
    await town.advance(5 * 60_000);
    await finish(town, good);
    expect(await show(town, good)).toMatchObject({ closeReason: 'merged' });
  });
});

describe('work that could not be stored', () => {
  it('is told of when it is stored after all, by one line that starts and changes nothing', async () => {
    const town = await openTown();
    const id = await sling(town, 'one');
    const { attempt, epoch } = processOf(town, id).request;
    const fact = {
      type: 'agent_event' as const,
      key: `kept:${attempt}`,
      rig: 'api',
      attempt,
      epoch,
      eventType: 'work_kept',
      atMs: town.nowMs,
      activeTools: [],
      statusMessage: `stored in refs/gt/rescue/${id}/${attempt}`,
    };
    await finish(town, id);
    const before = await show(town, id);
    const calls = town.runner.calls.length;
    for (let times = 0; times < 2; times += 1) await town.service.recordFacts([fact]);
    await town.settle();
    expect((await actionsOf(town)).filter((action) => action === 'work_kept')).toHaveLength(1);
    expect(town.runner.calls.length).toBe(calls);
    expect(await show(town, id)).toMatchObject({ status: before.status, attempts: before.attempts });
  });
});

describe('an idle town', () => {
  it('starts nothing for a thousand facts about nothing (T15)', async () => {
    const town = await openTown();
    await town.service.recordFacts(
      Array.from({ length: 1_000 }, (_, n) => ({
        type: 'agent_event' as const,
        key: `noise-${String(n)}`,
        rig: 'api',
        attempt: `at-${String(n % 7).padStart(18, '0')}`,
        epoch: 1,
        eventType: 'output',
        atMs: town.nowMs,
        activeTools: [],
        statusMessage: null,
      })),
    );
    await town.settle();
    expect(town.runner.calls.filter((call) => call.startsWith('start'))).toEqual([]);
    expect(await town.service.listAgents()).toEqual([]);
    expect(town.nextAlarmMs()).toBeNull();
  });
});

describe('the cap', () => {
  it('of five holds for twelve beads, and each free slot is filled at once', async () => {
    const town = await openTown({ api: { polecatsMax: 5 } });
    for (let n = 0; n < 12; n += 1) await sling(town, `bead ${String(n)}`);
    expect(town.runner.running()).toHaveLength(5);
    const first = town.runner.running()[0]?.request.bead;
    await finish(town, trusted.bead(first ?? ''));
    expect(town.runner.running()).toHaveLength(5);
    for (let round = 0; round < 3; round += 1) await finishAll(town, 200 + 10 * round);
    expect(count(town, `beads WHERE type = 'issue' AND close_reason = 'merged'`)).toBe(12);
  });
});

describe('a row that nobody can read', () => {
  it('is set aside and told; the others go on (R5, T05)', async () => {
    const town = await openTown();
    const weird = await sling(town, 'weird', { sling: false });
    town.tampered = true;
    town.databases.get('rig/api')?.all(`UPDATE beads SET kind = 'weird', hold = NULL WHERE id = ?`, weird);
    const fine = await sling(town, 'fine');
    await finish(town, fine);
    expect((await show(town, fine)).closeReason).toBe('merged');
    await town.advance(10 * MINUTE);
    expect(await town.service.listEscalations(true)).toEqual([
      expect.objectContaining({ subject: `bead:${weird}`, category: 'quarantine', repeats: 0 }),
    ]);
    const list = await town.service.listBeads({ includeMergeRequests: false, limit: 10 });
    expect(list.items.map((row) => row.title)).toEqual(['fine']);
  });
});

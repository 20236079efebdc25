import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestTown } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

describe('the main path', () => {
  it('brings a script bead from start to a pushed merge', async () => {
    await town.start();
    const first = town.targetSha;
    const start = town.startRequest({
      script: 'echo hello > b.txt\necho "round $GT_ROUND of $GT_BEAD"\necho two >> a.txt',
    });
    expect(await town.post(start)).toMatchObject({ status: 200, json: { state: 'accepted' } });
    const started = await town.fact('agent_started', start);
    expect(started.base).toBe(first);
    const done = await town.fact('agent_done', start);
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({
      exitCode: 0,
      cause: 'exited',
      head: done.head,
      base: first,
      ahead: 1,
      dirty: false,
      doneIntent: true,
    });
    expect(town.transcript(start)).toContain('not an AI agent');
    const message = town.git(['log', '-1', '--format=%an%n%B', done.head], town.bare);
    expect(message).toContain(`${start.agent}\nDo it`);
    expect(message).toContain(`Gt-Bead: ${start.bead}\nGt-Attempt: ${start.attempt}`);

    const ref = `refs/gt/attempts/${start.bead}/${String(start.epoch)}`;
    expect(
      await town.job({ kind: 'verify', key: 'v1', repo: town.repo, ref, claimedHead: done.head, base: first }),
    ).toEqual({ result: 'verified', head: done.head, ahead: 1 });
    const promote = {
      kind: 'promote',
      key: 'p1',
      repo: town.repo,
      branch: start.branch,
      head: done.head,
      expectedOld: null,
    } as const;
    expect(await town.job(promote)).toEqual({ result: 'promoted', head: done.head });
    expect(town.git(['rev-parse', start.branch])).toBe(done.head);
    const author = { name: 'Gas Town', email: 'gt@example.com' };
    const merged = await town.job({
      kind: 'merge',
      key: 'm1',
      repo: town.repo,
      mergeRequest: 'app-mr001',
      head: done.head,
      earlierCandidate: null,
      message: 'Merge it',
      author,
      dateMs: 1_700_000_000_000,
    });
    if (merged.result !== 'candidate') throw new Error(JSON.stringify(merged));
    const gates = [{ name: 'test', run: 'grep two a.txt && test -f b.txt', timeoutMs: 10_000 }];
    expect(
      await town.job({ kind: 'gates', key: 'g1', repo: town.repo, commit: merged.candidate, gates }),
    ).toMatchObject({ result: 'gates', green: true });
    expect(await town.brain.fact('job_finished', 'g1')).toMatchObject({ jobKey: 'g1', result: { green: true } });
    const push = {
      kind: 'push',
      key: 'x1',
      repo: town.repo,
      mergeRequest: 'app-mr001',
      candidate: merged.candidate,
      expectedOld: first,
    } as const;
    expect(await town.job(push)).toEqual({ result: 'pushed', targetSha: merged.candidate });
    expect(town.targetSha).toBe(merged.candidate);
    expect(await town.job({ ...push, key: 'x2' })).toEqual({ result: 'pushed', targetSha: merged.candidate });
    expect(town.brain.keys(start.attempt)).toEqual([
      `started:${start.attempt}`,
      `done:${start.attempt}:1`,
      `exited:${start.attempt}`,
    ]);
  });
});

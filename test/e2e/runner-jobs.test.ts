import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Job, JobResult } from '../../src/api/contract/runner.ts';
import { sleep, TestTown, until } from '../fixtures/runner/town.ts';

let town: TestTown;
let keys = 0;
beforeEach(async () => {
  town = await TestTown.open();
  await town.start();
});
afterEach(async () => {
  await town.close();
});

const key = (): string => `job-${String((keys += 1))}`;
const NOBODY = '0123456789012345678901234567890123456789';

const mergeJob = (head: string, earlierCandidate: string | null = null): Extract<Job, { kind: 'merge' }> => ({
  kind: 'merge',
  key: key(),
  repo: town.repo,
  mergeRequest: 'app-mr001',
  head,
  earlierCandidate,
  message: 'Merge\n\nGt-Bead: app-1\nGt-Merge-Request: app-mr001\n',
  author: { name: 'Gas Town', email: 'gt@example.com' },
  dateMs: 1_700_000_000_000,
});
async function candidate(head: string): Promise<Extract<JobResult, { result: 'candidate' }>> {
  const result = await town.job(mergeJob(head));
  if (result.result !== 'candidate') throw new Error(JSON.stringify(result));
  return result;
}
const pushJob = (sha: string, expectedOld: string): Extract<Job, { kind: 'push' }> => ({
  kind: 'push',
  key: key(),
  repo: town.repo,
  mergeRequest: 'app-mr001',
  candidate: sha,
  expectedOld,
});

describe('merge', () => {
  it('makes the same candidate again, and keeps it in its ref', async () => {
    const head = town.branch('one', { 'b.txt': 'b\n' });
    const first = await candidate(head);
    expect(await candidate(head)).toEqual(first);
    expect(town.git(['rev-parse', 'refs/gt/merging/app-mr001'], town.bare)).toBe(first.candidate);
    expect(town.git(['log', '-1', '--format=%P', first.candidate], town.bare)).toBe(`${town.targetSha} ${head}`);
  });

  it('names the conflicting paths, odd ones too', async () => {
    const head = town.branch('two', { 'a.txt': 'mine\n', 'zażółć "x".txt': 'mine\n' });
    town.pushElsewhere({ 'a.txt': 'theirs\n', 'zażółć "x".txt': 'theirs\n' });
    expect(await town.job(mergeJob(head))).toMatchObject({
      result: 'conflict',
      paths: ['a.txt', 'zażółć "x".txt'],
      targetSha: town.targetSha,
    });
  });

  it('says of what is there already who brought it: a train, its own commits, or somebody by hand (R12)', async () => {
    const asked = async (head: string): Promise<unknown> => town.job(mergeJob(head));
    const there = (mergeSha: string, outside?: string): object => ({
      result: 'already_merged',
      targetSha: town.targetSha,
      mergeSha,
      ...(outside === undefined ? {} : { outside }),
    });
    const own = town.branch('own', { 'b.txt': 'b\n' });
    town.git(['push', '-q', town.origin, `${own}:main`]);
    expect(await asked(own)).toEqual(there(own, 'pushed'));
    town.pushElsewhere({ 'c.txt': 'later' });
    expect(await asked(own)).toEqual(there(own, 'pushed'));

    const merges = (name: string, by: string, words = 'by hand'): { readonly head: string; readonly merge: string } => {
      const head = town.branch(name, { [`${name}.txt`]: name });
      const clone = mkdtempSync(join(town.root, 'hand-'));
      town.git(['clone', '-q', town.origin, clone], town.root);
      const who = ['-c', `user.name=${by}`, '-c', 'user.email=t@t'];
      town.git([...who, 'merge', '-q', '--no-ff', '--no-commit', head], clone);
      const tree = town.git(['write-tree'], clone);
      const parents = ['-p', 'HEAD', '-p', head];
      const merge = execFileSync('git', [...who, 'commit-tree', tree, ...parents, '-m', words], {
        cwd: clone,
        encoding: 'utf8',
      }).trim();
      town.git(['push', '-q', 'origin', `${merge}:main`], clone);
      return { head, merge };
    };
    // The fixture commits the work as T <t@t>; agents have their owner's address.
    const agents = merges('agents', 'T');
    expect(await asked(agents.head)).toEqual(there(agents.merge, 'pushed'));
    const persons = merges('persons', 'person');
    expect(await asked(persons.head)).toEqual(there(persons.merge, 'by_hand'));
    // Whoever claims to be the train is not it.
    const claims = merges('claims', 'T', 'Merge\n\nGt-Merge-Request: app-mr001');
    expect(await asked(claims.head)).toEqual(there(claims.merge, 'pushed'));
    const trains = await candidate(town.branch('trains', { 'd.txt': 'd\n' }));
    expect(await town.job(pushJob(trains.candidate, trains.targetSha))).toMatchObject({ result: 'pushed' });
    town.pushElsewhere({ 'e.txt': 'later' });
    expect(await asked(town.git(['rev-parse', 'gt/trains']))).toEqual(there(trains.candidate));
  });

  it('finds what is merged already: by ancestry, and by its earlier candidate when it was squashed away from the head (R9)', async () => {
    const head = town.branch('three', { 'b.txt': 'b\n' });
    const made = await candidate(head);
    expect(await town.job(pushJob(made.candidate, made.targetSha))).toMatchObject({ result: 'pushed' });
    town.pushElsewhere({ 'c.txt': 'later' });
    expect(await town.job(mergeJob(head))).toEqual({
      result: 'already_merged',
      targetSha: town.targetSha,
      mergeSha: made.candidate,
    });
    const other = town.branch('four', { 'd.txt': 'd\n' });
    expect(await town.job(mergeJob(other, made.candidate))).toEqual({
      result: 'already_merged',
      targetSha: town.targetSha,
      mergeSha: made.candidate,
    });
  });
});

describe('push', () => {
  it('loses a race cleanly, and wins when somebody merged on top of it', async () => {
    const made = await candidate(town.branch('one', { 'b.txt': 'b\n' }));
    const theirs = town.pushElsewhere({ 'c.txt': 'c\n' });
    expect(await town.job(pushJob(made.candidate, made.targetSha))).toEqual({ result: 'lost_race', targetSha: theirs });
    expect(town.targetSha).toBe(theirs);
    const again = await candidate(town.git(['rev-parse', 'gt/one']));
    expect(await town.job(pushJob(again.candidate, theirs))).toEqual({ result: 'pushed', targetSha: again.candidate });
    const onTop = town.pushElsewhere({ 'd.txt': 'd\n' });
    expect(await town.job(pushJob(again.candidate, theirs))).toEqual({ result: 'pushed', targetSha: onTop });
    expect(town.git(['rev-list', '--count', '--merges', 'main'])).toBe('1');
  });

  it('that crashed is pushed once', async () => {
    const made = await candidate(town.branch('one', { 'b.txt': 'b\n' }));
    await town.runner?.stop();
    await town.spawnRunner();
    const job = pushJob(made.candidate, made.targetSha);
    void town.call('POST', '/jobs', job).catch(() => undefined);
    await sleep(30);
    await town.killRunner();
    await town.spawnRunner();
    expect(await town.job(job)).toEqual({ result: 'pushed', targetSha: made.candidate });
    expect(town.git(['rev-list', '--count', '--merges', 'main'])).toBe('1');
  });

  it('is refused with the words of the host when a hook declines it, and is an error when nobody answers', async () => {
    const made = await candidate(town.branch('one', { 'b.txt': 'b\n' }));
    mkdirSync(join(town.origin, 'hooks'), { recursive: true });
    writeFileSync(join(town.origin, 'hooks', 'pre-receive'), '#!/bin/sh\necho protected; exit 1\n', { mode: 0o755 });
    expect(await town.job(pushJob(made.candidate, made.targetSha))).toEqual({
      result: 'refused',
      code: 'push_refused',
      message: 'protected (pre-receive hook declined)',
    });
    const refused = pushJob(made.candidate, made.targetSha);
    writeFileSync(join(town.origin, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    expect(await town.job(refused)).toMatchObject({ result: 'pushed' });
    expect(
      await town.job({
        kind: 'repo',
        key: key(),
        repo: { rig: 'gone', url: join(town.root, 'nowhere'), targetBranch: 'main' },
      }),
    ).toMatchObject({ result: 'error' });
  });
});

describe('promote and verify', () => {
  it('move the branch only from where it is expected', async () => {
    const first = town.branch('own', { 'x.txt': '1' });
    const repo = town.repo;
    expect(
      await town.job({ kind: 'promote', key: key(), repo, branch: 'gt/own', head: first, expectedOld: null }),
    ).toEqual({ result: 'promoted', head: first });
    const second = town.branch('next', { 'x.txt': '2' });
    expect(
      await town.job({ kind: 'promote', key: key(), repo, branch: 'gt/own', head: second, expectedOld: null }),
    ).toEqual({ result: 'branch_moved', actual: first });
    expect(
      await town.job({ kind: 'promote', key: key(), repo, branch: 'gt/own', head: second, expectedOld: second }),
    ).toEqual({ result: 'branch_moved', actual: first });
    // Deleted by hand: there is nothing on it that could be lost.
    expect(
      await town.job({ kind: 'promote', key: key(), repo, branch: 'gt/none', head: second, expectedOld: first }),
    ).toEqual({ result: 'promoted', head: second });
    expect(
      await town.job({ kind: 'promote', key: key(), repo, branch: 'gt/own', head: second, expectedOld: first }),
    ).toEqual({ result: 'promoted', head: second });
  });

  it('refuse work on a conflict that does not merge with what it conflicted with, and take it when it does', async () => {
    const base = town.branch('c', { 'a.txt': 'mine\n' });
    town.pushElsewhere({ 'a.txt': 'theirs\n' });
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    const against = town.targetSha;
    const made = (parents: readonly string[]): string =>
      town.git(['commit-tree', `${base}^{tree}`, ...parents.flatMap((parent) => ['-p', parent]), '-m', 'again']);
    const verify = (head: string, part: object): Promise<JobResult> => {
      town.git(['push', '-q', town.bare, `+${head}:refs/gt/attempts/app-c/1`]);
      const claim = { ref: 'refs/gt/attempts/app-c/1', claimedHead: head, base };
      return town.job({ kind: 'verify', key: key(), repo: town.repo, ...claim, ...part });
    };
    const unmerged = made([base]);
    expect(await verify(unmerged, { against })).toMatchObject({
      result: 'refused',
      code: 'still_conflicts',
      message: expect.stringContaining(`both still change a.txt. Run "git merge ${against}"`),
    });
    expect(await verify(unmerged, { against: NOBODY })).toMatchObject({ result: 'verified' });
    expect(await verify(made([base, against]), { against })).toMatchObject({ result: 'verified' });
  });

  it('judge work on a conflict by the target as it is where people took out what it conflicted with', async () => {
    const before = town.targetSha;
    const base = town.branch('c', { 'a.txt': 'mine\n' });
    const against = town.pushElsewhere({ 'a.txt': 'theirs\n' });
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    town.git(['update-ref', 'refs/heads/main', before]);
    const now = town.pushElsewhere({ 'b.txt': 'theirs\n' });
    const merged = town.git(['merge-tree', '--write-tree', base, now]).split('\n')[0] ?? '';
    const head = town.git(['commit-tree', merged, '-p', base, '-p', now, '-m', 'merged']);
    town.git(['push', '-q', town.bare, `+${head}:refs/gt/attempts/app-c/1`]);
    const claim = { ref: 'refs/gt/attempts/app-c/1', claimedHead: head, base, against };
    expect(await town.job({ kind: 'verify', key: key(), repo: town.repo, ...claim })).toMatchObject({
      result: 'verified',
    });
    // What is there instead counts like any other.
    const other = town.pushElsewhere({ 'a.txt': 'others\n' });
    expect(await town.job({ kind: 'verify', key: key(), repo: town.repo, ...claim })).toMatchObject({
      code: 'still_conflicts',
      message: expect.stringContaining(`Run "git merge ${other}"`),
    });
  });

  it('refuse claims that git does not bear out', async () => {
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    const base = town.targetSha;
    const head = town.branch('v', { 'x.txt': '1' });
    await town.job(mergeJob(head));
    const ref = 'refs/gt/attempts/app-v/1';
    const verify = (part: object): Promise<JobResult> =>
      town.job({ kind: 'verify', key: key(), repo: town.repo, ref, claimedHead: head, base, ...part });
    expect(await verify({})).toMatchObject({ result: 'refused', code: 'ref_missing' });
    expect(await verify({ elsewhere: true })).toMatchObject({ result: 'error' });
    town.git(['update-ref', ref, head], town.bare);
    expect(await verify({})).toEqual({ result: 'verified', head, ahead: 1 });
    expect(await verify({ claimedHead: base })).toMatchObject({ result: 'refused', code: 'head_moved' });
    // Its runner pushed an earlier claim only.
    expect(await verify({ claimedHead: base, elsewhere: true })).toMatchObject({ result: 'error' });
    expect(await verify({ elsewhere: true })).toMatchObject({ result: 'verified' });
    const promote = (part: object): Promise<JobResult> =>
      town.job({
        kind: 'promote',
        key: key(),
        repo: town.repo,
        branch: 'gt/v',
        head: NOBODY,
        expectedOld: null,
        ...part,
      });
    expect(await promote({ elsewhere: true })).toMatchObject({ result: 'error' });
    expect(await promote({})).toMatchObject({ result: 'error' });
    expect(await promote({ elsewhere: false })).toMatchObject({ result: 'refused', code: 'ref_missing' });
    expect(await verify({ base: head })).toMatchObject({ result: 'refused', code: 'no_commits' });
    expect(await verify({ base: town.branch('w', { 'y.txt': '1' }) })).toMatchObject({
      result: 'refused',
      code: 'not_descendant',
    });
    expect(await verify({ base: NOBODY })).toMatchObject({ result: 'error' });
    expect(await verify({ ref: 'refs/heads/main' })).toMatchObject({ result: 'error' });
  });
});

describe('gates', () => {
  const gates = (list: readonly { run: string; timeoutMs?: number }[]): Job => ({
    kind: 'gates',
    key: key(),
    repo: town.repo,
    commit: town.targetSha,
    gates: list.map((gate, index) => ({ name: `g${String(index)}`, timeoutMs: 20_000, ...gate })),
  });

  it('stop at the first red one and keep the end of its output', async () => {
    const result = await town.job(
      gates([
        { run: 'echo fine; touch left.txt ignored' },
        { run: 'seq 1 100000; echo broken >&2; exit 3' },
        { run: 'touch never' },
      ]),
    );
    if (result.result !== 'gates') throw new Error('no gates');
    expect(result).toMatchObject({
      green: false,
      runs: [
        { name: 'g0', exitCode: 0 },
        { name: 'g1', exitCode: 3, timedOut: false },
      ],
    });
    expect(result.runs).toHaveLength(2);
    expect(result.runs[1]?.tail.length).toBeLessThanOrEqual(8_000);
    expect(result.runs[1]?.tail.trimEnd().endsWith('broken')).toBe(true);
    expect(
      await town.job(
        gates([{ run: 'test ! -e left.txt && test ! -e ignored && test -z "$(git status --porcelain)"' }]),
      ),
    ).toMatchObject({ green: true });
  });

  it('are killed with everything they started at their time limit', async () => {
    const job = gates([{ run: 'setsid sleep 300 & sleep 301 & sleep 302', timeoutMs: 300 }]);
    const result = await town.job(job);
    expect(result).toMatchObject({ green: false, runs: [{ exitCode: null, timedOut: true }] });
    expect(town.alive()).toEqual([]);
    await until(
      () => town.brain.recorded.some((fact) => fact.type === 'job_finished' && fact.jobKey === job.key),
      'fact',
    );
  });

  it('that something else kills say by which signal; one that crashes by itself is red', async () => {
    for (const run of ['kill -9 $$', 'sh -c "kill -9 \\$\\$"; exit $?', 'exit 137'])
      expect(await town.job(gates([{ run }])), run).toMatchObject({ green: false, runs: [{ killedBy: 'SIGKILL' }] });
    const crashed = await town.job(gates([{ run: 'kill -SEGV $$' }]));
    expect(crashed).toMatchObject({ green: false });
    expect(JSON.stringify(crashed)).not.toContain('killedBy');
  });

  it('leave nothing running behind a green one, and see no secrets', async () => {
    process.env['SOME_API_KEY'] = 'very-secret';
    const result = await town.job(gates([{ run: 'sleep 300 & env' }]));
    delete process.env['SOME_API_KEY'];
    expect(result).toMatchObject({ green: true });
    expect(JSON.stringify(result)).not.toMatch(/very-secret|runner-secret|GT_TOKEN/);
    expect(town.alive()).toEqual([]);
  });
});

describe('a runner that is stopped', () => {
  it('says nothing about gates that it ended: they are run again, and nobody reworks for it', async () => {
    const stubborn = town.commandRequest(`sh -c "trap '' TERM; echo up; sleep 60 & wait; sleep 60"`);
    await town.call('POST', '/agents', stubborn);
    await until(() => town.brain.recorded.some((fact) => fact.type === 'agent_started'), 'the agent runs');
    const mark = join(town.root, 'ran');
    const gate = (name: string): Job => ({
      kind: 'gates',
      key: name,
      repo: town.repo,
      commit: town.targetSha,
      gates: [{ name, run: `echo x >> "${mark}"; test -e "${town.root}/go" || sleep 60`, timeoutMs: 90_000 }],
    });
    await town.call('POST', '/jobs', gate('red'));
    await until(() => existsSync(mark), 'the gate runs');
    await town.runner?.stop();
    expect(town.brain.recorded.filter((fact) => fact.type === 'job_finished')).toEqual([]);
    writeFileSync(join(town.root, 'go'), '');
    await town.start();
    expect(await town.job(gate('red'))).toMatchObject({ result: 'gates', green: true });
  });
});

describe('a job', () => {
  it('runs once per key, and answers its stored result after a restart', async () => {
    const job: Job = {
      kind: 'gates',
      key: 'once',
      repo: town.repo,
      commit: town.targetSha,
      gates: [{ name: 'g', run: `echo x >> "${town.root}/ran"; sleep 0.2`, timeoutMs: 9_000 }],
    };
    const answers = await Promise.all([town.call('POST', '/jobs', job), town.call('POST', '/jobs', job)]);
    expect(answers.map((answer) => answer.json)).toEqual([{ state: 'accepted' }, { state: 'accepted' }]);
    const result = await town.job(job);
    await town.runner?.stop();
    await town.start();
    expect((await town.call('POST', '/jobs', job)).json).toEqual({ state: 'done', result });
    expect(readFileSync(join(town.root, 'ran'), 'utf8')).toBe('x\n');
    expect(town.brain.recorded.filter((fact) => fact.type === 'job_finished')).toHaveLength(1);
  });

  it("goes to the rig's address, whatever an agent made of the remote in its worktree", async () => {
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    const other = join(town.root, 'other.git');
    town.git(['clone', '-q', '--bare', town.origin, other], town.root);
    const before = town.git(['rev-parse', 'main'], other);
    town.git(['remote', 'set-url', 'origin', other], town.bare);
    town.git(['remote', 'set-url', '--push', 'origin', other], town.bare);
    const head = town.branch('set-url', { 'url.txt': 'u\n' });
    const merged = await candidate(head);
    const pushed = await town.job(pushJob(merged.candidate, merged.targetSha));
    expect(pushed).toEqual({ result: 'pushed', targetSha: merged.candidate });
    expect(town.git(['rev-parse', 'main'])).toBe(merged.candidate);
    expect(town.git(['rev-parse', 'main'], other)).toBe(before);
    town.git(['remote', 'remove', 'origin'], town.bare);
    expect(await town.job({ kind: 'repo', key: key(), repo: town.repo })).toMatchObject({ result: 'repo_ready' });
  });

  it('of a moved repository follows the new address', async () => {
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    const moved = join(town.root, 'moved.git');
    town.git(['clone', '-q', '--bare', town.origin, moved], town.root);
    expect(await town.job({ kind: 'repo', key: key(), repo: { ...town.repo, url: moved } })).toEqual({
      result: 'repo_ready',
      targetSha: town.targetSha,
    });
    expect(town.git(['config', 'remote.origin.url'], town.bare)).toBe(moved);
  });
});

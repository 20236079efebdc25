/** An agent takes in what its target got meanwhile, and hands in just that: found with real git, before and in the train. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Job, JobResult, StartAgent } from '../../src/api/contract/runner.ts';
import { type Answer, TestTown } from '../fixtures/runner/town.ts';

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

/** An agent that waits for the target to move, takes it in by fast-forward, does `more`, and lives on. */
async function takesIn(more = 'true'): Promise<StartAgent> {
  const flag = join(town.root, `go-${String((keys += 1))}`);
  const take = 'git fetch -q origin; git merge -q --ff-only origin/main';
  const start = town.commandRequest(
    `echo waits; until test -e ${flag}; do sleep 0.05; done; ${take}; ${more}; echo took; while :; do sleep 0.05; done`,
  );
  await town.post(start);
  await town.printed(start, 'waits');
  await land(
    `app-mr${String(keys)}`,
    town.branch(`other-${String(keys)}`, { [`other-${String(keys)}.txt`]: 'theirs\n' }),
  );
  writeFileSync(flag, '');
  await town.printed(start, 'took');
  return start;
}
const done = (start: StartAgent, body: object = {}): Promise<Answer> =>
  town.call('POST', '/agent/done', body, start.capability);

const merge = (name: string, head: string): Promise<JobResult> =>
  town.job({
    kind: 'merge',
    key: key(),
    repo: town.repo,
    mergeRequest: name,
    head,
    earlierCandidate: null,
    message: `Merge\n\nGt-Bead: app-1\nGt-Merge-Request: ${name}\n`,
    author: { name: 'app/refinery', email: 'owner@example.com' },
    dateMs: 1_700_000_000_000,
  });

/** Merges and pushes as the train does; answers the commit. */
async function land(name: string, head: string): Promise<string> {
  const made = await merge(name, head);
  if (made.result !== 'candidate') throw new Error(JSON.stringify(made));
  const { candidate, targetSha: expectedOld } = made;
  const push: Job = { kind: 'push', key: key(), repo: town.repo, mergeRequest: name, candidate, expectedOld };
  expect(await town.job(push)).toMatchObject({ result: 'pushed' });
  return candidate;
}

/** A commit by an agent of the rig, on top of another. */
const byAgent = (parent: string, ...others: readonly string[]): string =>
  execFileSync(
    'git',
    ['commit-tree', `${parent}^{tree}`, ...[parent, ...others].flatMap((one) => ['-p', one]), '-m', `work ${key()}`],
    {
      cwd: town.origin,
      encoding: 'utf8',
      env: {
        ...process.env,
        GIT_AUTHOR_NAME: 'app/polecats/nux',
        GIT_AUTHOR_EMAIL: 't@t',
        GIT_COMMITTER_NAME: 'app/polecats/nux',
        GIT_COMMITTER_EMAIL: 't@t',
      },
    },
  ).trim();

describe('gt done of what the target has', () => {
  it('is refused while the agent lives, which may say that nothing needs to change (R10)', async () => {
    const start = await takesIn();
    const refused = await done(start);
    expect(refused).toMatchObject({ status: 422, json: { error: { code: 'no_commits' } } });
    expect(refused.json.error.message).toContain('is on main already');
    expect(refused.json.error.next).toContain('--no-change');
    expect(await done(start, { noChange: 'somebody did it meanwhile' })).toMatchObject({ status: 200 });
    expect(await town.fact('agent_no_change', start)).toMatchObject({ reason: 'somebody did it meanwhile' });
  });

  it('is taken with a commit on top, and that one is no "nothing needs to change"', async () => {
    const start = await takesIn('echo x > x.txt; git add -A; git commit -qm work');
    expect((await done(start, { noChange: 'nothing' })).json).toMatchObject({ error: { code: 'work_exists' } });
    expect(await done(start)).toMatchObject({ status: 200, json: { verdict: 'accepted' } });
  });
});

describe('the verdict on a claim', () => {
  const verify = (base: string, head: string): Promise<JobResult> => {
    town.git(['push', '-q', town.bare, `+${head}:refs/gt/attempts/app-1/1`]);
    const claim = { ref: 'refs/gt/attempts/app-1/1', claimedHead: head, base };
    return town.job({ kind: 'verify', key: key(), repo: town.repo, ...claim });
  };
  const base = async (): Promise<string> => {
    await town.job({ kind: 'repo', key: key(), repo: town.repo });
    return town.targetSha;
  };

  it('asks the origin, whoever made what came from there: a train, the same agent for another bead, or a person', async () => {
    const from = await base();
    const others = byAgent(from);
    town.git(['update-ref', 'refs/heads/gt/app-2', others]);
    const trains = await land('app-mr2', others);
    expect(await verify(from, trains)).toMatchObject({ result: 'refused', code: 'no_commits' });
    // The clone does not know yet that it is on the target.
    const persons = town.pushElsewhere({ 'p.txt': 'person\n' });
    const refused = await verify(from, persons);
    expect(refused).toMatchObject({
      result: 'refused',
      code: 'no_commits',
      message: expect.stringContaining('main has'),
    });
    expect(refused).toMatchObject({ message: expect.stringContaining('--no-change') });
  });

  it('lets through what is its own, wherever that is by now', async () => {
    const from = await base();
    const work = byAgent(from);
    expect(await verify(from, work)).toMatchObject({ result: 'verified', ahead: 1 });
    // Pushed past the train: that it was is told when it is merged.
    town.git(['update-ref', 'refs/heads/main', work]);
    expect(await verify(from, work)).toMatchObject({ result: 'verified', ahead: 1 });
    // On top of a base that the target has: rework, whose branch was merged by hand; and a merge of the target.
    const onTop = byAgent(work);
    expect(await verify(work, onTop)).toMatchObject({ result: 'verified', ahead: 1 });
    const moved = town.pushElsewhere({ 'q.txt': 'q\n' });
    expect(await verify(work, byAgent(onTop, moved))).toMatchObject({ result: 'verified', ahead: 3 });
  });

  it('lets through what the target lacks, whatever its author is called, and does not wait for a target that is gone', async () => {
    const from = await base();
    const head = town.branch('odd', { 'o.txt': 'o\n' });
    expect(await verify(from, head)).toMatchObject({ result: 'verified' });
    town.git(['update-ref', '-d', 'refs/heads/main']);
    expect(await verify(from, town.git(['commit-tree', `${head}^{tree}`, '-p', head, '-m', 'more']))).toMatchObject({
      result: 'verified',
    });
  });
});

it('the train says of a head that is the merge of another whose it is, and of its own that it is merged (R9)', async () => {
  const own = town.branch('one', { 'one.txt': '1\n' });
  const merged = await land('app-mr2', own);
  const there = { result: 'already_merged', targetSha: merged, mergeSha: merged };
  expect(await merge('app-mr1', merged)).toEqual({ ...there, madeFor: 'app-mr2' });
  // Of its own earlier push, also when its candidate is not known any more; and of work that went along with another.
  expect(await merge('app-mr2', merged)).toEqual(there);
  expect(await merge('app-mr1', own)).toEqual(there);
  town.pushElsewhere({ 'later.txt': 'later\n' });
  expect(await merge('app-mr1', merged)).toEqual({ ...there, targetSha: town.targetSha, madeFor: 'app-mr2' });
});

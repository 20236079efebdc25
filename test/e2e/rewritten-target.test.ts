/** People take commits out of the target by force: what the runner finds, with real git. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Job, JobResult } from '../../src/api/contract/runner.ts';
import { TestTown } from '../fixtures/runner/town.ts';

let town: TestTown;
let keys = 0;
beforeEach(async () => {
  town = await TestTown.open();
  await town.start();
});
afterEach(async () => {
  await town.close();
});

type MergeJob = Extract<Job, { kind: 'merge' }>;
const merge = (name: string, head: string, over: Partial<MergeJob> = {}): Promise<JobResult> =>
  town.job({
    kind: 'merge',
    key: `merge-${String((keys += 1))}`,
    repo: town.repo,
    mergeRequest: name,
    head,
    earlierCandidate: null,
    message: `Merge ${name}\n\nGt-Bead: app-${name}\nGt-Merge-Request: ${name}\n`,
    author: { name: 'Gas Town', email: 'gt@example.com' },
    dateMs: 1_700_000_000_000,
    ...over,
  });

/** Merges a branch and pushes it; answers the target. */
async function land(name: string, head: string): Promise<string> {
  const made = await merge(name, head);
  if (made.result !== 'candidate') throw new Error(JSON.stringify(made));
  const pushed = await town.job({
    kind: 'push',
    key: `push-${name}`,
    repo: town.repo,
    mergeRequest: name,
    candidate: made.candidate,
    expectedOld: made.targetSha,
  });
  expect(pushed).toEqual({ result: 'pushed', targetSha: made.candidate });
  return made.candidate;
}

const force = (to: string): string => town.git(['update-ref', 'refs/heads/main', to]);

describe('a target that people rewrote', () => {
  it('is told with what went, and a branch from before does not bring it back unless it may', async () => {
    const first = town.targetSha;
    const tip = await land('mr-key', town.branch('key', { 'leaked.txt': 'key\n' }));
    const old = town.branch('old', { 'old.txt': 'old\n' });
    const conflicting = town.branch('conflicting', { 'a.txt': 'mine\n' });
    force(first);
    town.pushElsewhere({ 'a.txt': 'theirs\n' });
    const now = town.targetSha;

    expect(await merge('mr-old', old, { formerTips: [tip] })).toEqual({
      result: 'rewritten',
      from: tip,
      targetSha: now,
      commits: 2,
      merged: 1,
    });
    const revives = { result: 'revives', from: tip, targetSha: now, commits: 2 };
    expect(await merge('mr-old', old, { formerTips: [now, tip] })).toEqual(revives);
    // Before anybody works on a conflict with what is there now.
    expect(await merge('mr-conflicting', conflicting, { formerTips: [now, tip] })).toEqual(revives);
    expect(await merge('mr-old', old, { formerTips: [now, tip], mayRevive: tip })).toMatchObject({
      result: 'candidate',
    });

    const fresh = town.branch('fresh', { 'fresh.txt': 'fresh\n' });
    expect(await merge('mr-fresh', fresh, { formerTips: [now, tip] })).toMatchObject({ result: 'candidate' });
    const rider = { mergeRequest: 'mr-old', head: old, earlierCandidate: null, message: 'Merge\n' };
    const round = await merge('mr-fresh', fresh, { formerTips: [now, tip], riders: [rider], lists: [[0, 1], [0]] });
    expect(round).toMatchObject({
      result: 'candidate',
      leftOut: [{ mergeRequest: 'mr-old', why: 'revives', from: tip, commits: 2 }],
    });
  });

  it('counts nothing as gone that was put back under other names, and is unknown where the old tip never was', async () => {
    const first = town.targetSha;
    const tip = await land('mr-one', town.branch('one', { 'one.txt': 'one\n' }));
    const message = town.git(['log', '-1', '--format=%B', tip]);
    const again = town.git(['commit-tree', `${tip}^{tree}`, '-p', first, '-m', message]);
    force(again);
    const head = town.branch('two', { 'two.txt': 'two\n' });
    expect(await merge('mr-two', head, { formerTips: [tip] })).toMatchObject({ commits: 2, merged: 0 });
    expect(await merge('mr-two', head, { formerTips: ['f'.repeat(40)] })).toMatchObject({
      result: 'rewritten',
      commits: null,
      merged: null,
    });
  });

  it('is as before when it only went on, or has its former tip again', async () => {
    const tip = await land('mr-one', town.branch('one', { 'one.txt': 'one\n' }));
    town.pushElsewhere({ 'b.txt': 'theirs\n' });
    const head = town.branch('two', { 'two.txt': 'two\n' });
    expect(await merge('mr-two', head, { formerTips: [tip] })).toMatchObject({ result: 'candidate' });
    expect(await merge('mr-two', head, { formerTips: [town.targetSha, tip] })).toMatchObject({ result: 'candidate' });
  });

  it('that was rewritten twice is asked about once: one yes covers all tips that were left behind', async () => {
    const first = town.targetSha;
    const older = await land('mr-x', town.branch('x', { 'x.txt': 'x\n' }));
    const newer = await land('mr-y', town.branch('y', { 'y.txt': 'y\n' }));
    const old = town.branch('old', { 'old.txt': 'old\n' });
    force(older);
    expect(await merge('mr-old', old, { formerTips: [newer] })).toMatchObject({ result: 'rewritten', from: newer });
    force(first);
    const former = [older, newer];
    expect(await merge('mr-old', old, { formerTips: former })).toMatchObject({ result: 'rewritten', from: older });

    const formerTips = [first, ...former];
    const back = { from: older, commits: 4, also: [newer] };
    expect(await merge('mr-old', old, { formerTips })).toEqual({ result: 'revives', targetSha: first, ...back });
    const yes = { mayRevive: older, mayReviveAlso: [newer] };
    const rider = { mergeRequest: 'mr-old', head: old, earlierCandidate: null, message: 'Merge old' };
    const fresh = town.branch('fresh', { 'fresh.txt': 'fresh\n' });
    const lists = [[0, 1]];
    expect(await merge('mr-fresh', fresh, { formerTips, riders: [rider], lists })).toMatchObject({
      leftOut: [{ mergeRequest: 'mr-old', why: 'revives', ...back }],
    });
    expect(await merge('mr-fresh', fresh, { formerTips, riders: [{ ...rider, ...yes }], lists })).toMatchObject({
      made: [{ entries: [{ mergeRequest: 'mr-fresh' }, { mergeRequest: 'mr-old' }] }],
    });
    expect(await merge('mr-old', old, { formerTips, ...yes })).toMatchObject({ result: 'candidate' });
  });
});

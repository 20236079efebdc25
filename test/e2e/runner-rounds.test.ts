import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/api/contract/runner.ts';
import { TestTown } from '../fixtures/runner/town.ts';

type Candidates = Extract<JobResult, { result: 'candidate' }>;

let town: TestTown;
let keys = 0;
beforeEach(async () => {
  town = await TestTown.open();
  await town.start();
});
afterEach(async () => {
  await town.close();
});

const key = (): string => `round-${String((keys += 1))}`;

const ids = ['app-mr0', 'app-mr1', 'app-mr2', 'app-mr3'];
const entry = (head: string, index: number, earlierCandidate: string | null = null) => ({
  mergeRequest: ids[index] ?? '',
  head,
  earlierCandidate,
  message: `Merge ${String(index)}\n`,
});

async function round(
  heads: readonly string[],
  lists: number[][],
  earlier: readonly (string | null)[] = [],
): Promise<Candidates> {
  const [first, ...riders] = heads.map((head, index) => entry(head, index, earlier[index] ?? null));
  if (first === undefined) throw new Error('a round has a leader');
  const job: Job = {
    ...first,
    kind: 'merge',
    key: key(),
    repo: town.repo,
    author: { name: 'Gas Town', email: 'gt@example.com' },
    dateMs: 1_700_000_000_000,
    riders,
    lists,
  };
  const result = await town.job(job);
  if (result.result !== 'candidate') throw new Error(JSON.stringify(result));
  return result;
}
const tipOf = (made: Candidates, list: number): string =>
  made.made?.find((one) => one.list === list)?.entries.at(-1)?.candidate ?? '';
const parents = (sha: string): string[] => town.git(['log', '-1', '--format=%P', sha], town.bare).split(' ');
const files = (sha: string): string[] => town.git(['ls-tree', '--name-only', sha], town.bare).split('\n');

describe('a round of the merge train', () => {
  it('merges its entries onto each other in each list, with a commit of its own for each', async () => {
    const heads = ['one', 'two', 'three'].map((name) => town.branch(name, { [`${name}.txt`]: name }));
    const made = await round(heads, [[0, 1, 2], [0, 2], []]);
    const [all, without, target] = made.made ?? [];
    expect(all?.entries.map(({ mergeRequest }) => mergeRequest)).toEqual(ids.slice(0, 3));
    expect(all?.entries.map(({ candidate }) => parents(candidate))).toEqual([
      [town.targetSha, heads[0]],
      [all?.entries[0]?.candidate, heads[1]],
      [all?.entries[1]?.candidate, heads[2]],
    ]);
    expect(files(tipOf(made, 0))).toEqual(expect.arrayContaining(['one.txt', 'two.txt', 'three.txt']));
    expect(files(tipOf(made, 1))).not.toContain('two.txt');
    // What the lists have in common is the same commit.
    expect(without?.entries[0]).toEqual(all?.entries[0]);
    expect(target).toEqual({ list: 2, entries: [] });
    expect(made.targetTree).toBe(town.git(['rev-parse', `${town.targetSha}^{tree}`], town.bare));
    // Asked again, the same commits; their tips are kept from being collected.
    expect(await round(heads, [[0, 1, 2], [0, 2], []])).toEqual(made);
    const kept = town.git(['for-each-ref', '--format=%(objectname)', 'refs/gt/merging'], town.bare).split('\n');
    expect(kept.toSorted()).toEqual([tipOf(made, 0), tipOf(made, 1)].toSorted());
  });

  it('lands a whole list with one push', async () => {
    const heads = ['one', 'two'].map((name) => town.branch(name, { [`${name}.txt`]: name }));
    const made = await round(heads, [[0, 1]]);
    const candidate = tipOf(made, 0);
    const push = {
      kind: 'push',
      repo: town.repo,
      mergeRequest: ids[0] ?? '',
      candidate,
      expectedOld: made.targetSha,
    } as const;
    expect(await town.job({ ...push, key: key() })).toEqual({ result: 'pushed', targetSha: candidate });
    for (const head of heads) expect(town.git(['merge-base', '--is-ancestor', head, 'main'], town.origin)).toBe('');
    // A rider is found by its own candidate, like one that was merged alone.
    const own = (made.made?.[0]?.entries ?? []).map((one) => one.candidate);
    const third = town.branch('three', { 'three.txt': '3' });
    const again = await round([third, ...heads], [[0, 1, 2]], [null, ...own]);
    expect(again.leftOut).toEqual(own.map((mergeSha, n) => ({ mergeRequest: ids[n + 1], why: 'merged', mergeSha })));
    expect(again.made?.[0]?.entries).toHaveLength(1);
  });

  it('leaves out what conflicts: with the target for good, with one before it until that has landed', async () => {
    const heads = [
      town.branch('one', { 'same.txt': 'one' }),
      town.branch('two', { 'same.txt': 'two' }),
      town.branch('three', { 'a.txt': 'three' }),
      town.branch('four', { 'four.txt': '4' }),
    ];
    town.pushElsewhere({ 'a.txt': 'theirs' });
    const made = await round(heads, [[0, 1, 2, 3]]);
    expect(made.made?.[0]?.entries.map(({ mergeRequest }) => mergeRequest)).toEqual([ids[0], ids[3]]);
    expect(made.leftOut).toEqual([
      { mergeRequest: ids[1], why: 'behind', paths: ['same.txt'] },
      { mergeRequest: ids[2], why: 'conflict', paths: ['a.txt'], message: expect.any(String) },
    ]);
  });
});

/** Squash and rebase: what lands, what is recognised after a lost answer, and what can be taken back, with real git. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Job, JobResult } from '../../src/api/contract/runner.ts';
import { TestTown } from '../fixtures/runner/town.ts';

type MergeJob = Extract<Job, { kind: 'merge' }>;
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

const key = (): string => `style-${String((keys += 1))}`;
const ADA = 'Ada <ada@example.com>';
const BO = 'Bo <bo@example.com>';
const DATE = '2026-01-02T03:04:05+01:00';

class Branch {
  readonly #clone = mkdtempSync(join(town.root, 'work-'));
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    town.git(['clone', '-q', town.origin, this.#clone], town.root);
    town.git(['checkout', '-q', '-b', `gt/${name}`], this.#clone);
  }

  commit(path: string, text: string, author = ADA, message = `Write ${path}`): this {
    writeFileSync(join(this.#clone, path), text);
    this.git('add', '-A');
    this.git('commit', '-q', '-m', message, `--author=${author}`, `--date=${DATE}`);
    return this;
  }

  git(...args: readonly string[]): string {
    return town.git(args, this.#clone);
  }

  push(): string {
    this.git('push', '-q', 'origin', `HEAD:refs/heads/gt/${this.#name}`);
    return this.git('rev-parse', 'HEAD');
  }
}

const entry = (head: string, name: string) => ({
  mergeRequest: `app-mr-${name}`,
  head,
  earlierCandidate: null,
  message: `Title ${name}\n\nWhat was asked for.\n\nGt-Bead: app-${name}\nGt-Merge-Request: app-mr-${name}\n`,
});
const order = (head: string, style: MergeJob['style'], over: Partial<MergeJob> = {}): MergeJob => ({
  ...entry(head, 'one'),
  kind: 'merge',
  key: key(),
  repo: town.repo,
  author: { name: 'Gas Town', email: 'gt@example.com' },
  dateMs: 1_700_000_000_000,
  style,
  ...over,
});
async function candidate(job: MergeJob): Promise<Candidates> {
  const result = await town.job(job);
  if (result.result !== 'candidate') throw new Error(JSON.stringify(result));
  return result;
}
async function landed(job: MergeJob): Promise<string> {
  const made = await candidate(job);
  const { repo, mergeRequest } = job;
  const push = { repo, mergeRequest, candidate: made.candidate, expectedOld: made.targetSha };
  expect(await town.job({ ...push, kind: 'push', key: key() })).toMatchObject({ result: 'pushed' });
  return made.candidate;
}
const show = (sha: string, format: string): string =>
  town.git(['log', '-1', `--format=${format}`, '--date=raw', sha], town.bare);
const since = (from: string, to: string, format: string): string[] =>
  town.git(['log', '--reverse', `--format=${format}`, `${from}..${to}`], town.bare).split('\n');
const treeOf = (sha: string): string => town.git(['rev-parse', `${sha}^{tree}`], town.bare);

describe('squash', () => {
  it('lands one commit with the words of the bead and the names of its authors, and the tree of the merge', async () => {
    const head = new Branch('one').commit('a.txt', 'mine\n').commit('b.txt', 'b\n', BO).push();
    town.pushElsewhere({ 'c.txt': 'theirs' });
    const merged = await candidate(order(head, 'merge'));
    const made = await candidate(order(head, 'squash'));
    expect(show(made.candidate, '%P|%an|%ae|%cn|%ad')).toBe(
      `${made.targetSha}|Ada|ada@example.com|Gas Town|1767319445 +0100`,
    );
    expect(show(made.candidate, '%B')).toBe(
      `Title one\n\nWhat was asked for.\n\nCo-authored-by: ${BO}\nGt-Bead: app-one\nGt-Merge-Request: app-mr-one`,
    );
    expect(made.tree).toBe(merged.tree);
    // The same order makes the same commit, and its ref is there before anything is pushed.
    expect(await candidate(order(head, 'squash'))).toEqual(made);
    expect(town.git(['rev-parse', 'refs/gt/merging/app-mr-one'], town.bare)).toBe(made.candidate);
  });

  it('gives each entry of a list a commit of its own', async () => {
    const heads = ['one', 'two'].map((name) => new Branch(name).commit(`${name}.txt`, name).push());
    const riders = [entry(heads[1] ?? '', 'two')];
    const made = await candidate(order(heads[0] ?? '', 'squash', { riders, lists: [[0, 1]] }));
    const tip = made.made?.[0]?.entries.at(-1)?.candidate ?? '';
    expect(since(made.targetSha, tip, '%s')).toEqual(['Title one', 'Title two']);
    expect(since(made.targetSha, tip, '%P').every((parents) => !parents.includes(' '))).toBe(true);
  });

  it.each(['squash', 'rebase'] as const)(
    'or %s is never done twice: what landed is recognised without its head and without its candidate (T21)',
    async (style) => {
      const head = new Branch('one').commit('a.txt', 'mine\n').commit('b.txt', 'b\n').push();
      const sha = await landed(order(head, style));
      town.pushElsewhere({ 'later.txt': 'later' });
      const known = { result: 'already_merged', mergeSha: sha };
      expect(await town.job(order(head, style, { earlierCandidate: sha }))).toMatchObject(known);
      expect(await town.job(order(head, style))).toMatchObject(known);
    },
  );

  it('is not believed of a commit that only says so', async () => {
    const head = new Branch('one').commit('b.txt', 'b\n').push();
    const liar = new Branch('liar').commit('x.txt', 'x\n', ADA, 'Innocent\n\nGt-Merge-Request: app-mr-one');
    liar.git('push', '-q', 'origin', 'HEAD:main');
    const { candidate: made, targetSha } = await candidate(order(head, 'squash'));
    expect(town.git(['diff', '--name-only', targetSha, made], town.bare)).toBe('b.txt');
  });

  it('tells conflicts as a merge does', async () => {
    const head = new Branch('one').commit('a.txt', 'mine\n').push();
    town.pushElsewhere({ 'a.txt': 'theirs' });
    for (const style of ['squash', 'rebase'] as const)
      expect(await town.job(order(head, style))).toMatchObject({ result: 'conflict', paths: ['a.txt'] });
  });
});

describe('rebase', () => {
  it('lands each commit with its author and its words, and leaves out what the target has', async () => {
    const head = new Branch('one')
      .commit('b.txt', 'b\n')
      .commit('same.txt', 'same')
      .commit('c.txt', 'c\n', BO, 'Write c\n\nBecause.\n\nSigned-off-by: Bo <bo@example.com>')
      .push();
    town.pushElsewhere({ 'same.txt': 'same' });
    const made = await candidate(order(head, 'rebase'));
    expect(since(made.targetSha, made.candidate, '%s|%an|%cn')).toEqual([
      'Write b.txt|Ada|Gas Town',
      'Write c|Bo|Gas Town',
    ]);
    expect(show(made.candidate, '%B')).toBe(
      'Write c\n\nBecause.\n\nSigned-off-by: Bo <bo@example.com>\nGt-Bead: app-one\nGt-Merge-Request: app-mr-one\nGt-Part: 2/2',
    );
    expect(made.tree).toBe((await candidate(order(head, 'merge'))).tree);
    expect(treeOf(made.candidate)).toBe(made.tree);
  });

  it('lands one commit where a merge in the branch resolved a conflict', async () => {
    const branch = new Branch('one').commit('a.txt', 'mine\n');
    town.pushElsewhere({ 'a.txt': 'theirs' });
    branch.git('fetch', '-q', 'origin');
    branch.git('merge', '-q', '-s', 'ours', '--no-commit', 'origin/main');
    const head = branch.commit('a.txt', 'mine and theirs\n', ADA, 'Resolve').push();
    const made = await candidate(order(head, 'rebase'));
    expect(since(made.targetSha, made.candidate, '%s')).toEqual(['Title one']);
    expect(town.git(['show', `${made.candidate}:a.txt`], town.bare)).toBe('mine and theirs');
  });
});

describe('a revert', () => {
  it.each(['squash', 'rebase'] as const)('takes all of it back that landed by %s, and nothing else', async (style) => {
    const before = new Branch('before').commit('b.txt', 'before\n');
    before.git('push', '-q', 'origin', 'HEAD:main');
    const head = new Branch('one').commit('b.txt', 'one\n').commit('c.txt', 'c\n').push();
    const sha = await landed(order(head, style));
    town.pushElsewhere({ 'later.txt': 'later' });
    const revert: Job = {
      kind: 'revert',
      key: key(),
      repo: town.repo,
      bead: 'app-rev01',
      branch: 'gt/app-rev01',
      commits: [sha],
      author: { name: 'Gas Town', email: 'gt@example.com' },
      dateMs: 1_700_000_000_000,
    };
    const result = await town.job(revert);
    if (result.result !== 'reverted') throw new Error(JSON.stringify(result));
    expect(town.git(['show', `${result.head}:b.txt`], town.bare)).toBe('before');
    const files = town.git(['ls-tree', '--name-only', result.head], town.bare).split('\n');
    expect(files).toContain('later.txt');
    expect(files).not.toContain('c.txt');
  });
});

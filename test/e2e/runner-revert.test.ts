/** The job that undoes merges, with real git. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const author = { name: 'Gas Town', email: 'gt@example.com' };
const key = (): string => `revert-${String((keys += 1))}`;

/** Work on a branch, merged through the train as a bead is; answers the merge commit. */
async function merged(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const clone = mkdtempSync(join(town.root, 'work-'));
  town.git(['clone', '-q', town.origin, clone], town.root);
  for (const [path, text] of Object.entries(files)) {
    writeFileSync(join(clone, path), text);
    town.git(['add', '-A'], clone);
    town.git(['commit', '-q', '-m', `${name}: ${path}`], clone);
  }
  town.git(['push', '-q', 'origin', `HEAD:refs/heads/gt/${name}`], clone);
  const common = { repo: town.repo, mergeRequest: 'app-mr001' };
  const candidate = await town.job({
    ...common,
    kind: 'merge',
    key: key(),
    head: town.git(['rev-parse', 'HEAD'], clone),
    earlierCandidate: null,
    message: `Merge gt/${name}\n`,
    author,
    dateMs: 1_700_000_000_000,
  });
  if (candidate.result !== 'candidate') throw new Error(JSON.stringify(candidate));
  const pushed = await town.job({
    ...common,
    kind: 'push',
    key: key(),
    candidate: candidate.candidate,
    expectedOld: candidate.targetSha,
  });
  expect(pushed.result).toBe('pushed');
  return candidate.candidate;
}

/**
 * Two commits in the words of the train, as a feature branch has them, and a host that brings them to the target by rebase or
 * squash; answers the branch's head and the target's commit.
 */
function landedByHost(how: 'rebase' | 'squash', isBehind: boolean): { readonly head: string; readonly sha: string } {
  const at = mkdtempSync(join(town.root, 'host-'));
  const git = (...args: readonly string[]): string => town.git(args, at);
  const commit = (name: string, words = ''): void => {
    writeFileSync(join(at, `${name}.txt`), `${name}\n`);
    git('add', '-A');
    git('commit', '-q', '-m', `${name}${words}`);
  };
  git('clone', '-q', town.origin, '.');
  git('checkout', '-q', '-b', 'gt/hq-cv-1');
  for (const name of ['left', 'right'])
    commit(name, `\n\nGt-Bead: app-${name}\nGt-Merge-Request: app-mr-${name}\nGt-Part: 1/1\n`);
  const head = git('rev-parse', 'HEAD');
  git('push', '-q', 'origin', 'HEAD');
  git('checkout', '-q', 'main');
  if (isBehind) commit('before');
  if (how === 'rebase') {
    git('checkout', '-q', 'gt/hq-cv-1');
    git('rebase', '-q', 'main');
    git('checkout', '-q', '-B', 'main');
  } else {
    git('merge', '-q', '--squash', 'gt/hq-cv-1');
    git('commit', '-q', '-m', 'Land it (#1)');
  }
  const sha = git('rev-parse', 'HEAD');
  commit('later');
  git('push', '-q', 'origin', 'main');
  return { head, sha };
}

const revertJob = (commits: readonly string[], bead = 'app-rev01'): Job => ({
  kind: 'revert',
  key: key(),
  repo: town.repo,
  bead,
  branch: `gt/${bead}`,
  commits: [...commits],
  author,
  dateMs: 1_700_000_000_000,
});
async function made(commits: readonly string[], bead?: string): Promise<string> {
  const result: JobResult = await town.job(revertJob(commits, bead));
  if (result.result !== 'reverted') throw new Error(JSON.stringify(result));
  return result.head;
}
const text = (sha: string, path: string): string => town.git(['show', `${sha}:${path}`]);
const files = (sha: string): string[] => town.git(['ls-tree', '--name-only', sha]).split('\n');

describe('revert', () => {
  it('undoes merges newest first, keeps what came after, and names what it undid', async () => {
    const before = files('main');
    const one = await merged('one', { 'b.txt': 'one\n', 'c.txt': 'one\n' });
    const two = await merged('two', { 'b.txt': 'two\n' });
    const later = town.pushElsewhere({ 'later.txt': 'kept\n' });
    const head = await made([one, two]);
    expect(files(head)).toEqual([...before, 'later.txt'].toSorted());
    expect(town.git(['log', '--format=%s', `${later}..${head}`]).split('\n')).toEqual([
      'Revert "Merge gt/one"',
      'Revert "Merge gt/two"',
    ]);
    expect(town.git(['log', '-1', '--format=%B', head])).toContain(`This undoes ${one}.`);
    expect(town.git(['rev-parse', 'gt/app-rev01'])).toBe(head);
    expect(town.git(['rev-parse', 'main'])).toBe(later);
  });

  it('answers what an earlier run made, though the target moved meanwhile', async () => {
    const one = await merged('one', { 'b.txt': 'one\n' });
    const head = await made([one]);
    town.pushElsewhere({ 'later.txt': 'kept\n' });
    expect(await made([one])).toBe(head);
  });

  it('says that nothing is left of what was undone before', async () => {
    const one = await merged('one', { 'b.txt': 'one\n' });
    await made([one]);
    town.git(['update-ref', 'refs/heads/main', 'gt/app-rev01']);
    expect(await town.job(revertJob([one], 'app-rev02'))).toMatchObject({ result: 'nothing_to_revert' });
    const two = await merged('two', { 'd.txt': 'two\n' });
    const head = await made([one, two], 'app-rev03');
    expect(town.git(['rev-list', '--count', `main..${head}`])).toBe('1');
  });

  it('does not guess: conflicts, rewritten history and work without a merge commit are told', async () => {
    const one = await merged('one', { 'b.txt': 'one\n' });
    const plain = town.pushElsewhere({ 'b.txt': 'theirs\n' });
    expect(await town.job(revertJob([one]))).toMatchObject({
      result: 'conflict',
      paths: ['b.txt'],
      targetSha: plain,
      message: expect.stringContaining('"Merge gt/one"'),
    });
    expect(await town.job(revertJob([plain]))).toMatchObject({ result: 'refused', code: 'not_a_merge' });
    town.git(['update-ref', 'refs/heads/main', `${one}^1`]);
    expect(await town.job(revertJob([one]))).toMatchObject({
      result: 'refused',
      code: 'not_on_target',
      message: expect.stringContaining('its history was rewritten'),
    });
    expect(town.git(['for-each-ref', 'refs/heads/gt/app-rev01'])).toBe('');
  });

  it('takes files with odd names back too', async () => {
    const one = await merged('one', { 'zażółć "x".txt': 'mine\n', 'a.txt': 'mine\n' });
    const was = text(`${one}^1`, 'a.txt');
    const head = await made([one]);
    expect(text(head, 'a.txt')).toBe(was);
    expect(town.git(['diff', '--stat', `${one}^1`, head])).toBe('');
  });

  it.each(['rebase', 'squash'] as const)(
    'takes back all that a code host landed by %s, not its last commit',
    async (how) => {
      const { head, sha } = landedByHost(how, true);
      const landed = [{ sha, mergeRequest: 'app-landing', head }];
      const result = await town.job({ ...revertJob([sha]), landed } as Job);
      if (result.result !== 'reverted') throw new Error(JSON.stringify(result));
      expect(files(result.head)).toEqual(['.gitignore', 'a.txt', 'before.txt', 'later.txt']);
    },
  );

  it('does not guess where work began that a code host put on top without a new commit', async () => {
    const { head, sha } = landedByHost('rebase', false);
    const landed = [{ sha, mergeRequest: 'app-landing', head }];
    const refusal = { result: 'refused', code: 'not_a_merge' };
    expect(await town.job({ ...revertJob([sha]), landed } as Job)).toMatchObject(refusal);
  });
});

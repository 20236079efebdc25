import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { parseDiff, sectionsOf } from '../../src/core/diff.ts';
import { workDiff } from '../../src/runner/git/diff.ts';
import { Repos } from '../../src/runner/git/repos.ts';
import { runnerPaths } from '../../src/runner/paths.ts';
import { TestTown } from '../fixtures/runner/town.ts';

let town: TestTown;
let repos: Repos;
let clone: string;
beforeEach(async () => {
  town = await TestTown.open();
  repos = new Repos({ town: 'town-test', runner: 'local' }, runnerPaths(join(town.root, 'diffs'), town.root));
  clone = mkdtempSync(join(town.root, 'work-'));
  town.git(['clone', '-q', town.origin, clone], town.root);
});
afterEach(async () => {
  await town.close();
});

function commit(files: Readonly<Record<string, string | null>>): string {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) rmSync(join(clone, path));
    else writeFileSync(join(clone, path), text, 'latin1');
  }
  town.git(['add', '-A'], clone);
  town.git(['commit', '-q', '-m', 'work'], clone);
  return town.git(['rev-parse', 'HEAD'], clone);
}
const push = (branch: string): string => town.git(['push', '-q', 'origin', `HEAD:${branch}`], clone);
const ask = (head: string, merged: string | null = null) =>
  workDiff(repos, { repo: town.repo, head, merged, base: null });
const names = (files: readonly { readonly path: string }[]): readonly string[] => files.map((file) => file.path);

describe('what a piece of work changes', () => {
  it('is what it changed since it left the target, whatever others merged meanwhile', async () => {
    town.git(['checkout', '-q', '-b', 'gt/one'], clone);
    const head = commit({ 'one.txt': 'one\n', 'a\tb"c.txt': 'x\n', 'pic.bin': '\u0000\u0001' });
    push('gt/one');
    town.git(['checkout', '-q', 'main'], clone);
    commit({ 'other.txt': 'other\n' });
    push('main');
    const diff = await ask(head);
    expect([diff.head, diff.isCut, diff.more]).toEqual([head, false, 0]);
    expect(names(diff.files)).toEqual(['a\tb"c.txt', 'one.txt', 'pic.bin']);
    expect(diff.files.map((file) => file.added)).toEqual([1, 1, null]);
    const sections = parseDiff(diff.text, diff.isCut);
    expect(sections.map((section) => section.binary)).toEqual([false, false, true]);
    expect(sections[1]?.hunks[0]?.lines).toEqual([{ kind: 'added', old: null, new: 1, text: 'one' }]);
  });

  it('is there after the merge, merged in whatever style, and after its branch is gone', async () => {
    town.git(['checkout', '-q', '-b', 'gt/two'], clone);
    commit({ 'two.txt': 'a\n' });
    const head = commit({ 'two.txt': 'a\nb\n' });
    town.git(['checkout', '-q', 'main'], clone);
    commit({ 'other.txt': 'other\n' });
    town.git(['merge', '-q', '--no-ff', '-m', 'merge', 'gt/two'], clone);
    const merged = town.git(['rev-parse', 'HEAD'], clone);
    push('main');
    expect(names((await ask(head, merged)).files)).toEqual(['two.txt']);

    town.git(['checkout', '-q', '-b', 'gt/three'], clone);
    const lost = commit({ 'three.txt': '3\n' });
    town.git(['checkout', '-q', 'main'], clone);
    town.git(['merge', '-q', '--squash', 'gt/three'], clone);
    town.git(['commit', '-q', '-m', 'squashed'], clone);
    const squashed = town.git(['rev-parse', 'HEAD'], clone);
    push('main');
    const after = await ask(lost, squashed);
    expect([after.head, names(after.files)]).toEqual([squashed, ['three.txt']]);
  });

  it('is bounded, and says that it is cut', async () => {
    town.git(['checkout', '-q', '-b', 'gt/big'], clone);
    const head = commit({ 'a.txt': 'line\n'.repeat(200_000), 'b.txt': 'b\n' });
    push('gt/big');
    const diff = await ask(head);
    expect([diff.isCut, names(diff.files)]).toEqual([true, ['a.txt', 'b.txt']]);
    expect(diff.text.length).toBe(512 * 1024);
    const sections = parseDiff(diff.text, diff.isCut);
    expect(sections.map((section) => section.cut)).toEqual([true]);
  });

  it('counts all files of a change too large to list', async () => {
    const input = (text: string, ...args: readonly string[]): string =>
      execFileSync('git', args, { cwd: clone, input: text, encoding: 'utf8' }).trim();
    const blob = input('x\n', 'hash-object', '-w', '--stdin');
    // Long paths make a list long with few files: five folders in each other.
    const long = 'long'.repeat(50);
    const files = Array.from({ length: 2_500 }, (_, number) => `100644 blob ${blob}\tx${String(number)}\n`);
    let tree = input(files.join(''), 'mktree');
    for (let depth = 0; depth < 5; depth += 1) tree = input(`040000 tree ${tree}\t${long}\n`, 'mktree');
    const head = input('', 'commit-tree', tree, '-p', 'HEAD', '-m', 'many');
    town.git(['push', '-q', 'origin', `${head}:refs/heads/gt/many`], clone);
    const diff = await ask(head);
    // What was there before is removed.
    const before = town.git(['ls-tree', '--name-only', 'HEAD'], clone).split('\n').length;
    expect([diff.files.length, diff.files.length + diff.more]).toEqual([1_000, 2_500 + before]);
  });

  it('shows lines under their own file beside one that became a link', async () => {
    town.git(['checkout', '-q', '-b', 'gt/link'], clone);
    commit({ 'm.txt': 'text\n' });
    push('main');
    rmSync(join(clone, 'm.txt'));
    symlinkSync('a.txt', join(clone, 'm.txt'));
    const head = commit({ 'z.txt': 'last\n' });
    push('gt/link');
    const diff = await ask(head);
    expect(diff.files.map(({ path, status }) => [path, status])).toEqual([
      ['m.txt', 'T'],
      ['z.txt', 'A'],
    ]);
    const sections = sectionsOf(diff.files, diff.text, diff.isCut);
    expect(sections.map((section) => section?.hunks.flatMap(({ lines }) => lines.map(({ text }) => text)))).toEqual([
      ['text', 'a.txt'],
      ['last'],
    ]);
  });

  it('is all commits that landed by a rebase, when their branch is gone', async () => {
    const trailers = (part: string): string => `work\n\nGt-Merge-Request: app-mr1\nGt-Part: ${part}`;
    const landed = (path: string, part: string): string => {
      writeFileSync(join(clone, path), path);
      town.git(['add', '-A'], clone);
      town.git(['commit', '-q', '-m', trailers(part)], clone);
      return town.git(['rev-parse', 'HEAD'], clone);
    };
    landed('first.txt', '1/2');
    const merged = landed('second.txt', '2/2');
    push('main');
    expect(names((await ask('0123456789012345678901234567890123456789', merged)).files)).toEqual([
      'first.txt',
      'second.txt',
    ]);
  });

  it('runs no program that the repository names, and says when a commit is nowhere', async () => {
    town.git(['checkout', '-q', '-b', 'gt/sly'], clone);
    const head = commit({ '.gitattributes': '*.txt diff=sly\n', 'sly.txt': 'x\n' });
    push('gt/sly');
    const mark = join(town.root, 'ran');
    await ask(head);
    const bare = repos.known(town.repo.rig).place.gitDir;
    town.git(['config', 'diff.sly.textconv', `touch ${mark}; cat`], bare);
    town.git(['config', 'diff.sly.command', `touch ${mark}`], bare);
    expect(names((await ask(head)).files)).toEqual(['.gitattributes', 'sly.txt']);
    expect(() => town.git(['hash-object', mark], town.root)).toThrow();
    await expect(ask('0123456789012345678901234567890123456789')).rejects.toMatchObject({ code: 'commit_not_here' });
  });
});

/** What one clean merge asks of git: each process more is paid by every merge of every town. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { JobResult } from '../../src/api/contract/runner.ts';
import { GitTrap } from '../crash/git/wrapper.ts';
import { TestTown } from '../fixtures/runner/town.ts';

const PATH = process.env['PATH'] ?? '';
let town: TestTown;
let trap: GitTrap;
let jobs = 0;

beforeEach(async () => {
  town = await TestTown.open();
  const folder = join(town.root, 'counting');
  mkdirSync(folder);
  trap = new GitTrap(folder);
  process.env['PATH'] = [trap.bin, PATH].join(delimiter);
  await town.start();
});
afterEach(async () => {
  await town.close();
  process.env['PATH'] = PATH;
});

/** A commit on a branch off the target of now, at the origin and, as its agent worked there, in the clone. */
function work(name: string, inClone = true): string {
  const at = mkdtempSync(join(town.root, 'work-'));
  town.git(['clone', '-q', town.origin, at], town.root);
  writeFileSync(join(at, `${name}.txt`), `${name}\n`);
  town.git(['add', '-A'], at);
  town.git(['commit', '-q', '-m', name], at);
  town.git(['push', '-q', 'origin', `HEAD:refs/heads/gt/${name}`], at);
  if (inClone)
    town.git(['fetch', '-q', town.origin, `+refs/heads/gt/${name}:refs/remotes/origin/gt/${name}`], town.bare);
  return town.git(['rev-parse', 'HEAD'], at);
}

/** Asked past the wrapper, which counts. */
const tipOf = (repo: string): string =>
  execFileSync('git', ['rev-parse', 'main'], { cwd: repo, env: { ...process.env, PATH }, encoding: 'utf8' }).trim();

async function merge(name: string, head: string): Promise<Extract<JobResult, { result: 'candidate' }>> {
  const made = await town.job({
    kind: 'merge',
    key: `merge-${name}-${String((jobs += 1))}`,
    repo: town.repo,
    mergeRequest: `app-${name}`,
    head,
    earlierCandidate: null,
    // As the train saw it last: by its own push, or by the merge before.
    formerTips: [tipOf(town.origin)],
    message: `Merge ${name}\n`,
    author: { name: 'Gas Town', email: 'gt@example.com' },
    dateMs: 1_700_000_000_000,
  });
  if (made.result !== 'candidate') throw new Error(JSON.stringify(made));
  return made;
}

const push = (name: string, made: { readonly candidate: string; readonly targetSha: string }): Promise<JobResult> =>
  town.job({
    kind: 'push',
    key: `push-${name}-${String((jobs += 1))}`,
    repo: town.repo,
    mergeRequest: `app-${name}`,
    candidate: made.candidate,
    expectedOld: made.targetSha,
  });

/** Commands of git, without their numbers. */
const commands = (): readonly string[] => trap.commands.map((line) => line.split(' ')[1] ?? '');

it('takes nine git processes, of which three speak with the remote (G6)', async () => {
  // The first one of a rig makes its clone.
  const one = await merge('one', work('one', false));
  const two = work('two');
  await push('one', one);
  trap.arm(null);
  const made = await merge('two', two);
  expect(commands()).toEqual(['fetch', 'cat-file', 'merge-tree', 'commit-tree', 'update-ref']);
  trap.arm(null);
  expect(await push('two', made)).toEqual({ result: 'pushed', targetSha: made.candidate });
  expect(commands()).toEqual(['log', 'push', 'ls-remote', 'update-ref']);
  expect(town.git(['rev-parse', 'refs/remotes/origin/main'], town.bare)).toBe(made.candidate);
  expect(town.git(['log', '-1', '--format=%P', 'main'])).toBe(`${made.targetSha} ${two}`);
});

it('fetches a head, and a candidate, that another runner made', async () => {
  const made = await merge('far', work('far', false));
  // Another runner has neither: its clone is made anew, and the candidate is at the origin only.
  town.git(['push', '-q', town.origin, `${made.candidate}:refs/gt/merging/app-far`], town.bare);
  await town.runner?.stop();
  for (const path of [town.bare, town.bare.replace(/\.git$/, '.own')]) rmSync(path, { recursive: true });
  await town.start();
  expect(await push('far', made)).toEqual({ result: 'pushed', targetSha: made.candidate });
  expect(town.git(['rev-parse', 'main'])).toBe(made.candidate);
});

it('is kept in its own ref, also when an agent made that one point to another', async () => {
  const head = work('led', false);
  await merge('led', head);
  const led = 'refs/heads/led-astray';
  town.git(['update-ref', led, head], town.bare);
  town.git(['symbolic-ref', 'refs/gt/merging/app-led', led], town.bare);
  const made = await merge('led', head);
  expect(town.git(['rev-parse', led], town.bare)).toBe(head);
  expect(town.git(['rev-parse', 'refs/gt/merging/app-led'], town.bare)).toBe(made.candidate);
});

it('is proven by the target itself, and by no other ref of the origin that is called alike', async () => {
  const made = await merge('alike', work('alike', false));
  const [target, other] = [town.targetSha, work('other', false)];
  town.git(['push', '-q', town.origin, `${made.candidate}:refs/aa/refs/heads/main`], town.bare);
  town.git(['update-ref', 'refs/heads/main', other]);
  expect(await push('alike', made)).toEqual({ result: 'lost_race', targetSha: other });
  town.git(['update-ref', 'refs/heads/main', target]);
  expect(await push('alike', made)).toEqual({ result: 'pushed', targetSha: made.candidate });
});

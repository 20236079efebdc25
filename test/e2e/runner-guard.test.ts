import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { RunnerDb } from '../../src/runner/store/db.ts';
import { SaidStore } from '../../src/runner/store/said.ts';
import { TestTown, until } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const repoGit = (args: readonly string[]): string =>
  town.git(['--git-dir', join(town.root, '.gastown/repos/app.git'), ...args], town.root);

it('what an agent configures in the shared clone runs in none of our git commands', async () => {
  await town.start();
  const trap = join(town.root, 'trapped');
  const touch = `sh -c 'echo "$0 $*" >> ${trap}; cat'`;
  const settings = [
    ['filter.evil.clean', touch],
    ['filter.evil.smudge', touch],
    ['filter.evil.process', touch],
    ['merge.evil.driver', `echo driver >> ${trap}; false`],
    ['diff.evil.textconv', touch],
    ['diff.external', touch],
    ['core.fsmonitor', touch],
    ['core.sshCommand', touch],
    ['core.hooksPath', '$PWD/hooks'],
    ['core.attributesFile', '$PWD/attributes'],
    ['core.alternateRefsCommand', touch],
    ['gpg.program', touch],
    ['commit.gpgSign', 'true'],
    ['credential.helper', `!${touch}`],
    [`url.${join(town.root, 'elsewhere')}.insteadOf`, town.origin],
    ['protocol.ext.allow', 'always'],
    ['remote.origin.url', `ext::${touch}`],
    ['include.path', '$PWD/included'],
    ['includeIf.gitdir:/.path', '$PWD/included'],
  ];
  const lines = [
    ...settings.map(([key, value]) => `git config ${String(key)} ${JSON.stringify(value)}`),
    'mkdir -p hooks; printf "#!/bin/sh\\necho hook >> TRAP\\n" > hooks/post-checkout; chmod +x hooks/*'.replace(
      'TRAP',
      trap,
    ),
    `printf '[core]\\n\\tfsmonitor = touch ${trap}\\n[filter "evil"]\\n\\tclean = touch ${trap}\\n' > included`,
    'echo "* filter=evil merge=evil diff=evil" > .gitattributes; cp .gitattributes attributes',
    'echo more >> a.txt; echo new > new.txt',
    `rm -f ${trap}`,
    'echo ready; sleep 60',
  ];
  const start = town.commandRequest(lines.join('\n'));
  await town.post(start);
  await town.printed(start, 'ready');
  expect(existsSync(trap)).toBe(false);
  const stopped = await town.call('POST', '/agents/stop', { attempt: start.attempt, epoch: start.epoch, mode: 'now' });
  const exit = stopped.json.exit;
  expect(exit).toMatchObject({ dirty: true });
  // The rescue holds what the agent wrote, byte by byte, and the worktree was cleaned for the next one.
  expect(repoGit(['show', `${String(exit.rescueRef)}:new.txt`])).toBe('new');
  const next = town.commandRequest('echo again; cat a.txt; sleep 60');
  await town.post(next);
  await town.printed(next, 'again');
  await town.call('POST', '/agents/stop', { attempt: next.attempt, epoch: next.epoch, mode: 'now' });
  const result = await town.job({
    kind: 'merge',
    key: 'merge-1',
    repo: town.repo,
    mergeRequest: 'app-mr001',
    head: String(exit.head),
    earlierCandidate: null,
    message: 'Merge',
    author: { name: 'Gas Town', email: 'gt@example.com' },
    dateMs: 1_700_000_000_000,
  });
  expect(result).toMatchObject({ result: 'already_merged' });
  expect(existsSync(trap) ? readFileSync(trap, 'utf8') : '').toBe('');
});

it('grafts and replaced objects of an agent do not change what is an ancestor', async () => {
  await town.start();
  const start = town.commandRequest(
    [
      'git checkout -q --orphan lone; git commit -q -m lone; lone=$(git rev-parse HEAD)',
      'common=$(git rev-parse --git-common-dir); mkdir -p $common/info; echo "$lone $GT_BASE_SHA" > $common/info/grafts',
      'git replace --graft $lone $GT_BASE_SHA; git checkout -q --detach $lone; echo ready $lone; sleep 60',
    ].join('\n'),
  );
  await town.post(start);
  await town.printed(start, 'ready');
  const lone = /ready ([0-9a-f]{40})/.exec(town.transcript(start))?.[1] ?? '';
  repoGit(['update-ref', 'refs/gt/attempts/app-1/1', lone]);
  const base = town.git(['rev-parse', 'main'], town.origin);
  const verdict = await town.job({
    kind: 'verify',
    key: 'verify-1',
    repo: town.repo,
    ref: 'refs/gt/attempts/app-1/1',
    claimedHead: lone,
    base,
  });
  expect(verdict).toMatchObject({ result: 'refused', code: 'not_descendant' });
});

it('stores the work of a living agent from time to time, and makes no commit when nothing changed', async () => {
  await town.start({ saveMs: 100 });
  const start = town.commandRequest('echo one > made.txt; echo ready; while :; do sleep 0.05; echo tick; done');
  await town.post(start);
  await town.printed(start, 'ready');
  const ref = `refs/gt/rescue/${start.sourceBead}/${start.attempt}`;
  const saved = (): string => {
    try {
      return repoGit(['rev-parse', '--verify', '-q', ref]);
    } catch {
      return '';
    }
  };
  await until(() => saved() !== '', 'the first rescue');
  expect(repoGit(['show', `${ref}:made.txt`])).toBe('one');
  const first = saved();
  await new Promise((resolve) => {
    setTimeout(resolve, 600);
  });
  expect(saved()).toBe(first);
  expect(repoGit(['for-each-ref', 'refs/stash'])).toBe('');
});

it('gates nobody waits for any more are ended with all they started, and tell no result', async () => {
  await town.start();
  const mark = join(town.root, 'gate-runs');
  const base = town.git(['rev-parse', 'main'], town.origin);
  const gates = (key: string, run: string): Promise<{ json: unknown }> =>
    town.call('POST', '/jobs', {
      kind: 'gates',
      key,
      repo: town.repo,
      commit: base,
      gates: [{ name: 'slow', run, timeoutMs: 600_000 }],
    });
  await gates('gates-1', `echo $$ > ${mark}; sleep 600 & sleep 600`);
  await until(() => existsSync(mark), 'the gate runs');
  const health = async (): Promise<number> => Number((await town.call('GET', '/health')).json.jobsRunning);
  expect(await health()).toBe(1);
  expect((await town.call('POST', '/jobs/cancel', { key: 'gates-1' })).json).toEqual({ state: 'cancelled' });
  await until(async () => (await health()) === 0, 'the slot is free');
  expect((await town.call('POST', '/jobs/cancel', { key: 'gates-1' })).json).toEqual({ state: 'idle' });
  expect(town.brain.recorded.filter((fact) => fact.type === 'job_finished')).toEqual([]);
  // The same job may be ordered again and then has a result.
  writeFileSync(mark, '');
  await gates('gates-1', 'true');
  await until(() => town.brain.recorded.some((fact) => fact.type === 'job_finished'), 'its result');
});

it('keys of words that were said outlive the runner', () => {
  const file = join(town.root, 'said.db');
  const before = new RunnerDb(file);
  new SaidStore(before).add('at-1', 'k1');
  before.close();
  const after = new RunnerDb(file);
  expect(new SaidStore(after).has('at-1', 'k1')).toBe(true);
  expect(new SaidStore(after).has('at-1', 'k2')).toBe(false);
  after.close();
});

it('output can be waited for, and ends with the attempt', async () => {
  await town.start();
  const start = town.commandRequest('echo first; sleep 0.4; echo second');
  await town.post(start);
  await town.printed(start, 'first');
  const page = async (from: number): Promise<{ text: string; next: number }> => {
    const answer = await town.call('GET', `/agents/${start.attempt}/transcript?from=${String(from)}&waitMs=8000`);
    return { text: answer.text, next: Number(answer.headers['x-next-offset']) };
  };
  const first = await page(0);
  const second = await page(first.next);
  expect(second.text).toBe('second\n');
  const stream = await town.call('GET', `/agents/${start.attempt}/stream?from=${String(first.next)}`);
  expect(stream.text).toContain(`event: output\nid: ${String(second.next)}\ndata: "second\\n"`);
  expect(stream.text.trimEnd()).toMatch(/event: end\nid: \d+\ndata: ""$/);
});

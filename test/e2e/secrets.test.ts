/** Nothing that looks like a key is pushed: real commits, real refs, a real origin. */
import { afterEach, beforeEach, expect, it } from 'vitest';

import { TestTown, until } from '../fixtures/runner/town.ts';

/** Made of pieces, so that nobody finds a key in this file. */
const KEY = ['ghp', 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6'].join('_');
const FRAME = ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' ');

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const author = { name: 'refinery', email: 'o@example.com' };
const reply = (text: string): { code: string; message: string } => JSON.parse(text.slice(text.indexOf('{'))).error;

it('an agent that commits a key is told where, never what, and can mend it; a later removal is not enough', async () => {
  await town.start();
  const start = town.commandRequest(
    [
      `printf 'a\nb\ntoken = "%s"\n' ${KEY} > conf.ini; echo x >> a.txt; git add -A; git commit -qm one`,
      'gt done --summary ok --json; git rm -q conf.ini; git commit -qm two; gt done --summary ok --json',
      'git reset -q --soft "$GT_BASE_SHA"; git commit -qm clean; gt done --summary ok --json',
    ].join('\n'),
  );
  await town.post(start);
  const done = await town.fact('agent_done', start);
  const { exit } = await town.fact('agent_exited', start);
  const said = town.transcript(start);
  expect(exit.cause).toBe('exited');
  const refusals = said.split('\n').filter((line) => line.includes('secret_found'));
  expect(refusals).toHaveLength(2);
  expect(reply(refusals[0] ?? '')).toMatchObject({
    code: 'secret_found',
    message: expect.stringMatching(
      /^What looks like a key was added: conf\.ini:3 \(github-token, commit [0-9a-f]{12}, mark [0-9a-f]{12}\)\./,
    ),
  });
  expect(said).not.toContain(KEY);
  expect(town.git(['log', '--format=%s', `${town.targetSha}..${done.head}`], town.bare)).toBe('clean');
  expect(town.brain.recorded.filter((fact) => fact.type === 'agent_done')).toHaveLength(1);
});

it('is searched for again when a claim is verified, and before the target is pushed; the settings may allow it', async () => {
  await town.start();
  await town.job({ kind: 'repo', key: 'repo:1', repo: town.repo });
  const base = town.targetSha;
  const clone = town.path('clone');
  const git = (...args: readonly string[]): string => town.git(args, clone);
  town.git(['clone', '-q', town.origin, clone], town.root);
  town.write(clone, 'keys/a.pem', `${FRAME}\n`);
  git('add', '-A');
  git('commit', '-qm', 'with a key');
  const head = git('rev-parse', 'HEAD');
  town.git(['fetch', '-q', clone, `${head}:refs/gt/attempts/app-1/1`], town.bare);
  const verify = (key: string, secretsAllowed?: string[] | null) =>
    town.job({
      kind: 'verify',
      key,
      repo: { ...town.repo, secretsAllowed },
      ref: 'refs/gt/attempts/app-1/1',
      claimedHead: head,
      base,
    });
  const refused = await verify('verify:1');
  expect(refused).toMatchObject({
    result: 'refused',
    code: 'secret_found',
    message: expect.stringContaining('keys/a.pem:1 (private-key'),
  });
  const mark = /mark ([0-9a-f]{12})/.exec(refused.result === 'refused' ? refused.message : '')?.[1] ?? '';
  for (const [index, allowed] of [['keys/'], [mark], ['rule:private-key'], null].entries())
    expect((await verify(`verify:2:${String(index)}`, allowed)).result).toBe('verified');

  const merged = await town.job({
    kind: 'merge',
    key: 'merge:1',
    repo: town.repo,
    mergeRequest: 'app-mr',
    head,
    earlierCandidate: null,
    message: 'm',
    author,
    dateMs: 1_700_000_000_000,
  });
  if (merged.result !== 'candidate') throw new Error(JSON.stringify(merged));
  const push = (key: string, secretsAllowed: string[]) =>
    town.job({
      kind: 'push',
      key,
      repo: { ...town.repo, secretsAllowed },
      mergeRequest: 'app-mr',
      candidate: merged.candidate,
      expectedOld: base,
    });
  expect(await push('push:1', [])).toMatchObject({ result: 'refused', code: 'secret_found' });
  expect(town.targetSha).toBe(base);
  expect(await push('push:2', ['keys/a.pem'])).toMatchObject({ result: 'pushed' });
});

it('stays on its machine: what is rescued with a key in it is not shared with other runners', async () => {
  await town.start();
  const repo = { ...town.repo, shared: true };
  const clean = town.commandRequest('echo fine > f.txt; exit 3', { repo });
  const leaky = town.commandRequest(`echo ${KEY} > .env; exit 3`, { repo });
  for (const start of [clean, leaky]) await town.post(start);
  const kept = await town.fact('agent_exited', leaky);
  expect(town.git(['show', `${kept.exit.rescueRef ?? ''}:.env`], town.bare)).toBe(KEY);
  await town.fact('agent_exited', clean);
  const shared = (): string => town.git(['for-each-ref', '--format=%(refname)', 'refs/gt/rescue']);
  await until(() => shared().includes(clean.attempt), 'the clean one is on the origin');
  await until(() => town.unpushed() === 0, 'nothing waits');
  expect(shared()).not.toContain(leaky.attempt);
});

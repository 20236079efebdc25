import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { StartAgent } from '../../src/api/contract/runner.ts';
import { TestTown, until } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const ALIVE = 'echo ready; while :; do sleep 0.05; done';
const worktrees = (): string => join(town.root, '.gastown', 'worktrees', 'app');

async function alive(command: string, part: Partial<StartAgent> = {}): Promise<StartAgent> {
  const start = town.commandRequest(`${command}\n${ALIVE}`, part);
  await town.post(start);
  await town.printed(start, 'ready');
  await town.fact('agent_started', start);
  return start;
}
/** What the rescue of an attempt holds at a path. */
const rescued = (ref: string | null | undefined, path: string): string =>
  town.git(['show', `${ref ?? 'none'}:${path}`], town.bare);

describe('kill -9 of the runner', () => {
  it('sweeps its agents, rescues their work and reports each exactly once', async () => {
    await town.spawnRunner();
    const first = (await town.health()).instance;
    const plain = await alive('echo changed > a.txt');
    const background = await alive('sleep 300 & echo new > new.txt');
    const daemonised = await alive(
      'setsid sh -c "sleep 301" </dev/null >/dev/null 2>&1 & echo y > y.txt; git add y.txt; git commit -qm y',
    );
    const stranger = spawn('sleep', ['302'], { env: { ...process.env, GT_TOWN: 'another-town', GT_ATTEMPT: 'at-x' } });
    await town.killRunner();
    expect(town.alive().length).toBeGreaterThan(0);
    await town.spawnRunner();
    expect(town.alive()).toEqual([]);
    expect(stranger.exitCode === null && stranger.signalCode === null).toBe(true);
    stranger.kill();
    expect((await town.health()).instance).not.toBe(first);
    const exits = [];
    for (const start of [plain, background, daemonised]) exits.push((await town.fact('agent_exited', start)).exit);
    expect(exits.map((exit) => exit.cause)).toEqual(['runner_lost', 'runner_lost', 'runner_lost']);
    expect(exits.map((exit) => exit.ahead)).toEqual([0, 0, 1]);
    expect(rescued(exits[0]?.rescueRef, 'a.txt')).toBe('changed');
    expect(rescued(exits[1]?.rescueRef, 'new.txt')).toBe('new');
    expect(rescued(exits[2]?.rescueRef, 'y.txt')).toBe('y');
    expect(exits[0]?.lastLine).toBe('ready');
    await town.killRunner();
    await town.spawnRunner();
    await town.health();
    for (const start of [plain, background, daemonised]) {
      expect(town.brain.deliveries.filter((key) => key === `exited:${start.attempt}`)).toHaveLength(1);
      expect((await town.report(start)).state).toBe('exited');
    }
    const next = await alive('cat a.txt', { bead: plain.bead, sourceBead: plain.bead });
    expect(town.transcript(next)).toContain('one');
  });

  it('keeps a done intent whose call was lost, and facts the brain never got', async () => {
    await town.spawnRunner();
    const start = await alive(
      `echo x > x; git add x; git commit -qm x; echo '{"summary":"s","at":1}' > "$GT_STATE_DIR/done.json"`,
    );
    await town.brain.close();
    await town.killRunner();
    await town.spawnRunner();
    await town.killRunner();
    await town.spawnRunner();
    await town.brain.listen();
    await town.health();
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ doneIntent: true, cause: 'runner_lost' });
    expect(town.brain.keys(start.attempt)).toEqual([
      `started:${start.attempt}`,
      `done:${start.attempt}:1`,
      `exited:${start.attempt}`,
    ]);
  });

  it('during a start leaves no process, and a stopped attempt stays stopped', async () => {
    town.brain.confirmAnswer = 'silent';
    await town.spawnRunner();
    const start = town.commandRequest('sleep 100');
    await town.post(start);
    await until(() => town.brain.confirms.length > 0, 'asked');
    await town.killRunner();
    town.brain.confirmAnswer = true;
    await town.spawnRunner();
    expect((await town.fact('agent_exited', start)).exit).toMatchObject({ cause: 'runner_lost', startedAtMs: null });
    const stopped = await alive('true');
    await town.stop(stopped);
    await town.killRunner();
    await town.spawnRunner();
    expect((await town.post(stopped)).json).toMatchObject({ error: { code: 'stopped' } });
  });

  it('during gates ends what they started; the job runs again', async () => {
    await town.spawnRunner();
    const gates = [
      {
        name: 'slow',
        run: 'setsid sleep 300 & echo $$ > /dev/null; test -f "$HOME/../nowhere" || sleep 0.5; kill %1 2>/dev/null; true',
        timeoutMs: 60_000,
      },
    ];
    const job = { kind: 'gates', key: 'g1', repo: town.repo, commit: town.targetSha, gates } as const;
    expect((await town.call('POST', '/jobs', job)).json).toEqual({ state: 'accepted' });
    await until(() => town.alive().length >= 2, 'gate runs');
    await town.killRunner();
    await town.spawnRunner();
    expect(town.alive()).toEqual([]);
    expect(await town.job(job)).toMatchObject({ result: 'gates', green: true });
  });
});

describe('SIGTERM of the runner', () => {
  it('ends agents in order, rescues and reports', async () => {
    const child = await town.spawnRunner();
    const start = await alive('echo changed > a.txt');
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await gone).toBe(0);
    expect(town.alive()).toEqual([]);
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'runner_lost', dirty: true });
    expect(rescued(exit.rescueRef, 'a.txt')).toBe('changed');
  });

  it('closes the watch', async () => {
    const child = await town.spawnRunner();
    const watch = town.call('GET', '/health/watch').catch((error: unknown) => error);
    child.kill('SIGTERM');
    expect(await watch).toBeInstanceOf(Error);
  });
});

describe('rescue', () => {
  it('keeps tracked, untracked, staged, stashed and left-behind work in one ref (T16, R8)', async () => {
    await town.start();
    const start = await alive(
      [
        'echo stash > s.txt; git add s.txt; git stash -q',
        'echo gone > gone.txt; git add gone.txt; git commit -qm gone; git reset -q --hard "$GT_BASE_SHA"',
        'echo kept > kept.txt; git add kept.txt; git commit -qm kept',
        'echo tracked > a.txt; echo staged > staged.txt; git add staged.txt; mkdir -p "d e"; echo untracked > "d e/u.txt"; mkdir ignored; touch ignored/x',
        'mkdir nested; cd nested; git init -q; echo inner > inner.txt; git add -A; git commit -qm inner; cd ..',
      ].join('\n'),
    );
    const { exit } = await town.stop(start);
    expect(exit).toMatchObject({ dirty: true, ahead: 1, rescueRef: `refs/gt/rescue/${start.bead}/${start.attempt}` });
    const files = town
      .git(['ls-tree', '-r', '-z', '--name-only', exit?.rescueRef ?? ''], town.bare)
      .split('\0')
      .filter((name) => name !== '');
    expect(files).toEqual(['.gitignore', 'a.txt', 'd e/u.txt', 'kept.txt', 'nested/inner.txt', 'staged.txt']);
    expect(rescued(exit?.rescueRef, 'a.txt')).toBe('tracked');
    const parents = town.git(['log', '-1', '--format=%P', exit?.rescueRef ?? ''], town.bare).split(' ');
    expect(parents[0]).toBe(exit?.head);
    expect(parents).toHaveLength(3);
    const subjects = parents.map((sha) => town.git(['log', '-1', '--format=%s', sha], town.bare)).join('; ');
    expect(subjects).toMatch(/kept; WIP on .*; gone/);
    expect(town.git(['for-each-ref', 'refs/stash'], town.bare)).toBe('');
    expect(town.git(['branch', '--list'], town.bare)).toBe('');
  });

  it('makes no ref when there is nothing to keep', async () => {
    await town.start();
    const start = await alive('mkdir ignored; touch ignored/x');
    expect((await town.stop(start)).exit).toMatchObject({ rescueRef: null, dirty: false, ahead: 0 });
  });

  it('gives uncommitted work back to a runtime that continues', async () => {
    await town.start();
    const first = await alive(
      'echo c > c.txt; git add c.txt; git commit -qm c; echo more >> a.txt; echo u > u.txt; rm -f .gitignore',
    );
    const exit = (await town.stop(first)).exit;
    const next = await alive('git status --porcelain; cat a.txt u.txt', {
      bead: first.bead,
      sourceBead: first.bead,
      fixedHead: exit?.head ?? null,
      restoreFrom: exit?.rescueRef ?? null,
    });
    expect(town.transcript(next)).toContain(' D .gitignore\n M a.txt\n?? u.txt\none\nmore\nu\n');
    const script = town.startRequest({
      script: 'test ! -f u.txt; echo fresh >> a.txt',
      bead: first.bead,
      sourceBead: first.bead,
      restoreFrom: exit?.rescueRef ?? null,
    });
    await town.stop(next);
    await town.post(script);
    const done = await town.fact('agent_done', script);
    expect(town.git(['show', `${done.head}:a.txt`], town.bare)).toBe('one\nfresh');
  });
});

describe('worktrees', () => {
  it('heal: directory without registration, registration without directory, stale locks, half made (T19)', async () => {
    await town.start();
    await town.job({ kind: 'repo', key: 'r', repo: town.repo });
    const one = await alive('echo 1 > f; git add f; git commit -qm 1');
    await town.stop(one);
    await until(() => existsSync(join(worktrees(), 'w3')), 'spares');
    await town.runner?.stop();
    // w1: directory gone, registration locked. w2: stale locks. w3: registration gone. w4: unknown directory.
    rmSync(join(worktrees(), 'w1'), { recursive: true });
    writeFileSync(join(town.bare, 'worktrees', 'w1', 'locked'), 'initializing');
    writeFileSync(join(town.bare, 'worktrees', 'w2', 'index.lock'), '');
    writeFileSync(join(town.bare, 'worktrees', 'w2', 'HEAD.lock'), '');
    rmSync(join(town.bare, 'worktrees', 'w3'), { recursive: true });
    mkdirSync(join(worktrees(), 'w4'));
    writeFileSync(join(worktrees(), 'w4', 'mine.txt'), 'somebody');
    writeFileSync(join(town.bare, 'packed-refs.lock'), '');
    mkdirSync(join(town.root, '.gastown', 'repos', '.making-app-1'));
    await town.start();
    const starts = [];
    for (let index = 0; index < 5; index += 1)
      starts.push(
        await alive(
          `cat a.txt; pwd; git status --porcelain; echo ${String(index)} > f; git add f; git commit -qm ${String(index)}`,
        ),
      );
    for (const start of starts) expect((await town.stop(start)).exit).toMatchObject({ ahead: 1 });
    expect(existsSync(join(town.root, '.gastown', 'repos', '.making-app-1'))).toBe(false);
    expect(readFileSync(join(worktrees(), 'w4', 'mine.txt'), 'utf8')).toBe('somebody');
    town.git(['fsck', '--no-dangling'], town.bare);
  });

  it('deleted under a live agent: git refuses, nothing is committed elsewhere, commits are kept (T17)', async () => {
    await town.start();
    town.git(['init', '-q', town.root], town.root);
    const start = town.commandRequest(
      `echo f > f; git add f; git commit -qm f; d="$PWD"; cd ..; rm -rf "$d"; mkdir "$d"; cd "$d"; echo g > g; git add g && echo WRONG; echo ready; while :; do sleep 0.05; done`,
    );
    await town.post(start);
    await town.printed(start, 'ready');
    expect(town.transcript(start)).not.toContain('WRONG');
    expect((await town.call('POST', '/agent/done', {}, start.capability)).json).toMatchObject({
      error: { code: 'worktree_gone' },
    });
    const { exit } = await town.stop(start);
    expect(exit).toMatchObject({ ahead: 1, dirty: false });
    expect(rescued(exit?.rescueRef, 'f')).toBe('f');
    expect(town.git(['ls-files'], town.root)).toBe('');
    await alive('cat a.txt');
  });
});

import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { marked } from '../../src/runner/process/sweep.ts';
import { sleep, TestTown, until } from '../fixtures/runner/town.ts';

let town: TestTown;
beforeEach(async () => {
  town = await TestTown.open();
});
afterEach(async () => {
  await town.close();
});

const MAIN = join(import.meta.dirname, '../../src/runner/main.ts');
const live = (attempt: string): number => marked({ town: town.id, attempt }).length;

describe('starts', () => {
  it('make one process when they come twice at once', async () => {
    await town.start();
    const start = town.commandRequest('echo up; exec sleep 100');
    const answers = await Promise.all([town.post(start), town.post(start), town.post(start)]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    await town.printed(start, 'up');
    await sleep(100);
    expect(live(start.attempt)).toBe(1);
    expect(town.brain.recorded.filter((fact) => fact.type === 'agent_started')).toHaveLength(1);
    expect((await town.report(start)).state).toBe('running');
  });

  it('are refused for a stale epoch and for a busy agent or bead', async () => {
    await town.start();
    const start = town.commandRequest('exec sleep 100', { epoch: 10 });
    await town.post(start);
    await town.fact('agent_started', start);
    const older = town.commandRequest('true', { bead: start.bead, sourceBead: start.bead, epoch: 9 });
    expect(await town.post(older)).toMatchObject({ status: 409, json: { error: { code: 'stale_epoch' } } });
    const sameAgent = town.commandRequest('true', { agent: start.agent, epoch: 11 });
    expect(await town.post(sameAgent)).toMatchObject({ status: 409, json: { error: { code: 'busy' } } });
    const rework = town.commandRequest('true', { sourceBead: start.bead, kind: 'rework', epoch: 12 });
    expect(await town.post(rework)).toMatchObject({ status: 409, json: { error: { code: 'busy' } } });
    expect((await town.stop(start)).state).toBe('gone');
    expect((await town.post({ ...rework, env: { GT_COMMAND: 'echo next' } })).status).toBe(200);
    await town.fact('agent_exited', rework);
  });

  it('of an attempt the rig no longer wants make no process', async () => {
    town.brain.confirmAnswer = false;
    await town.start();
    const start = town.commandRequest('touch "$GT_STATE_DIR/ran"');
    await town.post(start);
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'refused', startedAtMs: null, rescueRef: null });
    expect(town.brain.recorded.some((fact) => fact.type === 'agent_started')).toBe(false);
  });

  it('wait for the brain until the start deadline and not longer', async () => {
    town.brain.confirmAnswer = 'silent';
    await town.start();
    const start = town.commandRequest('true', { startDeadlineMs: Date.now() + 4_000 });
    await town.post(start);
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'spawn_failed' });
    expect(exit.lastLine).toContain('start deadline');
    expect(town.brain.confirms.length).toBeGreaterThan(1);
  });

  it('say clearly why nothing could be started', async () => {
    await town.start();
    const unknown = town.startRequest({ runtime: 'nobody' });
    const nowhere = town.startRequest({
      script: 'true',
      repo: { ...town.repo, rig: 'other', url: '/does/not/exist' },
      rig: 'other',
    });
    const option = town.startRequest({ script: 'true', repo: { ...town.repo, url: '--upload-pack=touch /tmp/x' } });
    const escape = town.startRequest({ script: 'true', rig: '../x' });
    await town.post(unknown);
    expect((await town.fact('agent_exited', unknown)).exit).toMatchObject({
      cause: 'spawn_failed',
      lastLine: expect.stringContaining('Use one of: script'),
    });
    await town.post(nowhere);
    expect((await town.fact('agent_exited', nowhere)).exit.lastLine).toContain('/does/not/exist');
    expect((await town.post(option)).json).toMatchObject({ error: { code: 'bad_url' } });
    expect((await town.post(escape)).json).toMatchObject({ error: { code: 'bad_name' } });
  });
});

describe('failed starts', () => {
  it('say what failed: the program, the repository or the machine (T11)', async () => {
    await town.start();
    const ended = async (start: ReturnType<TestTown['startRequest']>): Promise<unknown> => {
      await town.post(start);
      const { exit } = await town.fact('agent_exited', start);
      return [exit.cause, exit.exitCode, exit.failed];
    };
    expect(await ended(town.startRequest({ runtime: 'nobody' }))).toEqual(['spawn_failed', null, 'program']);
    expect(await ended(town.commandRequest('no-such-agent --print'))).toEqual(['exited', 127, 'program']);
    // Work was done: what is missing is something that the agent called.
    expect(await ended(town.commandRequest('echo x > made; no-such-tool'))).toEqual(['exited', 127, undefined]);
    const nowhere = { ...town.repo, rig: 'other', url: '/does/not/exist' };
    expect(await ended(town.startRequest({ script: 'true', repo: nowhere, rig: 'other' }))).toEqual([
      'spawn_failed',
      null,
      'machine',
    ]);
    renameSync(town.repo.url, `${town.repo.url}.away`);
    expect(await ended(town.commandRequest('true'))).toEqual(['spawn_failed', null, 'repository']);
  });
});

describe('stops', () => {
  it('during the start win', async () => {
    town.brain.confirmAnswer = 'silent';
    await town.start();
    const start = town.commandRequest('sleep 100');
    await town.post(start);
    await until(() => town.brain.confirms.length > 0, 'asked');
    expect(await town.stop(start)).toMatchObject({ state: 'gone', exit: { cause: 'stopped', startedAtMs: null } });
    town.brain.confirmAnswer = true;
    await sleep(200);
    expect(live(start.attempt)).toBe(0);
    expect(await town.post(start)).toMatchObject({ status: 409, json: { error: { code: 'stopped' } } });
  });

  it('of an attempt never heard of leave a tombstone', async () => {
    await town.start();
    const start = town.commandRequest('sleep 100');
    expect(await town.stop(start)).toEqual({ state: 'gone', exit: null });
    expect((await town.post(start)).json).toMatchObject({ error: { code: 'stopped' } });
    expect(await town.report(start)).toMatchObject({ state: 'unknown' });
  });

  it('end a process that ignores SIGTERM, and its daemonised children', async () => {
    await town.start({ stopAnswerMs: 100 });
    const start = town.commandRequest(
      `trap '' TERM; setsid sleep 300 & sleep 301 & echo up; while :; do sleep 1; done`,
    );
    await town.post(start);
    await town.printed(start, 'up');
    await until(() => live(start.attempt) >= 3, 'three processes');
    expect((await town.stop(start)).state).toBe('stopping');
    const { exit } = await town.fact('agent_exited', start);
    expect(exit).toMatchObject({ cause: 'stopped', signal: 'SIGKILL' });
    expect(live(start.attempt)).toBe(0);
    expect(await town.stop(start)).toMatchObject({ state: 'gone', exit: { cause: 'stopped' } });
  });

  it('let a process end by itself within the grace', async () => {
    await town.start();
    const start = town.commandRequest(`trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done`);
    await town.post(start);
    await town.printed(start, 'up');
    expect(await town.stop(start)).toMatchObject({
      state: 'gone',
      exit: { cause: 'stopped', exitCode: 3, lastLine: 'bye' },
    });
  });

  it('come by themselves at the wall clock limit', async () => {
    await town.start();
    const start = town.commandRequest('sleep 100', { wallClockMs: 200 });
    await town.post(start);
    expect((await town.fact('agent_exited', start)).exit.cause).toBe('wall_clock');
  });
});

describe('the environment of an agent', () => {
  it('holds what it needs and no secret', async () => {
    process.env['SOME_API_KEY'] = 'very-secret';
    await town.start();
    const start = town.commandRequest('cat; cat "$GT_PROMPT_FILE"; env; exit 4', {
      prompt: 'the prompt\n',
      env: { GT_COMMAND: 'cat; cat "$GT_PROMPT_FILE"; env; exit 4', EXTRA: 'yes', GT_TOWN: 'x', LD_PRELOAD: 'y' },
    });
    await town.post(start);
    const { exit } = await town.fact('agent_exited', start);
    delete process.env['SOME_API_KEY'];
    expect(exit.exitCode).toBe(4);
    const text = town.transcript(start);
    expect(text.startsWith('the prompt\nthe prompt\n')).toBe(true);
    for (const entry of [
      `GT_TOWN=${town.id}`,
      `GT_ATTEMPT=${start.attempt}`,
      `GT_TARGET_SHA=${town.targetSha}`,
      `GT_TOKEN=${start.capability}`,
      'EXTRA=yes',
      'GT_KIND=task',
      'GT_ROUND=0',
    ]) {
      expect(text).toContain(`\n${entry}\n`);
    }
    expect(text).toMatch(/\nPATH=[^:]*:/);
    for (const secret of ['very-secret', 'runner-secret', 'brain-secret', 'owner-secret', 'LD_PRELOAD'])
      expect(text).not.toContain(secret);
  });
});

describe('a second runner', () => {
  it('is refused while the first lives and harms nothing', async () => {
    await town.spawnRunner();
    const start = town.commandRequest('echo up; sleep 100');
    await town.post(start);
    await town.printed(start, 'up');
    let failure: { status?: number; stderr?: string } = {};
    try {
      execFileSync(process.execPath, [MAIN, '--town', town.root], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      failure = error as typeof failure;
    }
    expect(failure.status).toBe(75);
    expect(failure.stderr?.trim().split('\n')).toHaveLength(1);
    expect(failure.stderr).toContain('Another runner already serves this town');
    expect((await town.report(start)).state).toBe('running');
    expect(readFileSync(join(town.root, '.gastown', 'runner.pid'), 'utf8').trim()).toBe(String(town.child?.pid));
  });
});

describe('the protocol', () => {
  it('refuses calls without the right secret, and malformed ones', async () => {
    await town.start();
    expect((await town.call('GET', '/health', undefined, null)).status).toBe(401);
    expect((await town.call('GET', '/health', undefined, 'wrong')).json).toMatchObject({
      error: { code: 'bad_token', next: expect.any(String) },
    });
    expect((await town.call('POST', '/agents', { attempt: 1 })).json).toMatchObject({
      error: { code: 'bad_request', field: 'attempt' },
    });
    expect((await town.call('POST', '/jobs', { kind: 'format_disk', key: 'x' })).status).toBe(400);
    expect((await town.call('GET', '/nothing')).status).toBe(404);
    expect((await town.call('POST', '/agents/stop', { text: 'x'.repeat(1_100_000) })).json).toMatchObject({
      error: { code: 'body_too_large' },
    });
    expect((await town.call('GET', '/agents/..%2F..%2Frunner/transcript')).status).toBe(400);
    expect(await town.health()).toMatchObject({
      instance: town.runner?.instance,
      town: town.id,
      draining: false,
      live: [],
    });
  });

  it('takes no new agents when it drains', async () => {
    await town.start();
    expect((await town.call('POST', '/drain', {})).json).toMatchObject({ draining: true });
    expect((await town.post(town.commandRequest('true'))).json).toMatchObject({ error: { code: 'draining' } });
  });

  it('pages transcripts by bytes', async () => {
    await town.start();
    const start = town.commandRequest('printf "żółw\\nend\\n"; exit 1');
    await town.post(start);
    await town.fact('agent_exited', start);
    const first = await town.call('GET', `/agents/${start.attempt}/transcript?from=0`);
    expect(first.text).toBe('żółw\nend\n');
    const next = String(first.headers['x-next-offset']);
    expect(next).toBe(String(Buffer.byteLength(first.text)));
    expect((await town.call('GET', `/agents/${start.attempt}/transcript?from=${next}`)).text).toBe('');
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import type { RunnerItem, RunnerTokenItem } from '../../src/api/contract/runners.ts';
import { callTown, git, gtDaemon, makeTown, type RealTown, startDaemonProcess } from '../support/real-town.ts';
import { marked } from '../../src/runner/process/sweep.ts';
import { until } from '../fixtures/runner/town.ts';

const GT_MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
/** Waits for a file that the test writes, so that the test can kill a runner in the middle of its work. */
const AGENT = `set -e
test -e "started-$GT_BEAD" || { date > "started-$GT_BEAD"; git add -A; git commit -q -m "begun by $GT_RUNNER"; }
echo "at $GT_RUNNER" >> ran.txt
while [ ! -e "$GO/go" ]; do sleep 0.1; done
date > "done-$GT_BEAD"; git add -A; git commit -q -m "ended by $GT_RUNNER"
"$GT_BIN" done --summary made`;

let folder: string;
let real: RealTown;
let children: ChildProcess[] = [];
let stopDaemon: () => Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gt-runners-'));
  const script = join(folder, 'agent.sh');
  const bin = join(import.meta.dirname, '..', '..', 'gt');
  writeFileSync(script, AGENT.replace('"$GO/go"', `"${folder}/go"`).replace('"$GT_BIN"', `"${bin}"`));
  real = await makeTown(folder, [
    { name: 'app', files: { 'a.txt': 'a\n' }, gate: 'test -e a.txt', command: `sh ${script}` },
  ]);
  const config = real.town.paths.config;
  writeFileSync(config, readFileSync(config, 'utf8').replace('[rigs.app]', '[rigs.app]\nruntime = "command"'));
  const daemon = await startDaemonProcess(real.town, gtDaemon(real.town), 30_000);
  stopDaemon = async () => {
    process.kill(daemon.pid, 'SIGTERM');
    await daemon.ended;
  };
  await call('POST', 'runners/local/drain', {}).catch(() => undefined);
  await until(async () => (await runners()).some((runner) => runner.id === 'local'), 'the local runner is met', 30_000);
  await call('POST', 'runners/local/drain', {});
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  await stopDaemon();
  for (const pid of marked({ town: real.town.identity.id })) process.kill(pid, 'SIGKILL');
  const pidFile = join(real.town.paths.dataDir, 'runner.pid');
  if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
});

const call = <T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> =>
  callTown<T>(real.town, { method, path, ...(body === undefined ? {} : { body }) });
const runners = async (): Promise<RunnerItem[]> => (await call<{ items: RunnerItem[] }>('GET', 'runners')).items;
const runner = async (id: string): Promise<RunnerItem | undefined> => (await runners()).find((one) => one.id === id);
const endpoint = (): string =>
  String(JSON.parse(readFileSync(join(real.town.paths.daemonDir, 'endpoint.json'), 'utf8')).url);

/** A runner as a person starts it on another machine: its own folder, the token in a file. */
async function startRunner(name: string, extra: readonly string[] = []): Promise<ChildProcess> {
  const file = join(folder, `${name}.token`);
  if (!existsSync(file)) {
    const made = await call<RunnerTokenItem>('POST', 'runners', { name });
    writeFileSync(file, `${made.token}\n`, { mode: 0o600 });
  }
  return spawnRunner(name, ['--token-file', file, ...extra]);
}

function spawnRunner(name: string, args: readonly string[]): ChildProcess {
  const dir = join(folder, `dir-${name}`);
  mkdirSync(dir, { recursive: true });
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', GT_MAIN, 'runner', '--town', endpoint(), '--dir', dir, ...args],
    {
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  child.stderr?.on('data', (chunk: Buffer) => {
    if (process.env['GT_TEST_LOG'] !== undefined) process.stderr.write(`${name}: ${chunk.toString()}`);
  });
  children.push(child);
  return child;
}

interface Bead {
  readonly id: string;
  readonly status: string;
  readonly close_reason: string | null;
}

it(
  'a convoy lands over two runners, and the work of one that is killed and lost goes on at the other',
  { timeout: 180_000 },
  async () => {
    const a = await startRunner('a', ['--capacity', '2']);
    await startRunner('b', ['--capacity', '2', '--labels', 'big']);
    await until(
      async () => (await runners()).filter((one) => one.status === 'healthy').length === 2,
      'both are met',
      30_000,
    );
    expect(await runner('b')).toMatchObject({ capacity: 2, labels: ['big'], url: null });

    const task = (title: string) => ({ rig: 'app', title });
    const convoy = await call<{ id: string }>('POST', 'convoys', { title: 'both', tasks: [task('one'), task('two')] });
    const agents = async (): Promise<number[]> => [(await runner('a'))?.agents ?? 0, (await runner('b'))?.agents ?? 0];
    const atA = (): number => marked({ town: real.town.identity.id, runner: 'a' }).length;
    await until(async () => (await agents()).join() === '1,1', 'one agent each', 60_000);
    await until(() => atA() > 0, 'the agent at a runs');

    a.kill('SIGKILL');
    await until(async () => (await runner('a'))?.status === 'suspect', 'the cut is noticed');
    // Only a person can know that the machine does not come back.
    await expect(call('POST', 'runners/a/remove', {})).rejects.toThrow('runner_has_work');
    await call('POST', 'runners/a/remove', { lost: true });
    for (const pid of marked({ town: real.town.identity.id, runner: 'a' })) process.kill(pid, 'SIGKILL');
    await until(async () => (await runner('b'))?.agents === 2, 'both beads are at b', 60_000);

    writeFileSync(join(folder, 'go'), '');
    const landed = async (): Promise<boolean> =>
      (await call<{ status: string }>('GET', `convoys/${convoy.id}`)).status === 'landed';
    await until(landed, 'the convoy lands', 90_000);
    const beads = (await call<{ items: Bead[] }>('GET', 'beads')).items.filter(
      (bead) => bead.close_reason === 'merged',
    );
    expect(beads.length).toBeGreaterThanOrEqual(2);
    const files = git(['--git-dir', real.remotes.get('app') ?? '', 'ls-tree', '--name-only', 'main']).split('\n');
    expect(files.filter((file) => file.startsWith('done-'))).toHaveLength(2);
    expect(files.filter((file) => file.startsWith('started-'))).toHaveLength(2);
    expect(git(['--git-dir', real.remotes.get('app') ?? '', 'for-each-ref', 'refs/gt/attempts'])).not.toBe('');
    const status = await call<{ violations: string[] }>('GET', 'status');
    expect(status.violations).toEqual([]);
  },
);

it(
  'a runner that is killed and started again is met anew, and its work goes on there from what it kept',
  { timeout: 120_000 },
  async () => {
    const first = await startRunner('a');
    await until(async () => (await runner('a'))?.status === 'healthy', 'it is met', 30_000);
    const before = (await runner('a'))?.instance;
    await call('POST', 'beads', { rig: 'app', title: 'one', sling: true });
    const lives = (): number => marked({ town: real.town.identity.id, runner: 'a' }).length;
    await until(() => lives() > 0, 'its agent runs', 60_000);
    first.kill('SIGKILL');
    await startRunner('a');
    await until(
      async () => (await runner('a'))?.instance !== before && (await runner('a'))?.status === 'healthy',
      'a new instance',
      30_000,
    );
    writeFileSync(join(folder, 'go'), '');
    const merged = async (): Promise<boolean> =>
      (await call<{ items: Bead[] }>('GET', 'beads')).items.filter((bead) => bead.close_reason === 'merged').length >=
      1;
    await until(merged, 'it is merged', 90_000);
  },
);

it('wrong, missing and revoked tokens get 401, and change no row', { timeout: 60_000 }, async () => {
  const made = await call<RunnerTokenItem>('POST', 'runners', { name: 'a' });
  const rows = JSON.stringify(await runners());
  const stranger = made.token.replace(/\.[^.]*$/, `.${'x'.repeat(43)}`);
  const file = join(folder, 'wrong.token');
  writeFileSync(file, stranger, { mode: 0o600 });
  const child = spawnRunner('wrong', ['--token-file', file]);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(() => said.includes('(401)'), 'it says why', 30_000);
  expect(said).not.toContain('x'.repeat(43));
  const upgrade = (headers: Record<string, string>) =>
    fetch(`${endpoint()}/api/v1/towns/_/runner/connect`, { headers }).then((answer) => answer.status);
  expect(await upgrade({})).toBe(401);
  const facts = (authorization: string | null) =>
    fetch(`${endpoint()}/api/v1/towns/_/runner/facts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === null ? {} : { authorization }) },
      body: JSON.stringify({ facts: [] }),
    }).then((answer) => answer.status);
  expect([await facts(null), await facts('Bearer nothing'), await facts(`Bearer gtb1.a.${'x'.repeat(43)}`)]).toEqual([
    401, 401, 401,
  ]);
  expect(JSON.stringify(await runners())).toBe(rows);
  expect(readFileSync(real.town.paths.daemonLog, 'utf8')).not.toContain(made.token.split('.')[3]);
});

it('a token is rotated without a gap, and a removed runner is cut off', { timeout: 90_000 }, async () => {
  await startRunner('a');
  await until(async () => (await runner('a'))?.status === 'healthy', 'it is met', 30_000);
  const { token } = await call<RunnerTokenItem>('POST', 'runners/a/rotate', {});
  expect(await runner('a')).toMatchObject({ rotating: true, status: 'healthy' });
  children[0]?.kill('SIGTERM');
  writeFileSync(join(folder, 'a.token'), token, { mode: 0o600 });
  await until(async () => (await runner('a'))?.status === 'suspect', 'it went', 30_000);
  await startRunner('a');
  await until(async () => (await runner('a'))?.status === 'healthy', 'it is met with the new token', 30_000);
  expect(await runner('a')).toMatchObject({ rotating: false });
  await call('POST', 'runners/a/remove', {});
  expect(await runner('a')).toBeUndefined();
});

it('a runner may listen instead, for a container', { timeout: 90_000 }, async () => {
  const port = 20_000 + (process.pid % 20_000);
  const made = await call<RunnerTokenItem>('POST', 'runners', { name: 'box', url: `http://127.0.0.1:${String(port)}` });
  writeFileSync(join(folder, 'box.token'), made.token, { mode: 0o600 });
  await until(async () => typeof (await runner('box'))?.unmet === 'string', 'why it is not met', 30_000);
  expect((await runner('box'))?.unmet).toMatch(/ECONNREFUSED|connect/i);
  spawnRunner('box', ['--token-file', join(folder, 'box.token'), '--listen', `127.0.0.1:${String(port)}`]);
  await until(async () => (await runner('box'))?.status === 'healthy', 'it is met', 30_000);
  await until(async () => (await runner('box'))?.unmet === null, 'nothing is in its way', 30_000);
  writeFileSync(join(folder, 'go'), '');
  await call('POST', 'beads', { rig: 'app', title: 'one', sling: true });
  const merged = async (): Promise<boolean> =>
    (await call<{ items: Bead[] }>('GET', 'beads')).items.filter((bead) => bead.close_reason === 'merged').length >= 1;
  await until(merged, 'it is merged', 60_000);
  children[0]?.kill('SIGKILL');
  await until(async () => (await runner('box'))?.status === 'suspect', 'the cut is noticed', 30_000);
});

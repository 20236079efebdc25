/**
 * A town of Durable Objects in a real workerd, with runners as processes of their own: the demo's convoy while one of
 * each is killed, a rest, and whoever should not get in. What became of it is read from the bare remotes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import {
  FRAME_BYTES_MAX,
  NONCE_HEADER,
  PROOF_SCHEME,
  PROTOCOL_HEADER,
  RUNNER_HEADER,
} from '../../src/api/contract/frames.ts';
import type { ConvoyDetailItem } from '../../src/api/contract/convoys.ts';
import { PROTOCOL_VERSION } from '../../src/api/contract/protocol.ts';
import { bearerFor, prove, readToken } from '../../src/api/contract/runner-auth.ts';
import { TWIN_REASON } from '../../src/api/lines/twin.ts';
import { demoConvoy } from '../../src/cli/demo/plan.ts';
import { makeRemote } from '../../src/cli/demo/remotes.ts';
import { DEMO_REPOSITORIES } from '../../src/cli/demo/repositories.ts';
import { Brain } from '../../src/runner/brain.ts';
import { HttpBrainWire } from '../../src/runner/brain-wire.ts';
import { Forwarder } from '../../src/runner/forwarder.ts';
import { DEFAULT_TIMINGS } from '../../src/runner/limits.ts';
import { silentLog } from '../../src/ports/log.ts';
import { marked } from '../../src/runner/process/sweep.ts';
import { RunnerDb } from '../../src/runner/store/db.ts';
import { FactStore } from '../../src/runner/store/facts.ts';
import { until } from '../fixtures/runner/town.ts';
import { sleep } from '../support/processes.ts';
import { NO_COUNTS, type Counts } from '../fixtures/workerd/counts.ts';
import { OWNER, TOWN_ID, WorkerdTown, type RunnerProcess } from '../support/workerd-town.ts';

const GT = join(import.meta.dirname, '..', '..', 'gt');
/** The platform puts an object away ten seconds after its last work has ended. */
const REST_MS = 11_000;
/** On a loaded machine the platform's own timers are late, so a rest may be too short; nothing may be done in any. */
const RESTS_MAX = 2;
/** A town whose rows stay the same for so long has nothing left to tell anybody. */
const STILL_MS = 500;
/** How long the town is gone. */
const DOWN_MS = 300;

let folder: string;
let town: WorkerdTown;
let runnerB: RunnerProcess;
let convoy: ConvoyDetailItem;

const git = (rig: string, ...args: readonly string[]): string =>
  execFileSync('git', ['--git-dir', join(folder, `${rig}.git`), ...args], { encoding: 'utf8' });

const detail = (id: string): Promise<ConvoyDetailItem> => town.call('GET', `convoys/${id}`);
const agentsAt = (runner: string): number => marked({ town: TOWN_ID, runner }).length;
const healthy = async (...ids: readonly string[]): Promise<boolean> => {
  const runners = await town.runners();
  return ids.every((id) => runners.some((one) => one.id === id && one.status === 'healthy'));
};

/** Merge commits on the target by bead. */
function merges(rig: string): ReadonlyMap<string, number> {
  const format = '%(trailers:key=Gt-Bead,valueonly,separator=)';
  const beads = git(rig, 'log', '--first-parent', `--format=${format}`, 'main').split('\n');
  const counts = new Map<string, number>();
  for (const bead of beads) if (bead !== '') counts.set(bead, (counts.get(bead) ?? 0) + 1);
  return counts;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gt-workerd-'));
  const starting = WorkerdTown.start(folder);
  for (const repository of DEMO_REPOSITORIES) await makeRemote(folder, repository);
  town = await starting;
  for (const { name, gate } of DEMO_REPOSITORIES)
    await town.call('POST', 'rigs', { name, url: join(folder, `${name}.git`), gates: [{ name: 'test', run: gate }] });
});

afterAll(async () => {
  await town.stop();
  for (const pid of marked({ town: TOWN_ID })) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
});

describe('a town of Durable Objects', () => {
  it(
    'lands the demo over two runners, one of which is lost in the middle, while workerd is killed once',
    { timeout: 180_000 },
    async () => {
      const beganAtMs = performance.now();
      const phases: string[] = [];
      const phase = (name: string): void => {
        phases.push(`${name} ${((performance.now() - beganAtMs) / 1_000).toFixed(1)} s`);
      };
      const created = await town.call<ConvoyDetailItem>('POST', 'convoys', demoConvoy(folder));
      const why = await town.call<{ sentence: string }>('GET', `why/${created.beads[0]?.id ?? ''}`);
      expect(why.sentence).toBe('Ready, but no runner is registered.');

      for (const name of ['a', 'b']) await town.register(name);
      const runnerA = town.startRunner('a', ['--capacity', '2']);
      runnerB = town.startRunner('b', ['--capacity', '4', '--labels', 'big']);
      await until(() => healthy('a', 'b'), 'both are met', 30_000);
      phase('both met');
      expect(await town.runner('b')).toMatchObject({ capacity: 4, labels: ['big'], url: null });

      await until(() => agentsAt('a') > 0, 'an agent runs at a', 30_000);
      runnerA.child.kill('SIGKILL');
      phase('runner killed');
      await until(async () => (await town.runner('a'))?.status === 'suspect', 'the cut is noticed', 10_000);
      // Only a person can know that the machine does not come back.
      await town.call('POST', 'runners/a/remove', { lost: true });
      for (const pid of marked({ town: TOWN_ID, runner: 'a' })) process.kill(pid, 'SIGKILL');

      await until(async () => (await detail(created.id)).closed_beads >= 3, 'three beads are closed', 60_000);
      await town.crash(DOWN_MS);
      phase('workerd killed and back');
      await until(async () => (await detail(created.id)).status === 'landed', 'the convoy lands', 120_000);
      phase('landed');
      console.log(phases.join(', '));
      convoy = await detail(created.id);
      expect(convoy.closed_beads).toBe(convoy.total_beads);
      expect((await town.call<{ violations: string[] }>('GET', 'status')).violations).toEqual([]);
    },
  );

  it('has lost nothing and doubled nothing, as the remotes have it', () => {
    for (const { id, rig } of convoy.beads) expect([id, merges(rig).get(id ?? '')]).toEqual([id, 1]);
    const exported = git('calc', 'show', 'main:src/index.js');
    for (const name of ['add', 'subtract', 'multiply', 'divide'])
      expect(exported.split('\n').filter((line) => line === `export { ${name} } from './${name}.js';`)).toHaveLength(1);
    expect(exported).not.toMatch(/^[<=>]{7}/m);
    expect(git('calc', 'show', 'main:src/divide.js')).toContain('division by zero');
    expect(git('calc', 'show', 'main:README.md')).toContain('- divide');
    const page = git('site', 'show', 'main:page.html');
    expect(page).toContain('<p>add subtract multiply divide</p>');
    expect(page).toContain('style.css');
  });

  it(
    'does nothing at rest, is put away, and goes on over the line that its runner still has',
    { timeout: 180_000 },
    async () => {
      const connected = (): number => runnerB.said().split('connected to the town').length - 1;
      const lines = connected();
      const titles = ['one', 'two', 'three', 'four'];
      const body = '```gt-script\ndate +%N > "$GT_BEAD"; git add -A; git commit -qm made\n```\n';
      const workAfterRest = async (): Promise<Counts> => {
        await until(() => town.alarms() === 0, 'no alarm is set', 60_000);
        await town.counts();
        await sleep(REST_MS);
        expect(await town.counts()).toEqual(NO_COUNTS);
        const beads = await Promise.all(
          titles.map((title) => town.call<{ id: string }>('POST', 'beads', { rig: 'site', title, body, sling: true })),
        );
        const closed = async (): Promise<boolean> => beads.every(({ id }) => merges('site').get(id) === 1);
        await until(closed, 'all are merged', 60_000);
        return town.counts();
      };
      let counts = await workAfterRest();
      for (let rests = 1; counts.lives < 2 && rests < RESTS_MAX; rests += 1) counts = await workAfterRest();
      // The town's object and the rig's were made anew; the socket was not.
      expect(counts.lives).toBeGreaterThanOrEqual(2);
      expect(connected()).toBe(lines);
      const per = (sum: number): string => (sum / titles.length).toFixed(0);
      console.log(
        `per closed bead: ${per(counts.statements)} statements in ${per(counts.transactions)} transactions, ` +
          `${per(counts.calls)} calls of objects, ${per(counts.frames)} frames, ${per(counts.alarms)} alarms; ` +
          'at rest: 0 alarms, 0 statements',
      );
    },
  );
});

interface Door {
  readonly socket: WebSocket;
  /** What was said, and how it ended. */
  readonly heard: string[];
  readonly ended: Promise<string>;
}

/** Knocks as a runner does, with what a test makes wrong. */
async function knock(
  token: string,
  wrong: { readonly town?: string; readonly proof?: string; readonly protocol?: string } = {},
): Promise<Door> {
  const { runner, verifier } = await readToken(token);
  const about = { town: TOWN_ID, runner, runnerNonce: 'n'.repeat(20), townNonce: '' };
  const socket = new WebSocket(
    `${town.url.replace('http', 'ws')}/api/v1/towns/${wrong.town ?? TOWN_ID}/runner/connect`,
    {
      headers: {
        authorization: `${PROOF_SCHEME} ${wrong.proof ?? (await prove(verifier, 'hello', about))}`,
        [RUNNER_HEADER]: runner,
        [NONCE_HEADER]: about.runnerNonce,
        [PROTOCOL_HEADER]: wrong.protocol ?? String(PROTOCOL_VERSION),
      },
      perMessageDeflate: false,
    },
  );
  const heard: string[] = [];
  const ended = new Promise<string>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve(String(response.statusCode));
      socket.terminate();
    });
    socket.on('close', (code, reason) => {
      resolve(`${String(code)} ${String(reason)}`);
    });
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      heard.push((data as Buffer).toString());
    });
  });
  return { socket, heard, ended };
}

/** Of a runner that takes no work. */
const HEALTH = {
  pid: 1,
  town: TOWN_ID,
  startedAtMs: 1,
  draining: false,
  live: [],
  jobsRunning: 0,
  freeDiskBytes: null,
  freeMemoryBytes: 1,
  versions: {},
  protocol: PROTOCOL_VERSION,
  capacity: 0,
  labels: ['never'],
};

/** As `knock`, up to the last proof; answers the town's calls with `health` when they ask for it. */
async function enter(token: string, instance: string): Promise<Door> {
  const door = await knock(token);
  const { runner, verifier } = await readToken(token);
  await until(() => door.heard.length > 0, 'a welcome');
  const welcome = JSON.parse(door.heard[0] ?? '') as { nonce: string; beat: string };
  expect(welcome.beat).toBe('beat');
  const about = { town: TOWN_ID, runner, runnerNonce: 'n'.repeat(20), townNonce: welcome.nonce };
  door.socket.on('message', (data) => {
    const frame = JSON.parse((data as Buffer).toString()) as { t: string; id: number; path: string };
    if (frame.t !== 'call' || frame.path !== '/health') return;
    const health = {
      ...HEALTH,
      instance,
    };
    const answer = { t: 'answer', id: frame.id, status: 200, type: 'application/json', next: null };
    door.socket.send(JSON.stringify({ ...answer, body: JSON.stringify(health) }));
  });
  door.socket.send(JSON.stringify({ t: 'ready', proof: await prove(verifier, 'ready', about) }));
  return door;
}

describe('the door for runners', () => {
  let token = '';
  beforeAll(async () => {
    token = await town.register('x');
  });

  it('stays shut for strangers, and no row changes', { timeout: 60_000 }, async () => {
    const stranger = token.replace(/\.[^.]*$/, `.${'x'.repeat(43)}`);
    const other = token.replace('.x.', '.nobody.');
    // The rigs still hear of the new runner.
    let before = '';
    const isStill = (): boolean => before === (before = town.rows());
    await until(async () => {
      await sleep(STILL_MS);
      return isStill();
    }, 'the town is still');
    const how = async (door: Promise<Door>): Promise<string> => (await door).ended;
    expect(await how(knock(stranger))).toBe('401');
    expect(await how(knock(other))).toBe('401');
    expect(await how(knock(token, { proof: 'rubbish' }))).toBe('401');
    expect(await how(knock(token, { town: 'another' }))).toBe('404');
    expect(await how(knock(token, { protocol: '0' }))).toBe('426');
    const plain = await fetch(`${town.url}/api/v1/towns/_/runner/connect`);
    expect(plain.status).toBe(401);

    const rubbish = ['', '{', '{"t":"ready","proof":"x"}', '{"t":"call","id":1}', '\u0000'.repeat(99)];
    for (const text of rubbish) {
      const door = await knock(token);
      await until(() => door.heard.length > 0, 'a welcome');
      door.socket.send(text);
      expect(await door.ended).toBe('1008 not proven');
    }
    const binary = await knock(token);
    await until(() => binary.heard.length > 0, 'a welcome');
    binary.socket.send(Buffer.alloc(10));
    expect(await binary.ended).toMatch(/^1009 /);
    const large = await knock(token);
    await until(() => large.heard.length > 0, 'a welcome');
    large.socket.send('x'.repeat(FRAME_BYTES_MAX + 1));
    expect(await large.ended).toMatch(/^1009 /);
    expect(town.rows()).toBe(before);
  });

  it(
    'gives a runner one line: a newer one of it ends the older; another process with its token is refused and told',
    { timeout: 60_000 },
    async () => {
      const first = await enter(token, 'rn-first');
      await until(async () => (await town.runner('x'))?.instance === 'rn-first', 'it is met');
      const second = await enter(token, 'rn-first');
      expect(await first.ended).toBe('1008 it has another line now');
      expect(await town.runner('x')).toMatchObject({ status: 'healthy' });
      const told = async (): Promise<readonly string[]> =>
        (await town.call<{ items: { id: string; message: string }[] }>('GET', 'escalations')).items
          .filter(({ message }) => message.includes('Two processes show the token'))
          .map(({ id }) => id);
      for (const twin of [await enter(token, 'rn-twin'), await enter(token, 'rn-twin')])
        expect(await twin.ended).toBe(`1008 ${TWIN_REASON}`);
      expect(await town.runner('x')).toMatchObject({ status: 'healthy', instance: 'rn-first' });
      await until(async () => (await told()).length === 1, 'it is told once');

      // What it may not ask is refused by a frame; what is no frame ends the line.
      second.socket.send(
        JSON.stringify({
          t: 'call',
          id: 1,
          method: 'GET',
          path: '/api/v1/towns/_/status',
          authorization: null,
          body: null,
        }),
      );
      await until(() => second.heard.some((text) => text.includes('not_for_runners')), 'a refusal');
      second.socket.send('{"t":"welcome"}');
      expect(await second.ended).toMatch(/^1008 /);
      await until(async () => (await town.runner('x'))?.status === 'suspect', 'it is away');
      // Its own process may come back, so that its twin gets the line only by a person's word.
      expect(await (await enter(token, 'rn-twin')).ended).toBe(`1008 ${TWIN_REASON}`);
      for (const id of await told()) await town.call('POST', `escalations/${id}/resolve`, {});
      const next = await enter(token, 'rn-twin');
      await until(async () => (await town.runner('x'))?.instance === 'rn-twin', 'the other one is met');
      expect(await told()).toEqual([]);
      next.socket.terminate();
      await until(async () => (await town.runner('x'))?.status === 'suspect', 'it is away too');
    },
  );

  it('answers gt by its address', { timeout: 60_000 }, () => {
    const file = join(folder, 'owner.token');
    writeFileSync(file, `${OWNER}\n`, { mode: 0o600 });
    const gt = (...args: readonly string[]): { readonly code: number | null; readonly text: string } => {
      const { GT_TOWN_ROOT: _town, ...env } = process.env;
      const ran = spawnSync(GT, args, { encoding: 'utf8', env, cwd: folder });
      return { code: ran.status, text: ran.stdout + ran.stderr };
    };
    const at = ['--town', town.url, '--token-file', file];
    expect(gt('convoy', 'show', convoy.id, ...at)).toMatchObject({
      code: 0,
      text: expect.stringContaining('landed') as string,
    });
    expect(gt(...at, 'runner', 'list').text).toContain('healthy');
    expect(gt('status', ...at).text).toContain('runner ● up');
    const mail = ['mail', 'send', 'human/owner', 'hello', '--body', 'from afar'];
    expect(gt(...mail, ...at).code).toBe(0);
    expect(gt('status', '--town', town.url)).toMatchObject({
      code: 2,
      text: expect.stringContaining('--token-file') as string,
    });
    expect(gt('daemon', 'status', ...at)).toMatchObject({
      code: 3,
      text: expect.stringContaining('names an address') as string,
    });
    const far = ['--town', 'http://town.example.com', '--token-file', file];
    expect(gt('status', ...far)).toMatchObject({
      code: 2,
      text: expect.stringContaining('readable by everybody') as string,
    });
    expect(gt('status', '--town', 'http://127.0.0.1:65001', '--token-file', file)).toMatchObject({
      code: 7,
      text: expect.stringContaining('Nobody answers') as string,
    });
    writeFileSync(join(folder, 'wrong.token'), `${'w'.repeat(32)}\n`, { mode: 0o600 });
    expect(gt('status', '--town', town.url, '--token-file', join(folder, 'wrong.token')).code).toBe(6);
    chmodSync(file, 0o644);
    expect(gt('status', ...at)).toMatchObject({ code: 3, text: expect.stringContaining('chmod 600') as string });
  });

  it('calls a runner that listens, and finds it again after it was away', { timeout: 90_000 }, async () => {
    const at = `127.0.0.1:${String(20_000 + (process.pid % 20_000))}`;
    await town.call('POST', 'runners/b/drain', {});
    await town.register('box', `http://${at}`);
    await expect.poll(() => town.alarms(), { timeout: 10_000 }).toBeGreaterThan(0);
    const first = town.startRunner('box', ['--listen', at]);
    await until(() => healthy('box'), 'it is met', 30_000);
    const body = '```gt-script\ndate +%N > boxed; git add -A; git commit -qm made\n```\n';
    const bead = await town.call<{ id: string }>('POST', 'beads', { rig: 'site', title: 'boxed', body, sling: true });
    await until(() => merges('site').get(bead.id) === 1, 'its work is merged', 60_000);
    expect(agentsAt('box')).toBe(0);
    const instance = (await town.runner('box'))?.instance;
    first.child.kill('SIGKILL');
    await until(() => first.child.signalCode !== null, 'it is gone');
    const next = await town.call<{ id: string }>('POST', 'beads', { rig: 'site', title: 'again', body, sling: true });
    await until(async () => (await town.runner('box'))?.status === 'suspect', 'the loss is noticed', 30_000);
    town.startRunner('box', ['--listen', at]);
    await until(async () => (await town.runner('box'))?.instance !== instance && healthy('box'), 'met anew', 30_000);
    await until(() => merges('site').get(next.id) === 1, 'the rest is merged', 60_000);
  });

  it('takes nothing while it is held for a move, and a runner keeps what it reports', { timeout: 60_000 }, async () => {
    const bearer = await bearerFor((await readToken(token)).verifier, 'x', 'to-town');
    const wire = new HttpBrainWire({ url: town.url }, () => Promise.resolve(bearer));
    const brain = new Brain({ wire, town: TOWN_ID, callMs: 10_000 });
    const facts = new FactStore(new RunnerDb(join(folder, 'held.db')));
    const forwarder = new Forwarder({ facts, brain, timings: DEFAULT_TIMINGS, log: silentLog });
    await town.call('POST', 'transfer', { step: 'hold', move: 'mv-1' });
    try {
      const about = {
        type: 'agent_no_change',
        rig: 'site',
        attempt: 'at-none',
        epoch: 1,
        reason: 'r',
        atMs: 1,
      } as const;
      for (const key of ['done:at-none:1', 'done:at-none:2']) facts.record({ ...about, key });
      await expect(brain.facts(facts.oldest('site'))).rejects.toThrow('503');
      forwarder.wake();
    } finally {
      await town.call('POST', 'transfer', { step: 'resume', addresses: null, facts: [] });
    }
    await expect.poll(() => facts.counts(), { timeout: 30_000 }).toEqual({ waiting: 0, rejected: 0 });
    await forwarder.stop();
    wire.close();
  });
});

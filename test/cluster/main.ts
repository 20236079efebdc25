/**
 * `npm run test:cluster`: one town on three instances of workerd that share a bucket. The instance that owns the town's
 * objects is killed (kill -9) in the middle of the work, twice; nothing may be lost or doubled. Experimental upstream,
 * so it is not part of CI; what it needs is a package of its own in this folder.
 */
import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { bundleWorker, startWorkerd, TOWN_CLASSES, type RunningWorkerd } from '../../scripts/workerd.ts';
import { makeRemote } from '../../src/cli/demo/remotes.ts';
import { marked } from '../../src/runner/process/sweep.ts';
import { sleep } from '../support/processes.ts';
import { startBucket, type Bucket } from './bucket.ts';
import { startFront } from './front.ts';

const { values } = parseArgs({
  options: { beads: { type: 'string', default: '8' }, kills: { type: 'string', default: '2' } },
});
const BEADS = Number(values.beads);
const KILLS = Number(values.kills);
const INSTANCES = 3;
/** Leases of 20 s would be most of the test. */
const TIME_DIVISOR = 4;
const LIMIT_MS = 300_000;
const TOWN = 'cluster-town';
const OWNER = 'o'.repeat(32);
const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const BODY = '```gt-script\ndate +%N > "$GT_BEAD"; git add -A; git commit -qm made; sleep 1\n```\n';

interface Instance {
  readonly address: string;
  readonly port: number;
  workerd: RunningWorkerd | null;
}

const call = async <T>(front: number, method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> => {
  const answer = await fetch(`http://127.0.0.1:${String(front)}/api/v1/towns/_/${path}`, {
    method,
    headers: { authorization: `Bearer ${OWNER}`, 'content-type': 'application/json' },
    // A call to an object whose instance is gone may hang until another one has it.
    signal: AbortSignal.timeout(20_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${String(answer.status)}: ${text.slice(0, 200)}`);
  return JSON.parse(text) as T;
};

/** Asks again while instances change hands. */
async function insist<T>(ask: () => Promise<T>, what: string): Promise<T> {
  const endMs = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > endMs) throw new Error(`not within the limit: ${what}`, { cause: error });
      await sleep(250);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Which instance has most of the town's objects, as the bucket records it. */
function ownerOf(bucket: Bucket): string | null {
  const read = (part: RegExp): readonly Readonly<Record<string, unknown>>[] =>
    [...bucket.objects]
      .filter(([key]) => part.test(key))
      .map(([, { body }]) => JSON.parse(body.toString('utf8')) as Record<string, unknown>);
  const addresses = new Map(read(/\/nodes\/[^/]+\.json$/).map(({ node, address }) => [node, String(address)]));
  const counts = new Map<string, number>();
  for (const { node } of read(/\/own\.json$/)) {
    const address = addresses.get(node);
    if (address !== undefined) counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

function binary(): string {
  const done = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (done.status !== 0) throw new Error('npm ci in test/cluster failed; nothing was tested');
  const name = `@cloudflare/workerd-${process.platform}-${process.arch === 'x64' ? '64' : process.arch}/bin/workerd`;
  return createRequire(join(import.meta.dirname, 'package.json')).resolve(name);
}

class Cluster {
  readonly bucket: Bucket;
  readonly instances: Instance[] = [];
  readonly #folder: string;
  readonly #binary: string;
  /** Instances that ended by themselves. */
  fenced = 0;
  #isOver = false;

  constructor(folder: string, bucket: Bucket) {
    this.#folder = folder;
    this.bucket = bucket;
    this.#binary = binary();
  }

  async start(): Promise<void> {
    await bundleWorker(join(ROOT, 'src', 'hosts', 'cloudflare', 'worker.ts'), join(this.#folder, 'worker.js'));
    for (let number = 0; number < INSTANCES; number += 1) {
      const address = `127.0.0.1:${String(await freePort())}`;
      this.instances.push({ address, port: await freePort(), workerd: null });
    }
    await Promise.all(this.instances.map((instance) => this.up(instance)));
  }

  ports(): readonly number[] {
    return this.instances.filter(({ workerd }) => workerd !== null).map(({ port }) => port);
  }

  /** A new instance of the same place: what it had on its disk is the bucket's now. */
  async up(instance: Instance): Promise<void> {
    const folder = join(this.#folder, `instance-${instance.address.split(':')[1] ?? ''}`);
    mkdirSync(folder, { recursive: true });
    const workerd = await startWorkerd({
      bundle: join(this.#folder, 'worker.js'),
      folder,
      classes: TOWN_CLASSES,
      texts: {
        GT_TOWN_ID: TOWN,
        GT_TOWN_NAME: 'cluster',
        GT_OWNER_TOKEN: OWNER,
        GT_RUNNER_SECRET: 'r'.repeat(32),
        GT_CAPABILITY_KEY: 'k'.repeat(32),
      },
      port: instance.port,
      loud: process.env['GT_LOUD'] === '1',
      cluster: {
        binary: this.#binary,
        endpoint: this.bucket.url,
        address: instance.address,
        key: 'c'.repeat(40),
        timeDivisor: TIME_DIVISOR,
      },
    });
    instance.workerd = workerd;
    // One that could not renew its lease in time ends itself, and whoever runs it starts it again.
    void workerd.ended.then(async () => {
      if (instance.workerd !== workerd || this.#isOver) return;
      this.fenced += 1;
      instance.workerd = null;
      await this.up(instance);
    });
  }

  /** Kills whoever has the town, after the one that was killed before is back. */
  async killOwner(): Promise<void> {
    for (const instance of this.instances) if (instance.workerd === null) await this.up(instance);
    const address = ownerOf(this.bucket);
    const instance = this.instances.find((one) => one.address === address);
    if (instance === undefined || instance.workerd === null) throw new Error('nobody has the town');
    const { workerd } = instance;
    instance.workerd = null;
    await workerd.stop('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.instances.map(async ({ workerd }) => workerd?.stop('SIGKILL')));
    this.bucket.close();
  }
}

function startRunner(folder: string, front: number, token: string): ChildProcess {
  writeFileSync(join(folder, 'a.token'), token, { mode: 0o600 });
  const main = join(ROOT, 'src', 'cli', 'main.ts');
  const where = ['--town', `http://127.0.0.1:${String(front)}`, '--dir', join(folder, 'a')];
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'runner', ...where, '--token-file', join(folder, 'a.token')],
    { cwd: folder, stdio: ['ignore', 'ignore', process.env['GT_LOUD'] === '1' ? 'inherit' : 'ignore'] },
  );
}

/** How often each bead was merged. Not synchronously: the bucket answers in this process. */
async function mergesIn(bare: string): Promise<ReadonlyMap<string, number>> {
  const format = '--format=%(trailers:key=Gt-Bead,valueonly,separator=)';
  const { stdout } = await run('git', ['--git-dir', bare, 'log', '--first-parent', format, 'main']);
  const counts = new Map<string, number>();
  for (const bead of stdout.split('\n')) counts.set(bead, (counts.get(bead) ?? 0) + 1);
  return counts;
}

interface Story {
  readonly cluster: Cluster;
  readonly ask: <T>(method: 'GET' | 'POST', path: string, body?: unknown) => Promise<T>;
  readonly bare: string;
  readonly beads: readonly string[];
}

/** Waits until all is merged, and kills the owner on the way. Answers how long each time nobody answered. */
async function work({ cluster, ask, bare, beads }: Story): Promise<readonly number[]> {
  const countMerged = async (): Promise<number> => {
    const merges = await mergesIn(bare);
    return beads.filter((bead) => merges.has(bead)).length;
  };
  const endMs = performance.now() + LIMIT_MS;
  const takeoversMs: number[] = [];
  for (let merged = 0; merged < beads.length; merged = await countMerged()) {
    if (performance.now() > endMs) throw new Error(`${String(merged)} of ${String(beads.length)} beads are merged`);
    if (takeoversMs.length < KILLS && merged > takeoversMs.length) {
      await cluster.killOwner();
      const killedAtMs = performance.now();
      await ask('GET', 'status');
      takeoversMs.push(performance.now() - killedAtMs);
    }
    await sleep(200);
  }
  return takeoversMs;
}

/** What went wrong, as the remote and the town have it; nothing, when all is well. */
async function wrongWith({ ask, bare, beads }: Story): Promise<readonly string[]> {
  const { violations } = await ask<{ violations: string[] }>('GET', 'status');
  const merges = await mergesIn(bare);
  const counts = beads.map((bead) => ({ bead, times: merges.get(bead) ?? 0 }));
  return [
    ...counts.filter(({ times }) => times !== 1).map(({ bead, times }) => `${bead} was merged ${String(times)} times`),
    ...violations,
  ];
}

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'gt-cluster-'));
  const bucket = await startBucket();
  const cluster = new Cluster(folder, bucket);
  const front = await startFront(() => cluster.ports());
  let runner: ChildProcess | null = null;
  try {
    await cluster.start();
    const bare = await makeRemote(folder, { name: 'app', files: { 'a.txt': 'a\n' }, gate: 'test -e a.txt' });
    const ask: Story['ask'] = (method, path, body) => insist(() => call(front.port, method, path, body), path);
    await ask('POST', 'rigs', { name: 'app', url: bare, gates: [{ name: 'check', run: 'test -e a.txt' }] });
    runner = startRunner(folder, front.port, (await ask<{ token: string }>('POST', 'runners', { name: 'a' })).token);
    const beads: string[] = [];
    for (let number = 0; number < BEADS; number += 1)
      beads.push(
        (await ask<{ id: string }>('POST', 'beads', { rig: 'app', title: 'one', body: BODY, sling: true })).id,
      );
    const story: Story = { cluster, ask, bare, beads };
    const takeovers = (await work(story)).map((ms) => `${(ms / 1_000).toFixed(1)} s`);
    const wrong = await wrongWith(story);
    for (const line of wrong) console.log(`FAILED ${line}`);
    const writes = ((bucket.requests.get('PUT') ?? 0) / BEADS).toFixed(0);
    console.log(
      `cluster (experimental): ${String(BEADS)} beads over ${String(INSTANCES)} instances, ${String(wrong.length)} things wrong; ` +
        `the owner killed ${String(takeovers.length)} times, an answer again after ${takeovers.join(', ')} ` +
        `(leases divided by ${String(TIME_DIVISOR)}), ${String(cluster.fenced)} ended themselves; ${writes} writes to the bucket per bead`,
    );
    return wrong.length === 0 && takeovers.length === KILLS ? 0 : 1;
  } finally {
    runner?.kill('SIGKILL');
    for (const pid of marked({ town: TOWN })) execFileSync('kill', ['-9', String(pid)]);
    await cluster.stop();
    front.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  }
}

process.exitCode = await main();

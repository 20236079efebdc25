/**
 * Holds the hosts against each other: every case of every port on Node and in a real workerd, and random histories
 * that must end in the same state and journal on both. `--histories N --steps N` tells more and longer ones, and nothing
 * else is done then; `--from N` begins with another seed, `--seed N` tells one. `--trace` says where two stories part.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { bundleWorker, startWorkerd, TOWN_CLASSES, type WorkerdOptions } from '../../scripts/workerd.ts';
import { createApp } from '../../src/api/app.ts';
import { TownError } from '../../src/core/errors.ts';
import { makeBare } from '../support/forge/bare-git.ts';
import { forgeServer } from '../support/forge/server.ts';
import type { ForgeAnswer } from '../../src/ports/forge.ts';
import { notHere } from '../../src/hosts/cloudflare/object-notifier.ts';
import { sectionOf } from '../../src/hosts/cloudflare/rig-settings.ts';
import { TownFile } from '../../src/settings/town-file.ts';
import { TimerAlarm } from '../../src/hosts/node/alarm-timer.ts';
import { SqliteSql } from '../../src/hosts/node/sql-sqlite.ts';
import { silentLog } from '../../src/ports/log.ts';
import { askAllOf, sameResults, statusResults, type Fetch } from './api-cases.ts';
import { ALARM_CASES, OBJECT_ALARM_CASES, type AlarmBench } from './alarm-cases.ts';
import { equal, runCase, type CaseResult } from './case.ts';
import type { Figures } from './figures.ts';
import { wrongInGuide } from './guide.ts';
import { moveCases } from './move.ts';
import { NodeBench, TOWN } from './node-bench.ts';
import { SQL_CASES } from './sql-cases.ts';
import { StreamStory } from './stream-cases.ts';
import { askOf, tellBoth, type Ask, type Workerd } from './tell-both.ts';
import { partingOf } from './trace.ts';
import { TOWN_CASES } from './town-cases.ts';

const { values } = parseArgs({
  options: {
    histories: { type: 'string' },
    steps: { type: 'string' },
    /** As CI runs it: seconds. */
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
    /** Processes of workerd that tell histories at once. */
    jobs: { type: 'string', default: '2' },
    /** Says what happened in each history on both hosts, and where their stories part. */
    trace: { type: 'boolean', default: false },
    /** Only the moves from host to host. */
    move: { type: 'boolean', default: false },
  },
});

/** A disk in memory: what is compared here is not how long a disk takes. */
const MEMORY = '/dev/shm';
/** An alarm that falls due while no process is there. */
const KILLED = 'an alarm due after kill -9 of workerd rings by itself at its next start';
const KILLED_ALARM_MS = 300;
/** For a restarted process to ring what is overdue: measured up to 0.3 s. */
const WAKES_MS = 1_500;
const OWNER = 'o'.repeat(32);
const failures: string[] = [];
let passed = 0;
/** Histories whose traces are not the same, whatever their ends. */
let partings = 0;

function report(port: string, host: string, result: CaseResult): void {
  if (result.error === null) passed += 1;
  else failures.push(`${host}: ${port}: ${result.name}: ${result.error}`);
}

class NodeAlarm implements AlarmBench {
  #rings = 0;
  #again = 0;
  readonly #alarm = new TimerAlarm({ now: () => Date.now() }, () => {
    this.#rings += 1;
    this.#again -= 1;
    if (this.#again >= 0) this.#alarm.set(Date.now() + 1);
  });

  set(inMs: number | null): void {
    this.#alarm.set(inMs === null ? null : Date.now() + inMs);
  }

  again(times: number): void {
    this.#again = times;
  }

  rings(): number {
    return this.#rings;
  }
}

async function onNode(): Promise<void> {
  for (const one of SQL_CASES) {
    const sql = SqliteSql.open(':memory:', { readOnly: false });
    report('sql', 'node', await runCase(one, sql));
    sql.close();
  }
  for (const result of await Promise.all(ALARM_CASES.map((one) => runCase(one, new NodeAlarm()))))
    report('alarm', 'node', result);
  for (const [seed, one] of TOWN_CASES.entries()) report('town', 'node', await runCase(one, new NodeBench(seed)));
}

const SECRETS = { owner: OWNER, runner: 'r'.repeat(32) };

/** The application of this process on a town of its own. Rigs are taken as on the other host: a daemon has a file for them. */
async function nodeApp(): Promise<Fetch> {
  const bench = new NodeBench(0);
  await bench.start([]);
  const { gateway } = bench;
  let text = `[town]\nname = ${JSON.stringify(TOWN.name)}\n`;
  const store = { read: () => text, write: (next: string) => void (text = next) };
  const file = new TownFile({ store, town: gateway, env: {}, refuses: notHere });
  const app = createApp({
    gateway,
    auth: { owner: OWNER, brainCalls: SECRETS.runner, capabilityKey: 'k'.repeat(32), ownerActor: 'human/owner' },
    clock: { now: () => bench.world.nowMs },
    log: silentLog,
    loopbackOnly: false,
    ready: () => true,
    addRig: (body) => file.addRig(sectionOf(body, [])),
    changeRig: (name, settings) => file.changeRig(name, settings),
    removeRig: (name, drain, caller) => file.removeRig(name, drain, caller),
    settings: {
      state: () => Promise.resolve(file.state()),
      change: (changes) => file.change(changes),
      replace: (next) => file.replace(next),
      reload: () => file.reload(),
    },
    runnerLine: { drain: () => Promise.resolve() },
    transcript: () => Promise.reject(new Error('no runner')),
  });
  return async (request) => app.fetch(request);
}

async function compareApi(url: string): Promise<void> {
  const here = await askAllOf(await nodeApp(), 'http://node', SECRETS);
  const there = await askAllOf(fetch, url, SECRETS);
  for (const result of statusResults(here)) report('api', 'node', result);
  for (const result of statusResults(there)) report('api', 'workerd', result);
  for (const result of sameResults(here, there)) report('api', 'both', result);
}

/** More than this for one bead is a mistake somewhere; the present figures are in docs/how-to/deploy-on-cloudflare.md. */
const STATEMENTS_PER_BEAD_MAX = 2_500;

async function figures(bench: Ask): Promise<void> {
  const found = await bench<Figures>('/figures', { seed: 1 });
  for (const [name, counts] of Object.entries(found)) console.log(`${name}: ${JSON.stringify(counts)}`);
  const still = { statements: 0, rowsRead: 0, rowsWritten: 0, requests: 0, alarms: 0, alarmsSet: 0 };
  const cases = [
    { name: 'a town at rest has no alarm and runs no statement', run: () => equal(found.perRestDay, still) },
    { name: 'the guide says what a town costs, within a tenth', run: () => equal(wrongInGuide(found), []) },
    {
      name: 'a bead costs what it did',
      run: () => equal(found.perBead.statements < STATEMENTS_PER_BEAD_MAX, true, JSON.stringify(found.perBead)),
    },
  ];
  for (const one of cases) report('figures', 'workerd', await runCase(one, null));
}

/** A receiver of this process that checks the signature as the scheme says. */
async function webhookCase(bench: Ask): Promise<CaseResult> {
  const name = 'a Worker signs what it posts, and the receiver can prove it';
  const seen: { readonly headers: Record<string, string>; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      seen.push({ headers: request.headers as Record<string, string>, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const text = `[escalation.webhook]\nurl = "http://127.0.0.1:${String(port)}/"\nsecret = "env:HOOK"\n`;
  const result = await runCase(
    {
      name,
      run: async () => {
        equal(await bench('/notify', { name: text }), { state: 'sent' });
        const [got] = seen;
        const told = new Webhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw').verify(got?.body ?? '', got?.headers ?? {});
        equal((told as { type: string }).type, 'escalation.raised');
      },
    },
    null,
  );
  server.close();
  return result;
}

/** Both code hosts behind their port from a Worker; what they answer in all cases is in test/conformance. */
async function forgeCase(bench: Ask, folder: string, kind: 'github' | 'gitlab'): Promise<CaseResult> {
  const git = makeBare(join(folder, `${kind}.git`));
  git.setBranch('gt/api-1', git.commit(git.tip('main'), 'a.txt', 'one\n'));
  const server = await forgeServer(kind, git);
  const result = await runCase(
    {
      name: `a Worker opens, sees and merges a pull request (${kind})`,
      run: async () => {
        const name = JSON.stringify({ site: server.site, headSha: git.tip('gt/api-1') });
        const [opened, looked, again, merged] = await bench<[string, string, string, ForgeAnswer]>('/forge', { name });
        equal([opened, looked, again], ['ok', 'ok', 'unchanged']);
        equal(merged.state === 'ok' ? merged.pullRequest.mergeSha : merged.error, git.tip('main'));
      },
    },
    null,
  );
  await server.close();
  return result;
}

async function onWorkerd(bench: Ask): Promise<void> {
  for (const { name } of SQL_CASES) report('sql', 'workerd', await bench<CaseResult>('/sql', { name }));
  const alarms = [...ALARM_CASES, ...OBJECT_ALARM_CASES];
  for (const result of await Promise.all(alarms.map(({ name }) => bench<CaseResult>('/alarm', { name }))))
    report('alarm', 'workerd', result);
  for (const [seed, { name }] of TOWN_CASES.entries())
    report('town', 'workerd', await bench<CaseResult>('/town', { name, seed }));
}

/** Both traces are left in a folder where they part, and where one history was asked for. */
function tellTraces(seed: number, here: readonly string[], there: readonly string[]): void {
  const parting = partingOf(here, there);
  if (parting !== null) partings += 1;
  else if (values.seed === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), `gt-trace-${String(seed)}-`));
  writeFileSync(join(folder, 'node.txt'), `${here.join('\n')}\n`);
  writeFileSync(join(folder, 'workerd.txt'), `${there.join('\n')}\n`);
  console.log(`history ${String(seed)}: traces in ${folder}; ${parting ?? 'they are the same'}`);
}

/** The whole of the long form takes an hour or more: what is known so far is said now and then. */
const SAY_EVERY = 10;

async function compareHistories(start: () => Promise<Workerd>): Promise<void> {
  const startedAtMs = performance.now();
  const { seed } = values;
  const count = seed === undefined ? Number(values.histories ?? (values.short ? 5 : 10)) : 1;
  const steps = Number(values.steps ?? (values.short ? 100 : 200));
  let told = 0;
  let differences = 0;
  const { done, faults } = await tellBoth({
    firstSeed: Number(seed ?? values.from),
    count,
    steps,
    jobs: Math.min(count, Number(values.jobs)),
    start,
    traced: values.trace ? tellTraces : null,
    told: (which, difference) => {
      told += 1;
      if (difference === null) passed += 1;
      else {
        differences += 1;
        failures.push(`history ${String(which)}: ${difference}`);
        console.log(failures.at(-1));
      }
      if (told % SAY_EVERY === 0)
        console.log(`${String(told)} of ${String(count)} told, ${String(differences)} differ`);
    },
  });
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(0);
  console.log(`steps of the histories: ${JSON.stringify(done)}`);
  console.log(
    `histories: ${String(told)} of ${String(steps)} steps, ${String(faults.evictions)} evictions between steps, ` +
      `${String(faults.diedWaiting)} within, ${String(faults.diedInTurn)} deaths in a turn, ` +
      `${String(done['crash'] ?? 0)} crashes, ${String(faults.failedTurns)} turns that threw on ` +
      `${String(done['failing alarms'] ?? 0)} failing disks, ${String(faults.lateAnswers)} late answers, ` +
      `${String(differences)} differences, ${values.trace ? `${String(partings)} partings, ` : ''}${seconds} s`,
  );
}

/** The bench tells errors as text; their code is what a case asks about. */
function asTownError(error: unknown): never {
  const said = error instanceof Error ? error.message : String(error);
  const code = /\[code ([a-z_]+)\]/.exec(said)?.[1];
  throw code === undefined ? error : new TownError('conflict', code, { message: said, next: '' });
}

const CLASSES = [
  ...TOWN_CLASSES,
  { binding: 'BENCH_TOWN', className: 'BenchTownDO' },
  { binding: 'BENCH_RIG', className: 'BenchRigDO' },
  { binding: 'BENCH_MAYOR', className: 'BenchMayorDO' },
  { binding: 'SQL', className: 'SqlDO' },
  { binding: 'ALARM', className: 'AlarmDO' },
];

const newFolder = (): string => mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'gt-hosts-'));
const removeFolder = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true });
};

const optionsOf = (folder: string, bundle: string): WorkerdOptions => ({
  bundle,
  folder,
  classes: CLASSES,
  texts: {
    GT_TOWN_ID: TOWN.id,
    GT_TOWN_NAME: TOWN.name,
    GT_OWNER_TOKEN: OWNER,
    GT_RUNNER_SECRET: SECRETS.runner,
    GT_CAPABILITY_KEY: 'k'.repeat(32),
  },
  port: 0,
  loud: process.env['GT_LOUD'] === '1',
});

async function startTeller(bundle: string): Promise<Workerd> {
  const folder = newFolder();
  const workerd = await startWorkerd(optionsOf(folder, bundle));
  return {
    ask: askOf(() => workerd.url),
    end: async () => {
      await workerd.stop('SIGKILL');
      removeFolder(folder);
    },
  };
}

/** Every port, and the moves from host to host, with one workerd that is killed in between. */
async function comparePorts(folder: string, bundle: string): Promise<void> {
  const options = optionsOf(folder, bundle);
  let workerd = await startWorkerd(options);
  const bench = askOf(() => workerd.url);
  const onMove = async (ask: Ask): Promise<void> => {
    const asked = <T>(path: string, body: unknown): Promise<T> => ask<T>(path, body).catch(asTownError);
    const results = await moveCases(
      {
        door: (name) => (step) => asked('/transfer', { name, step }),
        world: (name, nowMs) => asked('/world', { name, seed: nowMs }),
        goOn: (name) => asked('/go-on', { name }),
        restart: async () => {
          await workerd.stop('SIGKILL');
          workerd = await startWorkerd(options);
        },
      },
      folder,
    );
    for (const result of results) report('move', 'both', result);
  };
  try {
    if (!values.move) {
      await onNode();
      await onWorkerd(bench);
      await compareApi(workerd.url);
      await figures(bench);
      for (const result of await bench<readonly CaseResult[]>('/rpc', {})) report('rpc', 'workerd', result);
      report('webhook', 'workerd', await webhookCase(bench));
      for (const kind of ['github', 'gitlab'] as const)
        report('forge', 'workerd', await forgeCase(bench, folder, kind));
      const stream = new StreamStory(() => workerd.url, OWNER);
      for (const result of await stream.tell(values.short)) report('stream', 'workerd', result);
      await bench('/set-alarm', { name: KILLED, seed: KILLED_ALARM_MS });
      await workerd.stop('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, KILLED_ALARM_MS));
      workerd = await startWorkerd(options);
      report('stream', 'workerd', await stream.afterKill());
      // Nobody calls the object: its alarm is what wakes it.
      await new Promise((resolve) => setTimeout(resolve, WAKES_MS));
      const rings = await bench<number>('/rings', { name: KILLED });
      report('alarm', 'workerd', { name: KILLED, error: rings === 1 ? null : `it rang ${String(rings)} times` });
    }
    await onMove(bench);
  } finally {
    await workerd.stop('SIGTERM');
  }
}

async function main(): Promise<number> {
  const startedAtMs = performance.now();
  const folder = newFolder();
  const bundle = join(folder, 'worker.js');
  const isHistories = values.seed !== undefined || values.histories !== undefined;
  try {
    await bundleWorker(join(import.meta.dirname, 'worker.ts'), bundle);
    if (!isHistories) await comparePorts(folder, bundle);
    if (!values.move) await compareHistories(() => startTeller(bundle));
  } finally {
    removeFolder(folder);
  }
  for (const failure of failures) console.log(`FAILED ${failure}`);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.log(`hosts: ${String(passed)} passed, ${String(failures.length)} failed, ${seconds} s`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();

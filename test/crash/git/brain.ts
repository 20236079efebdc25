/**
 * The real brain in this process, in memory, on a clock that skips waits in which nothing runs; the runner beside it is a
 * process of its own with real git, started again whenever it is gone, as the daemon does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createApp } from '../../../src/api/app.ts';
import { mintCapability } from '../../../src/api/capability.ts';
import { TownService } from '../../../src/actors/town-service.ts';
import { trusted, type RunnerInstance } from '../../../src/core/model/ids.ts';
import { checkRig, checkTown, type Violation } from '../../../src/core/invariants.ts';
import type { Forge } from '../../../src/ports/forge.ts';
import type { HostPorts } from '../../../src/ports/host.ts';
import { silentLog } from '../../../src/ports/log.ts';
import type { RunnerClient } from '../../../src/ports/runner-client.ts';
import { nodeForge } from '../../../src/hosts/node/forge.ts';
import { loadConfig } from '../../../src/hosts/node/town-config.ts';
import { listenOnSocket, type Listener } from '../../../src/hosts/node/http-server.ts';
import { systemRandom } from '../../../src/hosts/node/random.ts';
import { HttpRunnerClient } from '../../../src/hosts/node/runner-client.ts';
import { SqliteSql } from '../../../src/hosts/node/sql-sqlite.ts';
import {
  brainSocket,
  ensureSocketDir,
  readSecrets,
  runnerSocket,
  type Town,
} from '../../../src/hosts/node/town-files.ts';
import { checkMayor } from '../../../src/core/mayor-invariants.ts';
import { MAYOR_ADDRESS } from '../../../src/core/model/mayor.ts';
import { readMayorFacts } from '../../../src/store/mayor-facts.ts';
import { readInvariantFacts } from '../../../src/store/invariant-facts.ts';
import { readTownFacts } from '../../../src/store/town-facts.ts';
import { sleep } from '../../support/processes.ts';

const RUNNER_MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'runner', 'main.ts');
const POLL_MS = 5;
/** A runner that does not come up by then never will; a loaded machine needs seconds. */
const RUNNER_UP_MS = 30_000;
/** Nothing has happened for this long: what is waited for is a time, so the clock may skip to it. */
const QUIET_MS = 40;

/** What does not hold in one actor's database. */
function violations(address: string, sql: SqliteSql, nowMs: number): readonly Violation[] {
  if (address === MAYOR_ADDRESS) return checkMayor(readMayorFacts(sql));
  return address === 'town' ? checkTown(readTownFacts(sql)) : checkRig(readInvariantFacts(sql), nowMs);
}

const lives = (child: ChildProcess | null): child is ChildProcess =>
  child !== null && child.exitCode === null && child.signalCode === null;

export class GitBrain {
  readonly databases = new Map<string, SqliteSql>();
  readonly service: TownService;
  runnerStarts = 0;
  readonly #town: Town;
  readonly #path: string;
  readonly #onRunner: (pid: number) => void;
  readonly #client: HttpRunnerClient;
  readonly #alarms = new Map<string, { atMs: number; readonly run: () => void }>();
  readonly #accepted = new Set<string>();
  #listener: Listener | null = null;
  #child: ChildProcess | null = null;
  #instance: RunnerInstance | null = null;
  #skippedMs = 0;
  #calls = 0;
  #lastNewsMs = 0;

  constructor(options: { readonly town: Town; readonly path: string; readonly onRunner: (pid: number) => void }) {
    this.#town = options.town;
    this.#path = options.path;
    this.#onRunner = options.onRunner;
    this.#client = new HttpRunnerClient({
      to: { socketPath: runnerSocket(options.town.identity) },
      token: () => Promise.resolve(readSecrets(options.town.paths).runnerCalls),
      instance: () => this.#instance,
    });
    this.service = new TownService({ id: options.town.identity.id, name: 'harness', ports: this.#ports() });
  }

  async open(): Promise<void> {
    ensureSocketDir(this.#town.identity);
    await this.service.start(loadConfig(this.#town.paths, {}).rigs);
    const secrets = readSecrets(this.#town.paths);
    const app = createApp({
      gateway: this.service,
      auth: {
        owner: secrets.owner,
        brainCalls: secrets.brainCalls,
        capabilityKey: secrets.capabilityKey,
        ownerActor: 'human/owner',
      },
      clock: { now: () => this.nowMs },
      log: silentLog,
      loopbackOnly: false,
      ready: () => true,
      addRig: () => Promise.reject(new Error('not here')),
      changeRig: () => Promise.reject(new Error('not here')),
      removeRig: () => Promise.reject(new Error('not here')),
      transcript: () => Promise.reject(new Error('not here')),
      runnerLine: { drain: () => Promise.resolve() },
    });
    this.#listener = await listenOnSocket(async (request) => {
      this.#lastNewsMs = Date.now();
      return app.fetch(request);
    }, brainSocket(this.#town.identity));
    await this.#ensureRunner();
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (lives(child)) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    this.#client.close();
    this.service.stop();
    await this.#listener?.close();
  }

  get nowMs(): number {
    return Date.now() + this.#skippedMs;
  }

  /** Lets the world go on until `look` finds something; null after so many real milliseconds. */
  async until<T>(look: () => Promise<T | null>, patienceMs: number): Promise<T | null> {
    const endMs = Date.now() + patienceMs;
    while (Date.now() < endMs) {
      const found = await look();
      if (found !== null) return found;
      await this.#step();
    }
    return null;
  }

  async #step(): Promise<void> {
    await this.#ensureRunner();
    for (const [address, alarm] of this.#alarms) {
      if (alarm.atMs > this.nowMs) continue;
      this.#alarms.delete(address);
      this.#lastNewsMs = Date.now();
      alarm.run();
    }
    if (this.#idle()) {
      const next = Math.min(...[...this.#alarms.values()].map(({ atMs }) => atMs));
      if (Number.isFinite(next)) this.#skippedMs += Math.max(0, next - this.nowMs);
    }
    await sleep(POLL_MS);
    this.#check();
  }

  /** Nobody works and nobody is asked: only time can bring anything. */
  #idle(): boolean {
    if (this.#calls > 0 || Date.now() - this.#lastNewsMs < QUIET_MS) return false;
    const has = (query: string, ...args: readonly string[]): boolean =>
      [...this.databases].some(([address, sql]) => address.startsWith('rig/') && sql.all(query, ...args).length > 0);
    for (const key of this.#accepted)
      if (!has(`SELECT 1 AS one FROM outbox WHERE key = ? AND state = 'pending'`, `job:${key}`))
        this.#accepted.delete(key);
    return this.#accepted.size === 0 && !has('SELECT 1 AS one FROM attempts WHERE process_gone = 0 LIMIT 1');
  }

  #check(): void {
    for (const [address, sql] of this.databases) {
      const found = violations(address, sql, this.nowMs);
      for (const { code, text } of found) throw new Error(`${address}: ${code} ${text}`);
    }
  }

  async #ensureRunner(): Promise<void> {
    if (lives(this.#child)) return;
    this.#instance = null;
    this.#accepted.clear();
    const program = ['--disable-warning=ExperimentalWarning', RUNNER_MAIN, '--town', this.#town.paths.root];
    const started = spawn(process.execPath, program, {
      stdio: ['ignore', 'ignore', process.env['GT_TEST_LOG'] === undefined ? 'ignore' : 'inherit'],
      env: { ...process.env, PATH: this.#path },
    });
    this.#child = started;
    this.runnerStarts += 1;
    if (started.pid !== undefined) this.#onRunner(started.pid);
    await this.#take(started);
  }

  /** Returns when the new runner serves, or is dead again. */
  async #take(started: ChildProcess): Promise<void> {
    const endMs = Date.now() + RUNNER_UP_MS;
    while (lives(started) && Date.now() < endMs) {
      const health = await this.#client.health().catch(() => null);
      if (health !== null && health.pid === started.pid) {
        this.#instance = trusted.runner(health.instance);
        await this.service.runnerChanged(health.instance);
        return;
      }
      await sleep(POLL_MS);
    }
    if (lives(started)) throw new Error('the runner does not come up');
  }

  #ports(): HostPorts {
    return {
      clock: { now: () => this.nowMs },
      random: systemRandom,
      log: silentLog,
      runner: this.#counted(),
      forge: this.#forge(),
      openSql: (address) => {
        const sql = SqliteSql.open(':memory:', { readOnly: false });
        this.databases.set(address, sql);
        return sql;
      },
      openAlarm: (address, onAlarm) => ({
        set: (atMs) => {
          if (atMs === null) this.#alarms.delete(address);
          else this.#alarms.set(address, { atMs, run: onAlarm });
        },
      }),
      defer: (work) => {
        setImmediate(work);
      },
      after: (delayMs, work) => {
        const timer = setTimeout(work, delayMs);
        return () => {
          clearTimeout(timer);
        };
      },
      mintCapability: (capability) => mintCapability(capability, readSecrets(this.#town.paths).capabilityKey),
    };
  }

  /** A call under way: time must not be skipped meanwhile. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.#calls += 1;
    try {
      return await work();
    } finally {
      this.#calls -= 1;
      this.#lastNewsMs = Date.now();
    }
  }

  #forge(): Forge {
    const forge = nodeForge({}, () => this.nowMs);
    return {
      open: (request) => this.#call(() => forge.open(request)),
      look: (ref, tag) => this.#call(() => forge.look(ref, tag)),
      merge: (request) => this.#call(() => forge.merge(request)),
      close: (request) => this.#call(() => forge.close(request)),
    };
  }

  #counted(): RunnerClient {
    const client = this.#client;
    const call = <T>(work: () => Promise<T>): Promise<T> => this.#call(work);
    return {
      instance: () => client.instance(),
      health: () => call(() => client.health()),
      start: (request) => call(() => client.start(request)),
      report: (attempts) => call(() => client.report(attempts)),
      stop: (request) => call(() => client.stop(request)),
      message: (message) => call(() => client.message(message)),
      job: async (job) => {
        const answer = await call(() => client.job(job));
        if (answer.state === 'accepted') this.#accepted.add(job.key);
        else this.#accepted.delete(job.key);
        return answer;
      },
    };
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inOneLine } from '../../core/job-trouble.ts';
import { duration } from '../../core/text.ts';
import { trusted } from '../../core/model/ids.ts';
import type { RunnerInstance } from '../../core/model/ids.ts';
import type { RunnerTrouble } from '../../core/runner-trouble.ts';
import type { Log } from '../../ports/log.ts';
import { held } from './held.ts';
import { HttpRunnerClient } from './runner-client.ts';
import { LogTail } from './log-tail.ts';
import { runnerSocket } from './town-files.ts';
import type { Town, TownSecrets } from './town-files.ts';

/** Waits between starts of a runner that does not come up: first, and cap. */
const RESPAWN_MIN_MS = 250;
const RESPAWN_MAX_MS = 30_000;
/** Cap for one that came up and was lost later, however often: its agents' work has to go on within 15 s. */
const RESPAWN_LOST_MAX_MS = 5_000;
/** A new process takes about half a second to open its socket. */
const START_WAIT_MS = 15_000;
const START_POLL_MS = 50;
/** A runner that lived this long resets the back-off. */
const STABLE_AFTER_MS = 60_000;
/** Starts in a row that came to nothing before people are told: one alone may be the former runner that is still ending. */
const STARTS_BEFORE_TOLD = 2;

export interface SupervisorOptions {
  readonly town: Town;
  readonly secrets: TownSecrets;
  readonly log: Log;
  /** Told once per new runner process, and with null when it is proven gone. Must not throw. */
  readonly onInstance: (instance: RunnerInstance | null) => void;
}

/**
 * Keeps one runner beside the daemon: adopts the one that runs, starts one when none does, and watches it by a held
 * connection whose end proves that the process is gone. The runner outlives the daemon on purpose.
 */
export class RunnerSupervisor {
  readonly client: HttpRunnerClient;
  readonly #options: SupervisorOptions;
  readonly #stop = new AbortController();
  #instance: RunnerInstance | null = null;
  #pid: number | null = null;
  #loop: Promise<void> | null = null;
  #trouble: RunnerTrouble | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.client = new HttpRunnerClient({
      to: { socketPath: runnerSocket(options.town.identity) },
      token: () => Promise.resolve(options.secrets.runnerCalls),
      instance: () => this.#instance,
    });
  }

  pid(): number | null {
    return this.#pid;
  }

  /** Null: a runner is there, or was not tried for often enough to say that it will not be. */
  trouble(): RunnerTrouble | null {
    return this.#trouble !== null && this.#trouble.starts >= STARTS_BEFORE_TOLD ? this.#trouble : null;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Stops watching and leaves the runner and its agents alone; the client stays open for calls under way. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let backOffMs = RESPAWN_MIN_MS;
    while (!this.#stop.signal.aborted) {
      const startedAtMs = Date.now();
      const isUp = (await this.#adopt()) || (await this.#trySpawn());
      if (isUp) {
        await this.#watch();
        if (this.#stop.signal.aborted) return;
        this.#setInstance(null, null);
        this.#options.log.warn('runner is gone');
      }
      if (Date.now() - startedAtMs > STABLE_AFTER_MS) backOffMs = RESPAWN_MIN_MS;
      await this.#sleep(backOffMs);
      backOffMs = Math.min(backOffMs * 2, isUp ? RESPAWN_LOST_MAX_MS : RESPAWN_MAX_MS);
    }
  }

  /** True when a runner answers on the socket. */
  async #adopt(): Promise<boolean> {
    try {
      const health = await this.client.health();
      this.#setInstance(trusted.runner(health.instance), health.pid);
      return true;
    } catch {
      return false;
    }
  }

  /** No files, memory or disk for a new process now is no reason to never try again. */
  async #trySpawn(): Promise<boolean> {
    try {
      return await this.#spawn();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.#options.log.error('runner not started', { cause });
      this.#failed(cause);
      return false;
    }
  }

  /** A start came to nothing. */
  #failed(cause: string): void {
    if (this.#stop.signal.aborted) return;
    const { starts = 0, sinceMs = Date.now() } = this.#trouble ?? {};
    this.#trouble = { starts: starts + 1, cause: inOneLine(cause), sinceMs };
  }

  async #spawn(): Promise<boolean> {
    const { town, log } = this.#options;
    const output = openSync(town.paths.runnerLog, 'a');
    const said = new LogTail(town.paths.runnerLog);
    let gone: string | null = null;
    let child: ChildProcess;
    try {
      child = spawn(process.execPath, [...process.execArgv, runnerMain(), '--town', town.paths.root], {
        detached: true,
        stdio: ['ignore', output, output],
        cwd: town.paths.root,
      });
      child.on('error', (error) => {
        gone = error.message;
      });
      child.on('exit', (code, signal) => {
        gone = `its process ended ${signal === null ? `with code ${String(code)}` : `by ${signal}`}`;
        log.warn('runner process ended', { pid: child.pid ?? null, code, signal });
      });
      child.unref();
      log.info('runner started', { pid: child.pid ?? null });
    } finally {
      closeSync(output);
    }
    const deadlineMs = Date.now() + START_WAIT_MS;
    while (gone === null && Date.now() < deadlineMs && !this.#stop.signal.aborted) {
      if (await this.#adopt()) return true;
      await this.#sleep(START_POLL_MS);
    }
    if (this.#stop.signal.aborted) {
      // Nobody met it: whoever stops the town asks its socket, where nothing answers yet, and it would stay behind.
      if (gone === null) child.kill('SIGTERM');
      return false;
    }
    log.error('runner did not come up', { log: town.paths.runnerLog });
    this.#failed(said.lastLine() ?? gone ?? `it did not answer within ${duration(START_WAIT_MS)}`);
    return false;
  }

  /** Resolves when the held connection ends, which it does only with the runner's process or our stop. */
  #watch(): Promise<void> {
    const to = { socketPath: runnerSocket(this.#options.town.identity) };
    return held(to, this.#options.secrets.runnerCalls, this.#stop.signal);
  }

  #setInstance(instance: RunnerInstance | null, pid: number | null): void {
    this.#pid = pid;
    if (instance !== null) this.#trouble = null;
    if (this.#instance === instance) return;
    this.#instance = instance;
    if (instance !== null) this.#options.log.info('runner is up', { instance, pid });
    this.#options.onInstance(instance);
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (this.#stop.signal.aborted) done();
      else this.#stop.signal.addEventListener('abort', done);
    });
  }
}

/** The runner's entry point beside this file: source in a clone, compiled in a package. */
function runnerMain(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../runner/main.${extension}`, import.meta.url));
}

/** Starting and stopping the daemon and the runner from outside. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { type ErrorKind, TownError } from '../../core/errors.ts';
import { readIfThere } from './atomic-file.ts';
import { loadConfig } from './town-config.ts';
import { daemonStatus, runsAlready } from './daemon-state.ts';
import type { DaemonStatus } from './daemon-state.ts';
import { mustNotBeHeld } from './held-town.ts';
import { isLocked } from './lock.ts';
import { mustTakeOf } from './must-take.ts';
import { HttpRunnerClient } from './runner-client.ts';
import { readSecrets, runnerSocket } from './town-files.ts';
import type { Town } from './town-files.ts';

/** Opening a large town and its sockets takes a second or two; longer means that it does not come up. */
const READY_WAIT_MS = 30_000;
/** The daemon finishes its turn and cuts requests after 3 s. */
const DAEMON_STOP_WAIT_MS = 15_000;
/** The runner stops its agents one ladder at a time and rescues their work. */
const RUNNER_STOP_WAIT_MS = 120_000;
const POLL_MS = 25;
const LOG_LINES_SHOWN = 5;

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

export function statusOf(town: Town): DaemonStatus {
  return daemonStatus(town.paths, pidFileOf(town));
}

/** A broken configuration must not keep anybody from looking at the daemon or from stopping it. */
function pidFileOf(town: Town): string {
  try {
    return loadConfig(town.paths, process.env).pidFile;
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return town.paths.pidFile;
  }
}

export interface StartInput {
  readonly town: Town;
  /** `src/cli/main.ts`, or its compiled form. */
  readonly main: string;
}

/** Starts a daemon in the background and waits until it serves. Errors: those of the configuration, `daemon_running`, `daemon_not_ready`. */
export async function startDaemon(input: StartInput): Promise<DaemonStatus> {
  const { paths } = input.town;
  mustNotBeHeld(paths);
  const { rigs } = loadConfig(paths, process.env);
  const before = statusOf(input.town);
  if (before.running) throw runsAlready(before);
  mustTakeOf(paths)(rigs);
  mkdirSync(paths.daemonDir, { recursive: true });
  const output = openSync(paths.daemonLog, 'a');
  let ended: number | null = null;
  const child = spawn(process.execPath, [...process.execArgv, input.main, 'daemon', 'run', '--town', paths.root], {
    detached: true,
    stdio: ['ignore', output, output],
    cwd: paths.root,
    env: { ...process.env, GT_DAEMON_BACKGROUND: '1' },
  });
  closeSync(output);
  child.on('exit', (code) => {
    ended = code ?? 1;
  });
  child.unref();
  const deadlineMs = Date.now() + READY_WAIT_MS;
  while (ended === null && Date.now() < deadlineMs) {
    const now = statusOf(input.town);
    if (now.running && now.url !== null && now.pid === child.pid) return now;
    await sleep(POLL_MS);
  }
  throw notReady(input.town, ended);
}

/** What the daemon could not do is what `gt up` could not do: its exit code is kept. */
const KIND_OF_END: ReadonlyMap<number, ErrorKind> = new Map([
  [2, 'usage'],
  [3, 'precondition'],
  [5, 'conflict'],
]);

function notReady(town: Town, ended: number | null): TownError {
  const log = readIfThere(town.paths.daemonLog) ?? '';
  const lines = log.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n    ');
  const what = ended === null ? 'did not come up in time' : `ended at once with code ${String(ended)}`;
  return new TownError(KIND_OF_END.get(ended ?? 0) ?? 'internal', 'daemon_not_ready', {
    message: `The daemon ${what}. Its log ends:\n    ${lines}`,
    next: 'Correct that and try again; "gt daemon run" shows it in the foreground.',
  });
}

/** Asks the daemon to stop and waits. False when none was running. Errors: `daemon_stuck`. */
export async function stopDaemon(town: Town, now: boolean): Promise<boolean> {
  const status = statusOf(town);
  if (!status.running) return false;
  if (status.pid === null) throw stuck('It holds its lock, but its process id is unknown.');
  signal(status.pid, now ? 'SIGKILL' : 'SIGTERM');
  const deadlineMs = Date.now() + DAEMON_STOP_WAIT_MS;
  while (isLocked(town.paths.lockFile)) {
    if (Date.now() > deadlineMs)
      throw stuck(`It (pid ${String(status.pid)}) did not stop within ${String(DAEMON_STOP_WAIT_MS / 1_000)} s.`);
    await sleep(POLL_MS);
  }
  return true;
}

function stuck(message: string): TownError {
  return new TownError('busy', 'daemon_stuck', {
    message: `The daemon did not stop. ${message}`,
    next: 'Try again, or use "gt daemon stop --now"; no acknowledged work is lost by that.',
  });
}

export interface RunnerStatus {
  readonly running: boolean;
  readonly pid: number | null;
  readonly instance: string | null;
  readonly agents: number;
}

/** Asks the runner itself. */
export async function runnerStatus(town: Town): Promise<RunnerStatus> {
  const client = new HttpRunnerClient({
    to: { socketPath: runnerSocket(town.identity) },
    token: () => Promise.resolve(readSecrets(town.paths).runnerCalls),
    instance: () => null,
  });
  try {
    const health = await client.health();
    return { running: true, pid: health.pid, instance: health.instance, agents: health.live.length };
  } catch {
    return { running: false, pid: null, instance: null, agents: 0 };
  } finally {
    client.close();
  }
}

/** Stops the runner with its agents, whose work it rescues first. False when none was running. Errors: `runner_stuck`. */
export async function stopRunner(town: Town): Promise<boolean> {
  const before = await runnerStatus(town);
  if (before.pid === null) return false;
  // The answer on the socket proves that this pid is our runner and not a reused number.
  signal(before.pid, 'SIGTERM');
  const deadlineMs = Date.now() + RUNNER_STOP_WAIT_MS;
  while (isAlive(before.pid)) {
    if (Date.now() > deadlineMs)
      throw new TownError('busy', 'runner_stuck', {
        message: `The runner (pid ${String(before.pid)}) still stops its agents.`,
        next: 'Try "gt down" again in a minute; "gt daemon logs" and daemon/runner.log say what it waits for.',
      });
    await sleep(POLL_MS);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in the meantime; the caller looks again anyway.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

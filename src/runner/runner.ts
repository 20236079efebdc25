import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';

import { crockford, sortableTime } from '../core/model/ids.ts';
import { LOCAL_RUNNER } from '../core/model/runner.ts';
import type { Log } from '../ports/log.ts';
import { startHeartbeat } from './agents/activity.ts';
import { startAllowance } from './agents/allowance.ts';
import { recover } from './agents/recover.ts';
import { startSaving } from './agents/save.ts';
import { orderEnd } from './agents/stop.ts';
import { Brain } from './brain.ts';
import { systemClock, within } from './clock.ts';
import { HttpBrainWire, type BrainWire } from './brain-wire.ts';
import { readTownConfig, type TownAccess } from './config.ts';
import type { RunnerContext } from './context.ts';
import { Forwarder } from './forwarder.ts';
import { git } from './git/git.ts';
import { findBubblewrap } from './isolation/bubblewrap.ts';
import { WorktreePool } from './git/pool.ts';
import { Pushes } from './git/pushes.ts';
import { Repos } from './git/repos.ts';
import { startHousekeeping } from './housekeeping.ts';
import { listen } from './http/server.ts';
import { JobEngine } from './jobs/engine.ts';
import { DEFAULT_TIMINGS, type RunnerTimings } from './limits.ts';
import { type RunnerLock, takeRunnerLock } from './lock.ts';
import { brainSocket, runnerPaths, type RunnerPaths } from './paths.ts';
import { RunnerService } from './service.ts';
import { AttemptStore } from './store/attempts.ts';
import { RunnerDb } from './store/db.ts';
import { FactStore } from './store/facts.ts';
import { JobStore } from './store/jobs.ts';
import { SaidStore } from './store/said.ts';
import { SessionStore } from './store/sessions.ts';
import { SetAsideStore } from './store/set-aside.ts';
import { WorktreeStore } from './store/worktrees.ts';

export interface RunnerOptions {
  readonly townRoot: string;
  readonly log: Log;
  readonly timings?: Partial<RunnerTimings>;
}

/** Where a runner lives and how it reaches its town; made from the town's folder, or from a token on another machine. */
export interface RunnerHome {
  readonly name: string;
  readonly town: TownAccess;
  readonly paths: RunnerPaths;
  readonly socketDir: string;
  readonly wire: BrainWire;
  readonly capacity: number | null;
  readonly labels: readonly string[];
}

export interface RunnerHandle {
  readonly instance: string;
  readonly socketPath: string;
  /**
   * Ends in order: no new work, agents get SIGTERM and a short grace, their work is rescued, facts get a last try. What is
   * not done within the limit is done by the next runner's sweep.
   */
  stop(): Promise<void>;
}

/**
 * Starts the runner beside a town's daemon: lock, sweep of a predecessor's agents, their exit records, then the socket
 * and the facts. Errors: `runner_running` (busy) when another runner lives; those of `readTownConfig`.
 */
export async function startRunner(options: RunnerOptions): Promise<RunnerHandle> {
  const town = await readTownConfig(options.townRoot);
  const { brainCalls, runnerCalls } = town;
  const home: RunnerHome = {
    name: LOCAL_RUNNER,
    town: { id: town.id, runnerCalls: () => Promise.resolve(runnerCalls) },
    paths: runnerPaths(options.townRoot, town.socketDir),
    socketDir: town.socketDir,
    wire: new HttpBrainWire({ socketPath: brainSocket(town.socketDir) }, () => Promise.resolve(brainCalls)),
    capacity: null,
    labels: [],
  };
  return (await startRunnerAt(home, options)).handle;
}

/** The same at any home. The service is for lines to the brain that the caller holds. */
export async function startRunnerAt(
  home: RunnerHome,
  options: Pick<RunnerOptions, 'log' | 'timings'>,
): Promise<{ readonly handle: RunnerHandle; readonly service: RunnerService }> {
  mkdirSync(home.paths.state, { recursive: true, mode: 0o700 });
  mkdirSync(home.socketDir, { recursive: true, mode: 0o700 });
  const lock = takeRunnerLock(home.paths.lock, home.paths.pidFile);
  try {
    return await compose({ options, home, lock });
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Parts {
  readonly options: Pick<RunnerOptions, 'log' | 'timings'>;
  readonly home: RunnerHome;
  readonly lock: RunnerLock;
}

async function compose(parts: Parts): Promise<{ readonly handle: RunnerHandle; readonly service: RunnerService }> {
  const ctx = makeContext(parts);
  ctx.facts.onSetAside = (key, reason) => {
    ctx.log.error('a fact can not be read, it is set aside', { key, reason: reason.slice(0, 200) });
  };
  const forwarder = new Forwarder({ facts: ctx.facts, brain: ctx.brain, timings: ctx.timings, log: ctx.log });
  const again = ctx.facts.retryRejected();
  if (again > 0) ctx.log.info('facts that were set aside are offered again', { facts: again });
  await recover(ctx);
  const jobs = new JobEngine(ctx);
  const service = new RunnerService({ ctx, jobs, forwarder, versions: await versions(ctx) });
  const server = await listen(service);
  ctx.facts.onRecorded = () => {
    forwarder.wake();
  };
  forwarder.wake();
  const stopHeartbeat = startHeartbeat(ctx);
  const stopSaving = startSaving(ctx);
  const stopAllowance = startAllowance(ctx);
  const stopHousekeeping = startHousekeeping(ctx);
  ctx.pushes.wake();
  ctx.log.info('runner ready', { instance: ctx.instance });
  let stopping: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    service.drain(null);
    stopHeartbeat();
    stopSaving();
    stopAllowance();
    await within(Promise.all([endWork(ctx, jobs), stopHousekeeping()]), ctx.timings.shutdownMs);
    await close({ ctx, service, server, forwarder });
    parts.lock.release();
  };
  const handle: RunnerHandle = {
    instance: ctx.instance,
    socketPath: ctx.paths.runnerSocket,
    stop: () => {
      stopping ??= end();
      return stopping;
    },
  };
  return { handle, service };
}

function makeContext({ options, home }: Parts): RunnerContext {
  const { town, paths } = home;
  for (const folder of [paths.transcripts, paths.attempts, paths.repos, paths.worktrees])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const clock = systemClock();
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const db = new RunnerDb(paths.database);
  const repos = new Repos({ town: town.id, runner: home.name }, paths);
  return {
    name: home.name,
    capacity: home.capacity,
    labels: home.labels,
    town,
    paths,
    instance: `rn-${sortableTime(clock.now())}${crockford(randomBytes(6))}`,
    timings,
    clock,
    log: options.log,
    db,
    attempts: new AttemptStore(db),
    facts: new FactStore(db),
    jobs: new JobStore(db),
    brain: new Brain({ wire: home.wire, town: town.id, callMs: timings.brainCallMs }),
    repos,
    pushes: new Pushes({ db, repos, timings, log: options.log }),
    said: new SaidStore(db),
    sessions: new SessionStore(db),
    setAside: new SetAsideStore(db),
    pool: new WorktreePool(paths, new WorktreeStore(db), options.log),
    live: new Map(),
  };
}

async function endWork(ctx: RunnerContext, jobs: JobEngine): Promise<void> {
  const graceMs = ctx.timings.shutdownGraceMs;
  await Promise.all([
    ...[...ctx.live.values()].map((live) => orderEnd(ctx, live, { ending: 'runner_lost', graceMs })),
    jobs.stop(),
  ]);
  await ctx.pool.settled();
  const { waiting } = ctx.facts.counts();
  if (waiting > 0) await within(factsGone(ctx), ctx.timings.retryMsMax);
}

async function factsGone(ctx: RunnerContext): Promise<void> {
  for (const rig of ctx.facts.rigsWaiting()) {
    await Promise.all(ctx.facts.oldest(rig).map((fact) => ctx.facts.delivered(fact.key)));
  }
}

async function close(parts: {
  readonly ctx: RunnerContext;
  readonly service: RunnerService;
  readonly server: Server;
  readonly forwarder: Forwarder;
}): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    parts.server.close(() => {
      resolve();
    });
  });
  parts.service.closeWatches();
  parts.server.closeAllConnections();
  parts.ctx.brain.close();
  await within(Promise.all([parts.forwarder.stop(), parts.ctx.pushes.stop()]), parts.ctx.timings.retryMsMax);
  await closed;
  parts.ctx.db.close();
}

async function versions(ctx: RunnerContext): Promise<Record<string, string>> {
  const found = await git({ town: ctx.town.id, runner: ctx.name, gitDir: ctx.paths.repos }, ['version']);
  const { works, version } = await findBubblewrap();
  return {
    node: process.versions.node,
    git: found.stdout.trim().replace('git version ', ''),
    ...(works && version !== null ? { bubblewrap: version } : {}),
  };
}

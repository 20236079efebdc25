import { freemem } from 'node:os';
import { statfs } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

import { PROTOCOL_VERSION } from '../api/contract/protocol.ts';
import type { RunnerHealth } from '../api/contract/runner-health.ts';
import { orderEnd } from './agents/stop.ts';
import type { RunnerContext } from './context.ts';
import { beginWatch } from './http/watch.ts';
import type { Forwarder } from './forwarder.ts';
import type { JobEngine } from './jobs/engine.ts';

/** Longest delay that a timer takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The runner as its routes see it. */
export class RunnerService {
  readonly ctx: RunnerContext;
  readonly jobs: JobEngine;
  readonly #forwarder: Forwarder;
  readonly #startedAtMs: number;
  readonly #versions: Readonly<Record<string, string>>;
  readonly #watchers = new Set<ServerResponse>();
  #draining = false;
  #drainTimer: NodeJS.Timeout | null = null;

  constructor(parts: {
    readonly ctx: RunnerContext;
    readonly jobs: JobEngine;
    readonly forwarder: Forwarder;
    readonly versions: Readonly<Record<string, string>>;
  }) {
    this.ctx = parts.ctx;
    this.jobs = parts.jobs;
    this.#forwarder = parts.forwarder;
    this.#versions = parts.versions;
    this.#startedAtMs = parts.ctx.clock.now();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** No new agents. Those that still run after `graceMs` are ended in order; null: they take their time. */
  drain(graceMs: number | null): void {
    this.#draining = true;
    this.#dropDeadline();
    if (graceMs === null) return;
    this.#drainTimer = setTimeout(
      () => {
        this.#endAll();
      },
      Math.min(graceMs, TIMER_MS_MAX),
    );
    this.#drainTimer.unref();
  }

  undrain(): void {
    this.#draining = false;
    this.#dropDeadline();
  }

  #dropDeadline(): void {
    if (this.#drainTimer !== null) clearTimeout(this.#drainTimer);
    this.#drainTimer = null;
  }

  #endAll(): void {
    const graceMs = this.ctx.timings.stopGraceMs;
    for (const live of this.ctx.live.values()) void orderEnd(this.ctx, live, { ending: 'drained', graceMs });
  }

  /** The brain is there: facts that wait go now. */
  brainSeen(): void {
    this.#forwarder.wake();
  }

  async health(): Promise<RunnerHealth> {
    const { ctx } = this;
    const disk = await statfs(ctx.paths.state).then(
      (stats) => stats.bavail * stats.bsize,
      () => null,
    );
    return {
      instance: ctx.instance,
      pid: process.pid,
      town: ctx.town.id,
      startedAtMs: this.#startedAtMs,
      draining: this.#draining,
      live: [...ctx.live.values()].map((live) => ({
        attempt: live.request.attempt,
        agent: live.request.agent,
        pid: live.pid,
      })),
      jobsRunning: this.jobs.running,
      freeDiskBytes: disk,
      freeMemoryBytes: freemem(),
      versions: { ...this.#versions },
      protocol: PROTOCOL_VERSION,
      capacity: ctx.capacity,
      labels: [...ctx.labels],
      nowMs: ctx.clock.now(),
      refusedFacts: ctx.facts.refused(),
    };
  }

  /** Keeps the answer open for as long as this process lives. `beats`: with signs of life. */
  openWatch(response: ServerResponse, beats: boolean): void {
    beginWatch(response, { instance: this.ctx.instance, beats });
    this.#watchers.add(response);
    response.once('close', () => {
      this.#watchers.delete(response);
    });
  }

  closeWatches(): void {
    for (const response of this.#watchers) response.destroy();
  }
}

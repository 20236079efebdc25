import { freemem } from 'node:os';
import { statfs } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';

import type { RunnerHealth } from '../api/contract/runner.ts';
import type { RunnerContext } from './context.ts';
import type { Forwarder } from './forwarder.ts';
import type { JobEngine } from './jobs/engine.ts';

/** The runner as its HTTP routes see it. */
export class RunnerService {
  readonly ctx: RunnerContext;
  readonly jobs: JobEngine;
  readonly #forwarder: Forwarder;
  readonly #startedAtMs: number;
  readonly #versions: Readonly<Record<string, string>>;
  readonly #watchers = new Set<ServerResponse>();
  #draining = false;

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

  drain(): void {
    this.#draining = true;
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
    };
  }

  /** Keeps the answer open for as long as this process lives; its end is what the caller waits for. */
  openWatch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
    response.write(`${this.ctx.instance}\n`);
    this.#watchers.add(response);
    response.once('close', () => {
      this.#watchers.delete(response);
    });
  }

  closeWatches(): void {
    for (const response of this.#watchers) response.destroy();
  }
}

import { createHash } from 'node:crypto';

import type { Job, JobAnswer, JobResult } from '../../api/contract/runner.ts';
import { unreachable } from '../../core/assert.ts';
import { TownError } from '../../core/errors.ts';
import { GATES_AT_ONCE_MAX } from '../../core/limits.ts';
import { within } from '../clock.ts';
import type { RunnerContext } from '../context.ts';
import { checkBranch } from '../../core/branch-name.ts';
import { checkUrl } from '../git/names.ts';
import { ERROR_CHARS_MAX } from '../limits.ts';
import { Semaphore } from '../mutex.ts';
import { pathSegment } from '../paths.ts';
import { sweep } from '../process/sweep.ts';
import { errorText } from '../text.ts';
import { runBranch } from './branch.ts';
import { gateMarker, runGates } from './gates.ts';
import { runMerge } from './merge.ts';
import { runPromote, runPush } from './push.ts';
import { runRepo, runVerify } from './repo-jobs.ts';
import { runRevert } from './revert.ts';

interface Running {
  readonly job: Job;
  readonly cancel: AbortController;
  readonly finished: Promise<JobResult>;
  /** The caller went away with `accepted`: the result has to be told by a fact. */
  tellByFact: boolean;
}

/** Longer keys are hashed, since a fact's key has 200 characters at most. */
const JOB_KEY_CHARS_MAX = 140;
/** Jobs that are begun between two prunings of finished ones. */
const PRUNE_EVERY = 200;

/** Runs jobs once per key. Every kind may be run again after a crash with the same outcome. */
export class JobEngine {
  readonly #ctx: RunnerContext;
  readonly #running = new Map<string, Running>();
  readonly #gates = new Semaphore(GATES_AT_ONCE_MAX);
  #begun = 0;
  #stopping = false;

  constructor(ctx: RunnerContext) {
    this.#ctx = ctx;
  }

  get running(): number {
    return this.#running.size;
  }

  /** `done` with the result when it is stored or comes quickly, else `accepted` and a fact later. Errors: `bad_url`, `bad_branch`, `bad_name`. */
  async post(job: Job): Promise<JobAnswer> {
    checkUrl(job.repo.url);
    checkBranch(job.repo.targetBranch);
    if (job.kind === 'branch') checkBranch(job.from);
    pathSegment(job.repo.rig, 'a rig');
    const stored = this.#ctx.jobs.result(job.key);
    if (stored !== null) return { state: 'done', result: stored };
    const running = this.#running.get(job.key) ?? this.#begin(job);
    const quick =
      job.kind === 'gates' || running.tellByFact ? null : await within(running.finished, this.#ctx.timings.jobAnswerMs);
    if (quick !== null) return { state: 'done', result: quick };
    // Ended between the time limit and here: its result was stored without a fact, so it has to be told now.
    if (!running.tellByFact && this.#running.get(job.key) !== running)
      return { state: 'done', result: await running.finished };
    running.tellByFact = true;
    return { state: 'accepted' };
  }

  /**
   * Ends gates that run, since nobody would be left to read their result; the brain posts them again. Killed by us they
   * look red, so from here on no result of a gate is recorded: it would be reworked by an agent.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { job } of this.#running.values()) {
      if (job.kind === 'gates')
        await sweep(
          { town: this.#ctx.town.id, runner: this.#ctx.name, attempt: gateMarker(job.key) },
          this.#ctx.timings.sweepMs,
        );
    }
  }

  /**
   * Ends a job whose result nobody waits for any more: gates are killed with all they started and give their slot free,
   * other work is short and may end. Nothing of it is recorded, so the same key may be run again.
   */
  cancel(key: string): 'cancelled' | 'idle' {
    const running = this.#running.get(key);
    if (running === undefined) return 'idle';
    running.cancel.abort();
    return 'cancelled';
  }

  #begin(job: Job): Running {
    const run = this.#ctx.jobs.begin(job, this.#ctx.clock.now());
    this.#begun += 1;
    if (this.#begun % PRUNE_EVERY === 0) this.#ctx.jobs.prune();
    const cancel = new AbortController();
    const finished = this.#perform(job, cancel.signal);
    const running: Running = { job, cancel, finished, tellByFact: job.kind === 'gates' };
    this.#running.set(job.key, running);
    void running.finished
      .then((result) => {
        this.#finish(running, { result, run });
      })
      .catch((error: unknown) => {
        // Not stored (disk full): the brain asks again when it hears nothing, and the job is run again.
        this.#ctx.log.error('job result not stored', { key: job.key, error: errorText(error) });
      });
    return running;
  }

  #finish(running: Running, end: { readonly result: JobResult; readonly run: number }): void {
    const { job } = running;
    this.#running.delete(job.key);
    // Killed by us they look red.
    if ((this.#stopping || running.cancel.signal.aborted) && job.kind === 'gates') return;
    this.#ctx.db.tx(() => {
      this.#ctx.jobs.finish(job.key, end.result);
      if (!running.tellByFact) return;
      const key = factKey(job.key, end.run, this.#ctx.instance);
      this.#ctx.facts.record({ type: 'job_finished', key, rig: job.repo.rig, jobKey: job.key, result: end.result });
    });
  }

  /** One that waited for its turn must not begin while the runner ends. */
  #runGates(job: Extract<Job, { kind: 'gates' }>, cancelled: AbortSignal): Promise<JobResult> {
    if (this.#stopping || cancelled.aborted)
      return Promise.resolve({ result: 'error', message: 'not wanted any more, or the runner stops' });
    return runGates(this.#ctx, job, cancelled);
  }

  async #perform(job: Job, cancelled: AbortSignal): Promise<JobResult> {
    try {
      return await (job.kind === 'gates'
        ? this.#gates.run(() => this.#runGates(job, cancelled))
        : perform(this.#ctx, job));
    } catch (error) {
      const next = error instanceof TownError ? ` ${error.next}` : '';
      return { result: 'error', message: `${errorText(error)}${next}`.slice(0, ERROR_CHARS_MAX) };
    }
  }
}

/**
 * A run that ended in `error` may be followed by another with another result, here or at another runner, so each run has
 * its own key.
 */
function factKey(jobKey: string, run: number, instance: string): string {
  const short = jobKey.length <= JOB_KEY_CHARS_MAX ? jobKey : createHash('sha256').update(jobKey).digest('hex');
  return `job:${short}:${String(run)}:${instance}`;
}

function perform(ctx: RunnerContext, job: Exclude<Job, { kind: 'gates' }>): Promise<JobResult> {
  switch (job.kind) {
    case 'repo':
      return runRepo(ctx, job);
    case 'branch':
      return runBranch(ctx, job);
    case 'verify':
      return runVerify(ctx, job);
    case 'promote':
      return runPromote(ctx, job);
    case 'merge':
      return runMerge(ctx, job);
    case 'push':
      return runPush(ctx, job);
    case 'revert':
      return runRevert(ctx, job);
    default:
      return unreachable(job, 'job');
  }
}

import type { Job, JobAnswer, JobResult } from '../src/core/facts.ts';
import { repoOf, type Sim } from './context.ts';
import { performJob } from './git-jobs.ts';
import type { Disk } from './machine.ts';
import type { Prng } from './prng.ts';

/** A job is answered at once when it ends within this time. */
const QUICK_MS = 5_000;

interface Running {
  tellByFact: boolean;
  cancelled: boolean;
  readonly waiters: ((result: JobResult) => void)[];
}

/** Runs jobs once per key; a job whose runner died is run again by the next order for it. */
export class RunnerJobs {
  readonly #sim: Sim;
  readonly #disk: Disk;
  readonly #chance: Prng;
  readonly #later: (delayMs: number, label: string, work: () => void) => void;
  readonly #told: (rig: string) => void;
  readonly #running = new Map<string, Running>();

  constructor(parts: {
    readonly sim: Sim;
    readonly disk: Disk;
    readonly later: (delayMs: number, label: string, work: () => void) => void;
    readonly told: (rig: string) => void;
  }) {
    this.#sim = parts.sim;
    this.#disk = parts.disk;
    this.#later = parts.later;
    this.#told = parts.told;
    this.#chance = parts.sim.chance(`jobs ${String(parts.sim.time.nowMs)}`);
  }

  post(job: Job): Promise<JobAnswer> {
    const stored = this.#disk.jobs.get(job.key)?.result ?? null;
    if (stored !== null) return Promise.resolve({ state: 'done', result: stored });
    const running = this.#running.get(job.key) ?? this.#begin(job);
    if (running.tellByFact) return Promise.resolve({ state: 'accepted' });
    return new Promise((resolve) => {
      running.waiters.push((result) => {
        resolve({ state: 'done', result });
      });
      this.#later(QUICK_MS, `job ${job.key} takes long`, () => {
        if (!this.#running.has(job.key)) return;
        running.tellByFact = true;
        resolve({ state: 'accepted' });
      });
    });
  }

  /** Ends a job: its result is told to nobody. */
  cancel(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#sim.note(`job ${key} is called off`);
    running.cancelled = true;
  }

  #begin(job: Job): Running {
    const stored = this.#disk.jobs.get(job.key) ?? { runs: 0, result: null };
    stored.runs += 1;
    this.#disk.jobs.set(job.key, stored);
    const run = stored.runs;
    const running: Running = { tellByFact: job.kind === 'gates', cancelled: false, waiters: [] };
    this.#running.set(job.key, running);
    if (job.kind === 'push') this.#pushBegins(job);
    if (job.kind === 'branch') this.#landingBegins(job);
    const slow = this.#sim.weather.hits('git_slow');
    const workMs = slow ? this.#chance.between(1_000, 40_000) : this.#chance.between(5, 400);
    const gateMs = job.kind === 'gates' ? this.#chance.between(500, this.#sim.long ? 120_000 : 15_000) : 0;
    this.#later(workMs + gateMs, `job ${job.key} works`, () => {
      const result = performJob(this.#sim, job, this.#disk.owner);
      if (job.kind === 'gates' && result.result === 'gates' && !result.green) this.#isRed(job);
      this.#sim.note(`job ${job.key} run ${String(run)}: ${result.result}`);
      this.#later(this.#chance.between(1, 200), `job ${job.key} ends`, () => {
        this.#finish(job, run, result);
      });
    });
    return running;
  }

  #pushBegins(job: Extract<Job, { readonly kind: 'push' }>): void {
    const { atPush } = this.#sim;
    const bead = repoOf(this.#sim, job.repo.rig).get(job.candidate).bead;
    if (bead === null || atPush.next === null) return;
    const act = atPush.next;
    atPush.next = null;
    act(bead);
  }

  /** A branch that has a known commit is checked only before a landing, or when it was lost. */
  #landingBegins(job: Extract<Job, { readonly kind: 'branch' }>): void {
    const { atLanding } = this.#sim;
    if (job.repo.restore === undefined || atLanding.next === null) return;
    const act = atLanding.next;
    atLanding.next = null;
    act(job.repo.targetBranch);
  }

  #isRed(job: Extract<Job, { readonly kind: 'gates' }>): void {
    const { atRedAgain } = this.#sim;
    const { bead } = repoOf(this.#sim, job.repo.rig).get(job.commit);
    if (bead === null) return;
    const isFirst = !atRedAgain.red.has(bead);
    atRedAgain.red.add(bead);
    if (isFirst || atRedAgain.next === null) return;
    const act = atRedAgain.next;
    atRedAgain.next = null;
    act(bead);
  }

  #finish(job: Job, run: number, result: JobResult): void {
    const running = this.#running.get(job.key);
    this.#running.delete(job.key);
    if (running?.cancelled === true) return;
    const stored = this.#disk.jobs.get(job.key);
    if (stored !== undefined && result.result !== 'error') stored.result = result;
    if (running?.tellByFact === true) {
      const { rig } = job.repo;
      this.#disk.record({ type: 'job_finished', key: `job:${job.key}:${String(run)}`, rig, jobKey: job.key, result });
      this.#told(rig);
    }
    for (const tell of running?.waiters ?? []) tell(result);
  }
}

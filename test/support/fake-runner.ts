/**
 * A runner as a small state machine with verbs: the test says what agents and git do, the brain sees the protocol.
 * Commits are numbers turned into object ids; a branch is the list of commits it holds.
 */
import type {
  AgentMessage,
  AgentReport,
  ExitRecord,
  Fact,
  Job,
  JobAnswer,
  JobResult,
  MessageAnswer,
  StartAgent,
  StopAgent,
  StopAnswer,
  UsageOfModel,
} from '../../src/core/facts.ts';
import { trusted, type RunnerInstance } from '../../src/core/model/ids.ts';
import { RunnerRefusal, type RunnerClient } from '../../src/ports/runner-client.ts';

export const sha = (n: number): string => n.toString(16).padStart(40, '0');

/** What every origin has as its target. */
const TARGET: string = sha(1);
/** True for gates on merged work; those on the untouched target are the town's own question. */
export const isGateOfWork = (job: Job): job is Extract<Job, { kind: 'gates' }> =>
  job.kind === 'gates' && job.commit !== TARGET;

export interface FakeProcess {
  readonly request: StartAgent;
  state: 'accepted' | 'running' | 'exited';
  exit: ExitRecord | null;
}

export class FakeRunner implements RunnerClient {
  instanceId: RunnerInstance | null = trusted.runner('runner-1');
  /** Refuses every call while true: no answer. */
  silent = false;
  readonly processes = new Map<string, FakeProcess>();
  readonly jobs = new Map<string, Job>();
  readonly pushed: string[] = [];
  readonly calls: string[] = [];
  /** True: live sessions take words. */
  takesWords = false;
  readonly words: AgentMessage[] = [];
  /** Facts for the brain, in order. */
  readonly facts: Fact[] = [];
  /** Decides the result of a job; null leaves it accepted. */
  judge: (job: Job) => JobResult | null = (job) => defaultResult(job);
  #key = 0;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  instance(): RunnerInstance | null {
    return this.instanceId;
  }

  health(): Promise<{ readonly instance: string }> {
    this.calls.push('health');
    return Promise.resolve().then(() => {
      this.#answer();
      return { instance: this.instanceId ?? 'none' };
    });
  }

  #answer(): void {
    if (this.silent || this.instanceId === null) throw new Error('no answer');
  }

  start(request: StartAgent): Promise<void> {
    this.calls.push(`start ${request.bead}`);
    this.#answer();
    const known = this.processes.get(request.attempt);
    if (known === undefined) {
      for (const process of this.processes.values()) {
        if (process.state !== 'exited' && process.request.sourceBead === request.sourceBead)
          throw new RunnerRefusal('busy', 'lineage is busy');
        if (process.request.sourceBead === request.sourceBead && process.request.epoch >= request.epoch)
          throw new RunnerRefusal('stale_epoch', 'stale');
      }
      this.processes.set(request.attempt, { request, state: 'accepted', exit: null });
      this.spawn(request.attempt);
    }
    return Promise.resolve();
  }

  report(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    this.calls.push(`report ${String(attempts.length)}`);
    this.#answer();
    return Promise.resolve(
      attempts.map((attempt) => {
        const process = this.processes.get(attempt);
        return {
          attempt,
          state: process?.state ?? 'unknown',
          epoch: process?.request.epoch ?? 0,
          pid: 1,
          base: sha(1),
          lastOutputAtMs: null,
          exit: process?.exit ?? null,
        };
      }),
    );
  }

  stop(request: StopAgent): Promise<StopAnswer> {
    this.calls.push(`stop ${request.attempt}`);
    this.#answer();
    const process = this.processes.get(request.attempt);
    if (process === undefined) return Promise.resolve({ state: 'gone', exit: null });
    if (process.state !== 'exited')
      this.exit(request.attempt, { cause: 'stopped', exitCode: null, signal: 'SIGTERM' }, false);
    return Promise.resolve({ state: 'gone', exit: process.exit });
  }

  job(job: Job): Promise<JobAnswer> {
    this.calls.push(`job ${job.kind}`);
    this.#answer();
    this.jobs.set(job.key, job);
    const result = this.judge(job);
    if (result === null) return Promise.resolve({ state: 'accepted' });
    if (result.result === 'pushed' && job.kind === 'push') this.pushed.push(job.candidate);
    return Promise.resolve({ state: 'done', result });
  }

  cancelJob(key: string): Promise<void> {
    this.calls.push(`cancel ${key}`);
    this.#answer();
    return Promise.resolve();
  }

  message(message: AgentMessage): Promise<MessageAnswer> {
    this.calls.push(`message ${message.attempt}`);
    this.#answer();
    if (!this.takesWords) return Promise.resolve({ state: 'not_possible', reason: 'this runtime takes no words' });
    if (!this.words.some((known) => known.key === message.key)) this.words.push(message);
    return Promise.resolve({ state: 'delivered', reason: 'put into the session' });
  }

  /** Verbs. */
  active(attempt: string, over: { readonly eventType?: string; readonly statusMessage?: string } = {}): void {
    const process = this.#must(attempt);
    this.#fact(
      {
        type: 'agent_event',
        attempt,
        epoch: process.request.epoch,
        eventType: 'output',
        atMs: this.#now(),
        activeTools: [],
        statusMessage: null,
        ...over,
      },
      process,
    );
  }

  spawn(attempt: string): void {
    const process = this.#must(attempt);
    process.state = 'running';
    this.#fact(
      {
        type: 'agent_started',
        attempt,
        epoch: process.request.epoch,
        instance: this.instanceId ?? 'none',
        pid: 42,
        base: process.request.claimBase ?? process.request.fixedHead ?? sha(1),
        isolation: process.request.sandbox?.kind ?? 'none',
        atMs: this.#now(),
      },
      process,
    );
  }

  done(attempt: string, head: string): void {
    const process = this.#must(attempt);
    this.#fact(
      { type: 'agent_done', attempt, epoch: process.request.epoch, head, summary: 'done', atMs: this.#now() },
      process,
    );
  }

  noChange(attempt: string, reason: string): void {
    const process = this.#must(attempt);
    this.#fact({ type: 'agent_no_change', attempt, epoch: process.request.epoch, reason, atMs: this.#now() }, process);
  }

  /** It says what it has used until now, in all. */
  use(attempt: string, used: Partial<UsageOfModel>): void {
    const process = this.#must(attempt);
    const models = [
      {
        model: 'some-model',
        tokensIn: 0,
        tokensOut: 0,
        tokensCached: 0,
        microUsd: null,
        unpricedIn: 0,
        unpricedOut: 0,
        unpricedCached: 0,
        ...used,
      },
    ];
    this.#fact({ type: 'agent_usage', attempt, epoch: process.request.epoch, models, atMs: this.#now() }, process);
  }

  /** Its provider refuses for lack of quota. */
  limited(attempt: string, resetsAtMs: number | null): void {
    const process = this.#must(attempt);
    const { epoch } = process.request;
    this.#fact({ type: 'quota_limited', attempt, epoch, resetsAtMs, reason: 'rate limit', atMs: this.#now() }, process);
  }

  exit(attempt: string, how: Partial<ExitRecord> = {}, tell = true): void {
    const process = this.#must(attempt);
    process.state = 'exited';
    process.exit = {
      attempt,
      epoch: process.request.epoch,
      exitCode: 0,
      signal: null,
      cause: 'exited',
      lastLine: '',
      startedAtMs: 0,
      endedAtMs: this.#now(),
      head: null,
      base: null,
      ahead: null,
      dirty: false,
      rescueRef: null,
      doneIntent: false,
      ...how,
    };
    if (tell)
      this.facts.push({ type: 'agent_exited', key: this.#nextKey(), rig: process.request.rig, exit: process.exit });
  }

  finish(jobKey: string, rig: string, result: JobResult): void {
    this.facts.push({ type: 'job_finished', key: this.#nextKey(), rig, jobKey, result });
  }

  running(): readonly FakeProcess[] {
    return [...this.processes.values()].filter((process) => process.state === 'running');
  }

  #must(attempt: string): FakeProcess {
    const process = this.processes.get(attempt);
    if (process === undefined) throw new Error(`no process ${attempt}`);
    return process;
  }

  #nextKey(): string {
    this.#key += 1;
    return `fact-${this.instanceId ?? 'none'}-${String(this.#key)}`;
  }

  #fact(body: Record<string, unknown>, process: FakeProcess): void {
    this.facts.push({ ...body, key: this.#nextKey(), rig: process.request.rig } as unknown as Fact);
  }
}

type MergeJob = Extract<Job, { kind: 'merge' }>;
/** Heads that a candidate holds, in their order; every fake makes the same commits. */
const held = new Map<string, readonly string[]>();
export const headsIn = (commit: string): readonly string[] => held.get(commit) ?? [];
const numberOf = (id: string): number => Number.parseInt(id.slice(-6), 16);
/** Of what is merged, in order. */
const treeOf = (heads: readonly string[]): string =>
  sha(0xf0000 + heads.reduce((sum, head) => sum * 7 + numberOf(head), 0));

function mergedOn(job: MergeJob): Extract<JobResult, { result: 'candidate' }> {
  const candidate = sha(0xc000 + numberOf(job.head));
  held.set(candidate, [job.head]);
  return { result: 'candidate', candidate, tree: treeOf([job.head]), targetSha: sha(1) };
}

/** The lists of a round, each entry with a commit that tells what it is merged onto. */
function listsOf(job: MergeJob): Pick<Extract<JobResult, { result: 'candidate' }>, 'targetTree' | 'made' | 'leftOut'> {
  const all = [job, ...(job.riders ?? [])];
  const made = (job.lists ?? []).map((places, list) => {
    const entries = places.flatMap((place) => all[place] ?? []);
    const heads = entries.map(({ head }) => head);
    const made = entries.map(({ mergeRequest, head }, index) => {
      const below = heads.slice(0, index + 1);
      const candidate = sha(index === 0 ? 0xc000 + numberOf(head) : 0xb0000 + numberOf(treeOf(below)));
      held.set(candidate, below);
      return { mergeRequest, candidate, tree: treeOf(below) };
    });
    return { list, entries: made };
  });
  return { targetTree: sha(0x7ee), made, leftOut: [] };
}

export function defaultResult(job: Job): JobResult {
  switch (job.kind) {
    case 'repo':
      return { result: 'repo_ready', targetSha: sha(1) };
    case 'branch':
      return { result: 'branch_ready', head: job.repo.restore ?? sha(1) };
    case 'verify':
      return { result: 'verified', head: job.claimedHead, ahead: 1 };
    case 'promote':
      return { result: 'promoted', head: job.head };
    case 'merge':
      return { ...mergedOn(job), ...(job.lists === undefined ? {} : listsOf(job)) };
    case 'gates':
      return { result: 'gates', green: true, runs: [] };
    case 'revert':
      return { result: 'reverted', head: sha(0xe000 + job.commits.length) };
    default:
      return { result: 'pushed', targetSha: job.candidate };
  }
}

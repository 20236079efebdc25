import type {
  AgentMessage,
  AgentReport,
  ExitRecord,
  Fact,
  Job,
  JobAnswer,
  MessageAnswer,
  StartAgent,
  StopAgent,
  StopAnswer,
} from '../src/core/facts.ts';
import { rescueRef } from '../src/core/model/agent.ts';
import { trusted, type RunnerInstance } from '../src/core/model/ids.ts';
import { LOCAL_RUNNER } from '../src/core/model/runner.ts';
import { RunnerRefusal } from '../src/ports/runner-client.ts';
import { Agent } from './agent.ts';
import type { BrainDoor } from './brain-door.ts';
import { repoOf, type Sim } from './context.ts';
import { FactForwarder } from './forwarder.ts';
import {
  Disk,
  endedBy,
  exitRecord,
  newLive,
  newRow,
  outputFact,
  startedFact,
  WAITS,
  type Ended,
  type LiveAgent,
  type SimProcess,
} from './machine.ts';
import { failsToStart } from './missing-program.ts';
import { breachOf } from './shield.ts';
import { MayorAgent } from './mayor-agent.ts';
import { Claims } from './claims.ts';
import { tellUse } from './money.ts';
import { signOfLife } from './permission.ts';
import type { Prng } from './prng.ts';
import { RunnerJobs } from './runner-jobs.ts';

/** The muscle: what it promises is written in the contract of the runner; here it keeps that promise on virtual time. */
export class SimRunner {
  readonly disk = new Disk();
  /** Processes of agents on the machine; they may outlive the runner that made them. */
  readonly processes = new Map<string, SimProcess>();
  /** Tells the brain's host that another runner answers now. */
  onInstance: (instance: RunnerInstance) => void = () => undefined;
  readonly #id: string;
  readonly #sim: Sim;
  readonly #door: BrainDoor;
  readonly #chance: Prng;
  #generation = 0;
  #up = false;
  #hungUntilMs = 0;
  #live = new Map<string, LiveAgent>();
  #forwarder: FactForwarder;
  #jobs: RunnerJobs;
  #claims: Claims;

  constructor(sim: Sim, door: BrainDoor, id: string = LOCAL_RUNNER) {
    this.#id = id;
    this.#sim = sim;
    this.#door = door;
    this.#chance = sim.chance(id === LOCAL_RUNNER ? 'runner' : `runner ${id}`);
    this.#forwarder = this.#makeForwarder();
    this.#jobs = this.#makeJobs();
    this.#claims = this.#makeClaims();
    this.#boot();
  }

  instance(): RunnerInstance | null {
    return this.#up
      ? trusted.runner(`${this.#id === LOCAL_RUNNER ? 'runner' : this.#id}-${String(this.#generation)}`)
      : null;
  }

  get reach(): 'up' | 'down' | { readonly hungUntilMs: number } {
    if (!this.#up) return 'down';
    return this.#hungUntilMs > this.#sim.time.nowMs ? { hungUntilMs: this.#hungUntilMs } : 'up';
  }

  /** Runs `work` later in this runner process: not after its death, and not while it hangs. */
  readonly later = (delayMs: number, label: string, work: () => void): (() => void) => {
    const generation = this.#generation;
    return this.#sim.time.after(delayMs, label, () => {
      if (generation !== this.#generation) return;
      const leftMs = this.#hungUntilMs - this.#sim.time.nowMs;
      if (leftMs > 0) this.later(leftMs, label, work);
      else work();
    });
  };

  #makeForwarder(): FactForwarder {
    const generation = this.#generation;
    const alive = (): boolean => generation === this.#generation;
    return new FactForwarder({
      sim: this.#sim,
      disk: this.disk,
      door: this.#door,
      later: this.later,
      alive,
      id: this.#id,
    });
  }

  #makeJobs(): RunnerJobs {
    const told = (rig: string): void => {
      this.#forwarder.wake(rig);
    };
    return new RunnerJobs({ sim: this.#sim, disk: this.disk, later: this.later, told });
  }

  #makeClaims(): Claims {
    return new Claims({
      sim: this.#sim,
      disk: this.disk,
      door: this.#door,
      later: this.later,
      record: this.#tell,
      live: (attempt) => this.#live.get(attempt) ?? null,
      head: (attempt) => this.processes.get(attempt)?.head ?? null,
    });
  }

  readonly #tell = (fact: Fact): void => {
    this.#record(fact);
  };

  #record(fact: Fact): void {
    this.disk.record(fact);
    this.later(1, 'facts wait', () => {
      this.#forwarder.wake(fact.rig);
    });
  }

  /** The process ends. Its agents are orphans, or die with it when the whole machine goes; null: for good. */
  die(downMs: number | null, withAgents: boolean): void {
    if (!this.#up) return;
    this.#sim.note(`runner dies${withAgents ? ' with its agents' : ''}`);
    this.#up = false;
    this.#generation += 1;
    this.#live = new Map();
    for (const [attempt, row] of this.disk.attempts)
      if (row.state !== 'exited') this.#sim.ledger.explain(attempt, 'the runner died');
    if (withAgents) for (const agent of this.processes.values()) agent.kill();
    if (downMs !== null)
      this.#sim.time.after(downMs, 'runner starts', () => {
        this.#boot();
      });
  }

  hang(durationMs: number): void {
    this.#hungUntilMs = this.#sim.time.nowMs + durationMs;
    for (const [attempt, row] of this.disk.attempts)
      if (row.state !== 'exited') this.#sim.ledger.explain(attempt, 'the runner hung');
  }

  /** Ends what a predecessor left, tells how each attempt ended, then answers. */
  #boot(): void {
    this.#hungUntilMs = 0;
    this.#forwarder = this.#makeForwarder();
    this.#jobs = this.#makeJobs();
    this.#claims = this.#makeClaims();
    for (const agent of this.processes.values()) agent.kill();
    for (const [attempt, row] of this.disk.attempts) {
      if (row.state === 'exited') continue;
      const live = newLive(row, row.stopped ? 'stopped' : 'runner_lost');
      this.#live.set(attempt, live);
      this.#endAttempt(live, { exitCode: null, signal: null, cause: live.ending ?? 'runner_lost', lastLine: '' });
    }
    this.#up = true;
    for (const rig of this.disk.facts.keys()) this.#forwarder.wake(rig);
    const instance = this.instance();
    if (instance !== null)
      this.#sim.time.after(this.#chance.between(10, 500), 'a new runner is noticed', () => {
        this.onInstance(instance);
      });
  }

  start(request: StartAgent): Promise<void> {
    const known = this.disk.attempts.has(request.attempt);
    const refusal = this.disk.judge(request);
    if (refusal !== null) return Promise.reject(new RunnerRefusal(refusal, refusal));
    if (known) return Promise.resolve();
    const row = newRow(request);
    this.disk.attempts.set(request.attempt, row);
    for (const bead of [request.bead, request.sourceBead])
      this.disk.raiseEpoch(request.rig, 'bead', bead, request.epoch);
    this.disk.raiseEpoch(request.rig, 'agent', request.agent, request.epoch);
    const live = newLive(row, null);
    this.#live.set(request.attempt, live);
    this.#launch(live);
    return Promise.resolve();
  }

  #launch(live: LiveAgent): void {
    const { request } = live.row;
    const failure = failsToStart(this.#sim, request);
    if (failure !== null) {
      this.later(this.#chance.between(5, 500), 'spawn fails', () => {
        this.#endAttempt(live, { ...endedBy('spawn_failed', failure.lastLine), failed: failure.failed });
      });
      return;
    }
    this.later(this.#chance.between(20, 3_000), `prepare ${request.attempt}`, () => {
      if (!this.#mayGoOn(live)) return;
      if (request.repo !== null)
        live.row.base = request.claimBase ?? request.fixedHead ?? repoOf(this.#sim, request.rig).mustHead();
      this.#confirm(live, 100);
    });
  }

  /** Asks as often as it takes whether the attempt is wanted: no answer means no process. */
  #confirm(live: LiveAgent, waitMs: number): void {
    const { rig, attempt, epoch } = live.row.request;
    const start = { rig: trusted.rig(rig), attempt: trusted.attempt(attempt), epoch, runner: this.#id };
    const generation = this.#generation;
    if (!this.#mayGoOn(live)) return;
    this.#sim.wire.call<boolean>({
      label: `confirm ${attempt}`,
      to: 'brain',
      timeoutMs: WAITS.confirmCallMs,
      apply: () => this.#door.service((town) => town.confirmStart(start)),
      done: (answer) => {
        if (generation !== this.#generation) return;
        this.later(0, `confirmed ${attempt}`, () => {
          if (!answer.ok)
            this.later(waitMs, `confirm ${attempt} again`, () => {
              this.#confirm(live, Math.min(2 * waitMs, 2_000));
            });
          else if (!answer.value) this.#endAttempt(live, endedBy('refused', 'not the live one'));
          else if (this.#mayGoOn(live)) this.#spawn(live);
        });
      },
    });
  }

  #mayGoOn(live: LiveAgent): boolean {
    const { request } = live.row;
    if (live.exiting) return false;
    if (live.ending !== null || this.disk.tombstones.has(request.attempt)) {
      this.#endAttempt(live, endedBy(live.ending ?? 'stopped', 'ended before its process was started'));
      return false;
    }
    if (this.#sim.time.wallMs <= request.startDeadlineMs) return true;
    this.#sim.ledger.explain(request.attempt, 'the start deadline passed');
    this.#endAttempt(live, endedBy('spawn_failed', 'the start deadline passed'));
    return false;
  }

  #spawn(live: LiveAgent): void {
    const { request } = live.row;
    const nowMs = this.#sim.time.wallMs;
    live.row.state = 'running';
    live.row.startedAtMs = nowMs;
    this.#sim.ledger.processStarted(request, { machine: this.#id, atMs: nowMs });
    const agent = this.#makeProcess(live);
    this.processes.set(request.attempt, agent);
    this.#record(startedFact(live.row, { instance: this.instance() ?? '', pid: this.processes.size, atMs: nowMs }));
    const limit = (afterMs: number, ending: 'wall_clock' | 'memory' | 'disk', graceMs: number): (() => void) =>
      this.later(afterMs, `limit of ${request.attempt}`, () => {
        if (this.#live.get(request.attempt) !== live || live.exiting) return;
        this.#sim.ledger.explain(request.attempt, `it reached its limit: ${ending}`);
        this.#orderEnd(live, ending, graceMs);
      });
    live.forgetClock = limit(request.wallClockMs, 'wall_clock', WAITS.stopGraceMs);
    breachOf(this.#sim, this.#chance, (afterMs, what) => limit(afterMs, what, 0));
    agent.begin();
  }

  #makeProcess(live: LiveAgent): SimProcess {
    const { row } = live;
    const { request } = row;
    const parts = {
      sim: this.#sim,
      row,
      door: this.#door,
      activity: () => {
        this.later(0, `output ${request.attempt}`, () => {
          this.#activity(live);
        });
      },
      exited: (how: Ended) => {
        this.#sim.ledger.processEnded(request.attempt);
        this.later(this.#chance.between(5, 500), `exit of ${request.attempt}`, () => {
          const cause = live.ending ?? 'exited';
          if (cause === 'exited') this.#sim.ledger.explain(request.attempt, 'its agent ended by itself');
          this.#endAttempt(live, { ...how, cause });
        });
      },
    };
    if (request.repo === null) return new MayorAgent(parts);
    return new Agent({
      ...parts,
      base: row.base ?? '',
      claim: (intent, answer) => {
        this.later(0, `done ${request.attempt}`, () => {
          this.#claims.done(request.attempt, intent, answer);
        });
      },
    });
  }

  #activity(live: LiveAgent): void {
    const { request } = live.row;
    if (this.#live.get(request.attempt) !== live || live.exiting) return;
    tellUse(this.#sim, live, false, this.#tell);
    this.#record(signOfLife(live, outputFact(live.row, this.#sim.time)));
  }

  #orderEnd(live: LiveAgent, ending: LiveAgent['ending'], graceMs: number): void {
    live.ending ??= ending;
    const agent = this.processes.get(live.row.request.attempt);
    if (agent === undefined) {
      if (live.row.state === 'accepted')
        this.later(1, 'a start is given up', () => {
          this.#mayGoOn(live);
        });
      return;
    }
    if (graceMs > 0) agent.terminate();
    this.later(graceMs, `kill ${live.row.request.attempt}`, () => {
      agent.kill();
    });
  }

  /** Nothing of it is left, a written intent counts, the work is kept, the record is durable, the brain will be told. */
  #endAttempt(live: LiveAgent, ended: Ended & { readonly cause: ExitRecord['cause'] }): void {
    const { row } = live;
    if (live.exiting) return;
    live.exiting = true;
    live.forgetClock();
    const { request } = row;
    const agent = this.processes.get(request.attempt);
    agent?.kill();
    const doneIntent = this.#claims.honour(row);
    const head = agent?.head ?? row.base;
    const worked = head !== null && row.base !== null && head !== row.base;
    const rescue = rescueRef(trusted.bead(request.sourceBead), trusted.attempt(request.attempt));
    if (worked) repoOf(this.#sim, request.rig).refs.set(rescue, head);
    const exit = exitRecord(row, ended, {
      cause: ended.cause,
      head,
      hadProcess: agent !== undefined,
      rescueRef: worked ? rescue : null,
      doneIntent,
      atMs: this.#sim.time.wallMs,
    });
    tellUse(this.#sim, live, true, this.#tell);
    row.state = 'exited';
    row.exit = exit;
    this.#record({ type: 'agent_exited', key: `exited:${request.attempt}`, rig: request.rig, exit });
    this.processes.delete(request.attempt);
    this.#live.delete(request.attempt);
    for (const tell of live.ended) tell(exit);
  }

  stop(order: StopAgent): Promise<StopAnswer> {
    this.disk.tombstones.add(order.attempt);
    const row = this.disk.attempts.get(order.attempt);
    if (row !== undefined && row.state !== 'exited') row.stopped = true;
    const live = this.#live.get(order.attempt);
    if (live === undefined) return Promise.resolve({ state: 'gone', exit: row?.exit ?? null });
    this.#orderEnd(live, 'stopped', order.mode === 'now' ? 0 : WAITS.stopGraceMs);
    return new Promise((resolve) => {
      live.ended.push((exit) => {
        resolve({ state: 'gone', exit });
      });
      this.later(WAITS.stopAnswerMs, `stop of ${order.attempt} takes long`, () => {
        resolve({ state: 'stopping', exit: null });
      });
    });
  }

  report(attempts: readonly string[]): Promise<readonly AgentReport[]> {
    return Promise.resolve(attempts.map((attempt) => this.disk.report(attempt)));
  }

  /** Words for a live session, once per key while this runner lives. */
  message(words: AgentMessage): Promise<MessageAnswer> {
    const live = this.#live.get(words.attempt);
    const agent = this.processes.get(words.attempt);
    if (live === undefined || live.exiting || agent?.hears !== true)
      return Promise.resolve({ state: 'not_possible', reason: 'there is no session' });
    if (!live.said.has(words.key)) agent.hear();
    live.said.add(words.key);
    return Promise.resolve({ state: 'delivered', reason: 'put into the session' });
  }

  job(job: Job): Promise<JobAnswer> {
    return this.#jobs.post(job);
  }

  cancelJob(key: string): Promise<void> {
    this.#jobs.cancel(key);
    return Promise.resolve();
  }
}

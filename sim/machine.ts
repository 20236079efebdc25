import type { AgentReport, ExitRecord, Fact, JobResult, StartAgent } from '../src/core/facts.ts';
import { LOCAL_RUNNER } from '../src/core/model/runner.ts';

export const WAITS = {
  /** A stop that takes longer is answered as under way. */
  stopAnswerMs: 8_000,
  /** From the word to end to the kill. */
  stopGraceMs: 30_000,
  /** A call of the runner to the brain. */
  confirmCallMs: 10_000,
} as const;

/** What the runner keeps on disk about one attempt. */
export interface AttemptRow {
  readonly request: StartAgent;
  state: 'accepted' | 'running' | 'exited';
  base: string | null;
  stopped: boolean;
  claims: number;
  /** The intent that the last claim was made from; null when the next claim is a new one. */
  claimedIntent: number | null;
  claimedHead: string | null;
  /** The intent file in the attempt's folder. */
  intent: Intent | null;
  startedAtMs: number | null;
  exit: ExitRecord | null;
}

/** A start that was just accepted. */
export const newRow = (request: StartAgent): AttemptRow => ({
  request,
  state: 'accepted',
  base: null,
  stopped: false,
  claims: 0,
  claimedIntent: null,
  claimedHead: null,
  intent: null,
  startedAtMs: null,
  exit: null,
});

/** What an agent wants to hand in; `id` stands for the bytes of the file. */
export interface Intent {
  readonly id: number;
  readonly noChange: string | null;
}

/** A claim that was recorded for the town: its ref, and the key of its fact. */
export interface Claimed {
  readonly rig: string;
  readonly ref: string;
  readonly key: string;
}

/** The part of the machine that survives every process on it: the runner's database and its agents' folders. */
export class Disk {
  readonly attempts = new Map<string, AttemptRow>();
  readonly epochs = new Map<string, number>();
  readonly tombstones = new Set<string>();
  readonly facts = new Map<string, Fact[]>();
  readonly jobs = new Map<string, StoredJob>();
  /** Name of the runner that it belongs to. */
  owner: string = LOCAL_RUNNER;
  /** A claim's work was stored here. */
  onClaim: (claim: Claimed) => void = () => undefined;

  epoch(rig: string, kind: string, subject: string): number {
    return this.epochs.get(`${rig} ${kind} ${subject}`) ?? 0;
  }

  /** Why a start is refused, or null: tombstones, the fence of epochs, and one process per agent and branch. */
  judge(request: StartAgent): string | null {
    const { rig, bead, sourceBead, agent, attempt, epoch } = request;
    if (this.tombstones.has(attempt)) return 'stopped';
    if (this.attempts.has(attempt)) return null;
    const highest = Math.max(
      this.epoch(rig, 'bead', bead),
      this.epoch(rig, 'bead', sourceBead),
      this.epoch(rig, 'agent', agent),
    );
    if (highest >= epoch) return 'stale_epoch';
    for (const other of this.attempts.values()) {
      if (other.state === 'exited') continue;
      const { request: rival } = other;
      if (rival.agent === agent || (rival.rig === rig && rival.sourceBead === sourceBead)) return 'busy';
    }
    return null;
  }

  /** What the runner answers about one attempt. */
  report(attempt: string): AgentReport {
    const row = this.attempts.get(attempt);
    if (row === undefined)
      return { attempt, state: 'unknown', epoch: 0, pid: null, base: null, lastOutputAtMs: null, exit: null };
    const pid = row.state === 'running' ? 1 : null;
    const { base, exit } = row;
    return { attempt, state: row.state, epoch: row.request.epoch, pid, base, lastOutputAtMs: null, exit };
  }

  raiseEpoch(rig: string, kind: string, subject: string, epoch: number): void {
    const key = `${rig} ${kind} ${subject}`;
    this.epochs.set(key, Math.max(epoch, this.epochs.get(key) ?? 0));
  }

  /** A key is recorded once; a newer sign of life of an attempt replaces the older one. */
  record(fact: Fact): void {
    let queue = this.facts.get(fact.rig) ?? [];
    if (fact.type === 'agent_event')
      queue = queue.filter((other) => other.type !== 'agent_event' || other.attempt !== fact.attempt);
    if (!queue.some((other) => other.key === fact.key)) queue.push(fact);
    this.facts.set(fact.rig, queue);
  }

  forget(rig: string, keys: ReadonlySet<string>): void {
    this.facts.set(
      rig,
      (this.facts.get(rig) ?? []).filter((fact) => !keys.has(fact.key)),
    );
  }

  hasFact(rig: string, key: string): boolean {
    return (this.facts.get(rig) ?? []).some((fact) => fact.key === key);
  }
}

export interface StoredJob {
  runs: number;
  result: JobResult | null;
}

/** An attempt without an exit record, in the memory of one runner process. */
export interface LiveAgent {
  readonly row: AttemptRow;
  /** Takes back what waits for the wall clock of its process. */
  forgetClock: () => void;
  ending: 'stopped' | 'wall_clock' | 'memory' | 'disk' | 'runner_lost' | null;
  exiting: boolean;
  readonly ended: ((exit: ExitRecord) => void)[];
  /** Keys of the words that were put into the session. */
  readonly said: Set<string>;
  /** It was read what it used so far. */
  saidUse: boolean;
}

export const newLive = (row: AttemptRow, ending: LiveAgent['ending']): LiveAgent => ({
  row,
  forgetClock: () => undefined,
  ending,
  exiting: false,
  ended: [],
  said: new Set(),
  saidUse: false,
});

/** A process of an agent or of the mayor. */
export interface SimProcess {
  /** Its commit; null without a repository. */
  readonly head: string | null;
  /** True while words can be put into its session. */
  readonly hears: boolean;
  begin(): void;
  hear(): void;
  terminate(): void;
  kill(): void;
}

/** How a process ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly lastLine: string;
  readonly failed?: ExitRecord['failed'];
}

/** What is left of an attempt. */
interface Left {
  readonly cause: ExitRecord['cause'];
  readonly head: string | null;
  readonly hadProcess: boolean;
  readonly rescueRef: string | null;
  readonly doneIntent: boolean;
  readonly atMs: number;
}

export function exitRecord({ request, startedAtMs, base }: AttemptRow, how: Ended, left: Left): ExitRecord {
  const { exitCode, signal, lastLine, failed } = how;
  return {
    attempt: request.attempt,
    epoch: request.epoch,
    exitCode,
    signal,
    cause: left.cause,
    lastLine,
    startedAtMs,
    endedAtMs: left.atMs,
    head: left.hadProcess ? left.head : null,
    base,
    ahead: left.rescueRef === null ? 0 : 1,
    dirty: false,
    rescueRef: left.rescueRef,
    doneIntent: left.doneIntent,
    ...(failed === undefined ? {} : { failed }),
  };
}

export function startedFact(
  { request, base }: AttemptRow,
  process: { readonly instance: string; readonly pid: number; readonly atMs: number },
): Fact {
  const { attempt, rig, epoch } = request;
  return {
    type: 'agent_started',
    key: `started:${attempt}`,
    rig,
    attempt,
    epoch,
    ...process,
    base: base ?? '',
    isolation: request.sandbox?.kind ?? 'none',
  };
}

/** The process wrote something. */
export function outputFact({ request }: AttemptRow, time: { readonly nowMs: number; readonly wallMs: number }): Fact {
  const { attempt, rig, epoch } = request;
  const key = `event:${attempt}:${String(time.nowMs)}`;
  const common = { type: 'agent_event', eventType: 'output', activeTools: [], statusMessage: null } as const;
  return { ...common, key, rig, attempt, epoch, atMs: time.wallMs };
}

/** An end without a word of the process itself. */
export const endedBy = (
  cause: ExitRecord['cause'],
  lastLine: string,
): Ended & { readonly cause: ExitRecord['cause'] } => ({
  exitCode: null,
  signal: null,
  cause,
  lastLine,
});

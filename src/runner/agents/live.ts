import type { ChildProcess } from 'node:child_process';

import type { ExitRecord } from '../../api/contract/exit-record.ts';
import type { StartAgent } from '../../api/contract/runner.ts';
import type { UsageOfModel } from '../../core/facts.ts';
import { Mutex } from '../mutex.ts';
import type { Failure } from '../runtimes/session.ts';
import type { Transcript } from './transcript.ts';

/** Why an agent is being ended; decided by the first who orders it. Null: it lives, or it will end by itself. */
export type Ending = 'stopped' | 'wall_clock' | 'memory' | 'disk' | 'runner_lost' | 'drained';

/** What the rest of the runner wants of a program that is spoken to. */
export interface LiveConversation {
  /** Titles of the tools that run. */
  readonly activeTools: readonly string[];
  /** Ends the turn and its tools by the protocol, before any signal. */
  cancel(): Promise<void>;
  /** The process is gone. */
  over(): void;
}

/** An attempt that has no exit record yet: accepted, starting, running, or in its exit pipeline. */
export class LiveAgent {
  readonly request: StartAgent;
  /** Ends every wait of the start, once the attempt is to be ended. */
  readonly abort: AbortController = new AbortController();
  /** One claim at a time: an agent that calls twice at once must not record twice. */
  readonly claiming: Mutex = new Mutex();
  /** Resolves with the exit record, after rescue and when nothing of the process is left. */
  readonly ended: Promise<ExitRecord>;
  /** The process is gone and its work is being stored: no claim may change the worktree any more. */
  exiting = false;
  child: ChildProcess | null = null;
  pid: number | null = null;
  base: string | null = null;
  startedAtMs: number | null = null;
  transcript: Transcript | null = null;
  wallClock: NodeJS.Timeout | null = null;
  /** What it used too much of, in words. */
  breach: string | null = null;
  /** A look at its disk took too long; later ones get more time. */
  isDiskUnknown = false;
  /** Last call of the agent to us; counts as activity like output does. */
  lastCallAtMs: number | null = null;
  lastReportedAtMs = 0;
  /** Bytes of its usage file that were reported. */
  usageBytes = 0;
  /** For a program that is spoken to; null for all others. */
  conversation: LiveConversation | null = null;
  /** What its program said that it used: totals. */
  used: readonly UsageOfModel[] = [];
  /** What its session has cost by then, with all processes before this one; null: its program says none. */
  sessionCost: number | null = null;
  /** The totals that were reported. */
  usedReported: readonly UsageOfModel[] = this.used;
  /** Why its session ended badly. */
  failure: Failure | null = null;
  /** Questions and answers so far; each is a fact of its own. */
  questions = 0;
  /** A question of its program waits for a person. */
  asks = false;
  /** Puts words into the session; set by a runtime that takes them (its `capabilities.nudge`), null for all others. */
  say:
    | ((words: { readonly key: string; readonly text: string }, mode: 'immediate' | 'wait-idle') => Promise<void>)
    | null = null;
  /** One at a time: what is stored while the agent works, and what is stored at its end. */
  readonly saving: Mutex = new Mutex();
  /** Activity up to this moment is stored. */
  savedAtMs = 0;
  /** Called by a runtime whose agents work in turns, when one ends. */
  turnEnded: () => void = () => undefined;
  #ending: Ending | null = null;
  #resolve: (exit: ExitRecord) => void = () => undefined;

  constructor(request: StartAgent) {
    this.request = request;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get ending(): Ending | null {
    return this.#ending;
  }

  end(ending: Ending): void {
    this.#ending ??= ending;
    this.abort.abort();
  }

  finish(exit: ExitRecord): void {
    if (this.wallClock !== null) clearTimeout(this.wallClock);
    this.#resolve(exit);
  }

  get lastActivityAtMs(): number | null {
    const output = this.transcript?.lastOutputAtMs ?? null;
    if (output === null || this.lastCallAtMs === null) return output ?? this.lastCallAtMs;
    return Math.max(output, this.lastCallAtMs);
  }
}

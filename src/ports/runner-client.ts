import type {
  AgentMessage,
  AgentReport,
  Job,
  JobAnswer,
  MessageAnswer,
  StartAgent,
  StopAgent,
  StopAnswer,
} from '../core/facts.ts';
import type { RunnerInstance } from '../core/model/ids.ts';

/** What a runner said no to, for a reason that a repeat won't change; anything else thrown means: no answer. */
export class RunnerRefusal extends Error {
  override readonly name = 'RunnerRefusal';
  /** `stale_epoch`, `busy`, `stopped`, `draining`, `bad_request`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The brain's view of one runner. Every call answers within 10 s or throws. Idempotent by attempt or job key. */
export interface RunnerClient {
  /** Instance of the runner that answers now, or null while none does. */
  instance(): RunnerInstance | null;
  /** Asks the process itself; throws when it does not answer. */
  health?(): Promise<{ readonly instance: string }>;
  start(request: StartAgent): Promise<void>;
  report(attempts: readonly string[]): Promise<readonly AgentReport[]>;
  stop(request: StopAgent): Promise<StopAnswer>;
  job(job: Job): Promise<JobAnswer>;
  /** Ends a job nobody waits for any more. A runner that has no such call lets it end by itself. */
  cancelJob?(key: string): Promise<void>;
  /** Puts words into a live session, once per key. A runner that has no such call takes none. */
  message?(message: AgentMessage): Promise<MessageAnswer>;
}

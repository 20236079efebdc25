import { NUDGE_EXPIRES_AFTER_MS } from '../core/limits.ts';

/** Every number of the runner, with its unit and the reason for its size. */

/** A start carries prompt, body and checkpoint; two times the largest bead text plus the prompt fits. */
export const BODY_START_BYTES_MAX: number = 2 * 1024 * 1024;
/** Other calls carry names, shas and gate commands. */
export const BODY_BYTES_MAX: number = 1024 * 1024;

/** One transcript: enough for days of output of one agent, small enough for 50 agents on a laptop disk. */
export const TRANSCRIPT_BYTES_MAX: number = 32 * 1024 * 1024;
/** All transcripts together: thousands of ordinary ones, and a bound where many are as large as one may be. */
export const TRANSCRIPTS_BYTES_MAX: number = 8 * 1024 * 1024 * 1024;
/** One answer of the transcript call; the reader pages on by `x-next-offset`. */
export const TRANSCRIPT_PAGE_BYTES_MAX: number = 512 * 1024;
/** Of the last output line, kept in the exit record (limit of the contract). */
export const LAST_LINE_CHARS_MAX: number = 400;
/** Of a gate's output that travels in the result; the whole is in the gate's log. */
export const GATE_TAIL_CHARS_MAX: number = 8_000;
/** Of one gate's log on disk. */
export const GATE_LOG_BYTES_MAX: number = 8 * 1024 * 1024;
/** Of any error text of git that we pass on. */
export const ERROR_CHARS_MAX: number = 1_000;
/** Conflicted paths that are listed; more than this nobody reads. */
export const CONFLICT_PATHS_MAX: number = 200;

/** Commits that a rebase puts onto the target one by one, three git processes each; a longer branch lands as one commit. */
export const REBASE_COMMITS_MAX: number = 50;
/** Authors that a squashed commit names beside its own. */
export const CO_AUTHORS_MAX: number = 10;
/** Commits that carry a merge request's name and may be the one by which it landed; a rebased one is the first. */
export const LANDED_LOOKED_AT_MAX: number = 8;
/** Commits that went in a rewrite of the target and are searched for merge requests; of more, the count is too low. */
export const REWRITE_LOOKED_AT_MAX: number = 10_000;

/** Facts in one call to the brain: one durable commit there, well below 1 MiB. */
export const FACT_BATCH_MAX: number = 50;
/** Finished jobs that are kept for a brain that asks again; it asks within minutes. */
export const JOBS_KEPT_MAX: number = 2_000;
/** Ended attempts that are kept for status questions and `superseded` answers. */
export const ATTEMPTS_KEPT_MAX: number = 5_000;
/** Agents' directories per rig: the spec's 50 agents plus spares, and a stop for a runaway. */
export const POOL_NAMES_MAX: number = 200;
/** Free worktrees kept ready per rig, so that a burst of starts finds them made. */
export const POOL_SPARES: number = 2;
/** Commits an agent left behind (reset away, other branches) that one rescue takes as parents. */
export const RESCUE_TIPS_MAX: number = 20;
/** Text of a diff that is shown to a person; who has more to read reads it with git. */
export const DIFF_BYTES_MAX: number = 512 * 1024;
/** The list of its files: names and counts of thousands. */
export const DIFF_LIST_BYTES_MAX: number = 2 * 1024 * 1024;
/** Names that are only counted: a million files. */
export const DIFF_NAMES_BYTES_MAX: number = 64 * 1024 * 1024;
/** Files that are named; the others are counted. */
export const DIFF_FILES_MAX: number = 1_000;
/** Files among which git looks for renames: its own default takes minutes of a large change. */
export const DIFF_RENAMES_MAX: number = 200;
/** Whoever asks waits for 10 s. */
export const DIFF_TIMEOUT_MS: number = 8_000;
/** Output of one git command; a `status` of 50,000 files is 5 MB. */
export const GIT_OUTPUT_BYTES_MAX: number = 64 * 1024 * 1024;
/** Of the changes in one range of commits that are searched for keys: years of an agent's work, and seconds of ours. */
export const SCAN_BYTES_MAX: number = 64 * 1024 * 1024;
/** Of one added line: a key in a minified file is found in its first part or not. */
export const SCAN_LINE_CHARS_MAX: number = 10_000;
/** Places that a refusal names; who has more of them looks again after these. */
export const SCAN_FOUND_MAX = 10;
/** A folder of a million files is counted within seconds; a network disk that hangs is not waited for. */
export const DISK_LOOK_TIMEOUT_MS: number = 30_000;
/** After a look that took longer: a slow disk with many files is counted in the end; looks are one at a time. */
export const DISK_LOOK_AGAIN_TIMEOUT_MS: number = 300_000;
/** What a look at an isolated attempt's work may answer: a refusal with ten file names. */
export const LOOK_BYTES_MAX: number = 256 * 1024;
/** Local git commands; a checkout of 50,000 files takes 2 s, a slow disk ten times that. */
export const GIT_LOCAL_TIMEOUT_MS: number = 120_000;
/** Fetch and push; a first clone has its own limit. */
export const GIT_NETWORK_TIMEOUT_MS: number = 120_000;
/** The first clone of a big repository. */
export const GIT_CLONE_TIMEOUT_MS: number = 30 * 60_000;
/** Exit pipelines that fail (disk full, repository broken) are tried again so often, then the worktree is kept aside. */
export const EXIT_TRIES_MAX: number = 5;
/** A done claim may carry this much text. */
export const SUMMARY_CHARS_MAX: number = 10_000;
/** Of an attempt's `done.json`: three such texts, each character escaped. */
export const INTENT_BYTES_MAX: number = 256 * 1024;
/** Of an attempt's `usage.jsonl`: ten thousand reports; what comes after is not read. */
export const USAGE_BYTES_MAX: number = 1024 * 1024;
/** One report may say at most so much; more is a mistake of a unit, not work. */
export const USAGE_TOKENS_MAX = 1_000_000_000;
export const USAGE_USD_MAX = 10_000;
/** Models of one attempt that are counted apart. */
export const USAGE_MODELS_MAX = 50;
/** Nested repositories inside a worktree that a rescue descends into. */
export const NESTED_REPOS_MAX: number = 50;

/** Times that a test or a host may shorten. All in milliseconds. */
export interface RunnerTimings {
  /** A job that ends within this time is answered at once and saves its fact. Below the protocol's 10 s. */
  readonly jobAnswerMs: number;
  /** A stop waits this long for "gone" before it says "stopping". Below the protocol's 10 s. */
  readonly stopAnswerMs: number;
  /** Between SIGTERM and SIGKILL: time for an agent to write its last lines. */
  readonly stopGraceMs: number;
  /** The same at the runner's own shutdown, where the host waits for us. */
  readonly shutdownGraceMs: number;
  /** Whole graceful shutdown; after it the successor's sweep does the rest. */
  readonly shutdownMs: number;
  /** A killed process must be out of the process table within this time. */
  readonly sweepMs: number;
  /** Wait for the pipes' last bytes once nothing of the agent is left. */
  readonly pipeDrainMs: number;
  /** First and longest pause between tries to reach the brain. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** One call to the brain that does not wait for a verdict. */
  readonly brainCallMs: number;
  /** Default wait of `gt done` for the verdict. */
  readonly doneWaitMs: number;
  /** Activity watermark: the kernel's heartbeat. */
  readonly heartbeatMs: number;
  /** Pause between tries of a failed exit pipeline. */
  readonly exitRetryMs: number;
  /** Between two times that a working agent's work is stored: what a lost disk may cost at most. */
  readonly saveMs: number;
  /** Wait for a ref to arrive at the origin before the next step; it goes on being pushed after that. */
  readonly pushWaitMs: number;
  /** Between two looks at agents' memory: a program fills a few GB in that time. */
  readonly memoryLookMs: number;
  /** Between two looks at agents' folders: each reads every name in them. */
  readonly diskLookMs: number;
  /** An agent in its turn that says nothing and runs no tool: its model hangs. Below the rig's own patience. */
  readonly silenceMs: number;
  /** Between two tries to store work that was set aside, and until a person's word about it is heard. */
  readonly setAsideMs: number;
  /** A program that has not opened its session says nothing so long: no model was asked yet. */
  readonly openMs: number;
}

export const DEFAULT_TIMINGS: RunnerTimings = {
  jobAnswerMs: 5_000,
  stopAnswerMs: 8_000,
  stopGraceMs: 30_000,
  shutdownGraceMs: 5_000,
  shutdownMs: 25_000,
  sweepMs: 10_000,
  pipeDrainMs: 500,
  retryMsMin: 100,
  retryMsMax: 2_000,
  brainCallMs: 10_000,
  doneWaitMs: 30_000,
  heartbeatMs: 10_000,
  exitRetryMs: 2_000,
  saveMs: 5 * 60_000,
  pushWaitMs: 4_000,
  memoryLookMs: 1_000,
  diskLookMs: 15_000,
  silenceMs: 6 * 60_000,
  // One try reads a whole worktree; disks are emptied and repositories mended in minutes.
  setAsideMs: 5 * 60_000,
  // The slowest (Kilo) takes 10 s of work at its first start, more than 30 s on a busy machine; some fetch a package then.
  openMs: 5 * 60_000,
};

/** Until a listed host answers a connection; what a network loses is seen in that time. */
export const WAY_CONNECT_MS: number = 15_000;
/** A tunnel of which one side has said its last word and hears nothing for so long is ended: that side is gone. */
export const WAY_HALF_OPEN_MS: number = 2 * 60_000;
/** A silent connection is asked so often whether its host is there: models are silent for minutes, dead hosts for ever. */
export const WAY_ALIVE_MS: number = 60_000;
/** Connections of one sandbox at once through its proxy: an installer of packages opens some dozens. */
export const WAY_CONNECTIONS_MAX: number = 256;
/** Places that were refused to one attempt, which are told; more are one program that tries everything. */
export const WAY_REFUSALS_MAX: number = 20;

/** One line of an agent's program: a tool's whole output may be in it. */
export const EVENT_LINE_BYTES_MAX: number = 32 * 1024 * 1024;
/** An agent that ends its turn without "gt done" is told so this often; then it has made no progress. */
export const REMINDERS_MAX: number = 1;
/**
 * Words that wait for a turn's end are said within this time. The town asks for them again until ten minutes are over and
 * then sends them by mail; by this margin it hears in time that they were said, and they are not said twice.
 */
export const WORDS_WAIT_MS: number = NUDGE_EXPIRES_AFTER_MS - 2 * 60_000;
/** Between the last word to a program and SIGTERM, and again before SIGKILL: it saves its session. */
export const SESSION_END_MS: number = 3_000;
/** Of what a provider says with a refusal (limit of the contract). */
export const LIMIT_REASON_CHARS_MAX: number = 2_000;
/** A protocol's own way to end a turn takes 10 to 200 ms with the programs that were tried. */
export const CANCEL_MS: number = 1_000;

/** A shell that finds no program says so within milliseconds; this leaves room for a busy machine. */
export const MISSING_PROGRAM_WITHIN_MS: number = 5_000;

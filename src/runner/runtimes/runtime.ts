import type { StartAgent } from '../../api/contract/runner.ts';
import type { AgentSession, FormerSession, SessionLink } from './session.ts';

/** What a runtime can do; the brain's offers to people and its recovery follow from it. */
export interface RuntimeCapabilities {
  /** True: put a predecessor's uncommitted state back. False: it starts over from the base commit. */
  readonly continuesWork: boolean;
  /** The tool can go on with a former session by its id. */
  readonly resume: boolean;
  /** A short message can be put into the live session. */
  readonly nudge: boolean;
  /** Its output says which tools run and what is used; otherwise output itself is the only sign of life. */
  readonly structuredOutput: boolean;
  /** False is shown to people: this is not an AI agent. */
  readonly ai: boolean;
}

export interface RuntimeContext {
  readonly request: StartAgent;
  /** Folder of the attempt outside the worktree, for whatever files the tool needs. */
  readonly stateDir: string;
  readonly worktree: string;
  /** The agent's complete environment, without what the runtime adds. */
  readonly env: Readonly<Record<string, string>>;
  /** A session to take up again; null: a new one. */
  readonly resume: FormerSession | null;
}

export interface RuntimeStart {
  readonly command: string;
  readonly args: readonly string[];
  /** Text on standard input, which is closed after it. */
  readonly stdin: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** For a program that is spoken to while it works; it takes the place of `stdin` and of plain output. */
  readonly session?: (link: SessionLink) => AgentSession;
}

export interface RuntimeFound {
  readonly available: boolean;
  readonly version: string | null;
  /** What to do when it is not available. */
  readonly next: string | null;
}

/** One kind of agent. An adapter decides only how its tool is started and read; life and death are the runner's. */
export interface Runtime {
  readonly name: string;
  readonly capabilities: RuntimeCapabilities;
  /** Exit codes by which what starts the program says that it is missing or may not be run (a shell: 126 and 127). */
  readonly missingCodes?: readonly number[];
  detect(): Promise<RuntimeFound>;
  /** Writes what the tool needs into the state folder and says how to start it. Errors: `TownError` with what is missing. */
  start(context: RuntimeContext): Promise<RuntimeStart>;
}

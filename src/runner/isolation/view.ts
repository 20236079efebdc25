import type { RunnerPaths } from '../paths.ts';
import type { OwnGit } from './own-git.ts';
import type { OnRefused } from './way-out.ts';

/** What a process inside works with; everything else of the town is hidden from it. */
export interface BoxView {
  /** Attempt, or the marker of a gate: names its folders. */
  readonly name: string;
  readonly paths: RunnerPaths;
  readonly worktree: string;
  /** Null for a session without a repository. */
  readonly git: OwnGit | null;
  /** The attempt's folder, with its prompt, intent and usage; null for gates. */
  readonly state: string | null;
  /** The runner's socket is there for agents only. */
  readonly hasSocket: boolean;
  /** A place outside of the list that the sandbox's network is was asked for. Called once for each. */
  readonly onRefused: OnRefused;
  /** Bytes of the largest file that may be written; null: no limit. */
  readonly fileBytesMax: number | null;
}

/** How a program is started. */
export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

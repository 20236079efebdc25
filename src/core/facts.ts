/** What crosses the line between brain and muscle, as plain types; a type test holds `api/contract/runner.ts` equal to it. */
import type { BeadKind } from './model/bead.ts';
import type { ClaimJob } from './model/claim-job.ts';
import type { AgentLimits, Isolation, Sandbox } from './model/isolation.ts';
import type { Brought } from './model/outside.ts';
import type { LeftOut, TargetRewrite } from './model/merge-answer.ts';
import type { Repo } from './model/repo.ts';
import type { LandedCommit } from './model/revert.ts';
import type { RuntimePreset } from './runtime-presets.ts';

/** Type of an `agent_event`: its program was kept from a host that the list of its network does not have. */
export const NETWORK_REFUSED = 'network_refused';

/** Type of an `agent_event`: work that could not be stored at the end of its attempt is stored since, or was given up. */
export const WORK_KEPT = 'work_kept';

export interface Author {
  readonly name: string;
  readonly email: string;
}

export interface StartAgent {
  readonly attempt: string;
  readonly epoch: number;
  readonly agent: string;
  readonly rig: string;
  readonly bead: string;
  readonly sourceBead: string;
  readonly kind: BeadKind;
  readonly round: number;
  readonly runtime: string;
  readonly model: string | null;
  readonly title: string;
  readonly body: string;
  readonly recipeBody: string;
  readonly recipeAllowed: boolean;
  readonly prompt: string;
  readonly checkpoint: string | null;
  readonly repo: Repo | null;
  readonly fixedHead: string | null;
  readonly claimBase: string | null;
  readonly restoreFrom: string | null;
  readonly resumeRefs?: readonly string[] | undefined;
  readonly branch: string;
  readonly author: Author;
  readonly capability: string;
  readonly env: Readonly<Record<string, string>>;
  readonly preset?: RuntimePreset | undefined;
  readonly fresh?: boolean | undefined;
  readonly startDeadlineMs: number;
  /** The same from now on, for a runner whose clock is another than ours. */
  readonly startWithinMs?: number | undefined;
  readonly wallClockMs: number;
  /** Missing: not shut in. A runner that can't do this starts nothing. */
  readonly sandbox?: Sandbox | undefined;
  readonly limits?: AgentLimits | undefined;
}

export interface ExitRecord {
  readonly attempt: string;
  readonly epoch: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cause:
    | 'exited'
    | 'stopped'
    | 'wall_clock'
    | 'memory'
    | 'disk'
    | 'runner_lost'
    | 'spawn_failed'
    | 'refused'
    | 'drained';
  readonly lastLine: string;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number;
  readonly head: string | null;
  readonly base: string | null;
  readonly ahead: number | null;
  readonly dirty: boolean;
  readonly rescueRef: string | null;
  readonly doneIntent: boolean;
  readonly failed?: 'program' | 'repository' | 'branch' | 'isolation' | 'machine' | undefined;
}

export interface AgentReport {
  readonly attempt: string;
  readonly state: 'unknown' | 'accepted' | 'running' | 'exited';
  readonly epoch: number;
  readonly pid: number | null;
  readonly base: string | null;
  readonly lastOutputAtMs: number | null;
  readonly exit: ExitRecord | null;
}

export interface StopAgent {
  readonly attempt: string;
  readonly epoch: number;
  readonly mode: 'graceful' | 'now';
}

export interface StopAnswer {
  readonly state: 'gone' | 'stopping';
  readonly exit: ExitRecord | null;
}

/** Words for a live session. */
export interface AgentMessage {
  readonly attempt: string;
  readonly epoch: number;
  readonly key: string;
  readonly text: string;
  readonly mode: 'immediate' | 'wait-idle';
}

/** `not_possible`: the runtime takes no words in mid-session, or there is no session; `reason` says which. */
export interface MessageAnswer {
  readonly state: 'delivered' | 'not_possible';
  readonly reason: string;
}

export interface GateSpec {
  readonly name: string;
  readonly run: string;
  readonly timeoutMs: number;
}

/** An entry of the line that is merged in the same round, after those before it. */
export interface Rider {
  readonly mergeRequest: string;
  readonly head: string;
  readonly earlierCandidate: string | null;
  readonly message: string;
  readonly mayRevive?: string | undefined;
  readonly mayReviveAlso?: readonly string[] | undefined;
}

/** How entries are brought to the target: as a merge commit, as one commit, or as their commits again on top of it. */
export const MERGE_STYLES = ['merge', 'squash', 'rebase'] as const;
export type MergeStyle = (typeof MERGE_STYLES)[number];

/** What one list of a round became: its entries in order, each with the commit that adds it to those before. */
export interface MadeList {
  /** Its number in the order. */
  readonly list: number;
  readonly entries: readonly { readonly mergeRequest: string; readonly candidate: string; readonly tree: string }[];
}

export type Job =
  | { readonly kind: 'repo'; readonly key: string; readonly repo: Repo }
  /** Makes the target branch when it is missing, from the newest commit of `from` or from `repo.restore`. */
  | { readonly kind: 'branch'; readonly key: string; readonly repo: Repo; readonly from: string }
  | ClaimJob
  | {
      readonly kind: 'merge';
      readonly key: string;
      readonly repo: Repo;
      readonly mergeRequest: string;
      readonly head: string;
      readonly earlierCandidate: string | null;
      readonly message: string;
      readonly author: Author;
      readonly dateMs: number;
      /** Missing, with `lists`, when the merge request is merged by itself. */
      readonly riders?: readonly Rider[] | undefined;
      /** Which lists are made, as places: 0 is the merge request, 1 the first rider. An empty one is the target. */
      readonly lists?: readonly (readonly number[])[] | undefined;
      /** Missing: a merge commit. */
      readonly style?: MergeStyle | undefined;
      /** What the target was seen at: last, then tips that a rewrite of it left behind. */
      readonly formerTips?: readonly string[] | undefined;
      /** A former tip: a person lets this one bring back what was in it. */
      readonly mayRevive?: string | undefined;
      /** Further such tips, of which an older runner does not know. */
      readonly mayReviveAlso?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'gates';
      readonly key: string;
      readonly repo: Repo;
      readonly commit: string;
      readonly gates: readonly GateSpec[];
      readonly sandbox?: Sandbox | undefined;
    }
  | {
      readonly kind: 'push';
      readonly key: string;
      readonly repo: Repo;
      readonly mergeRequest: string;
      readonly candidate: string;
      readonly expectedOld: string;
      /** After this nobody begins to push: the town gives up soon, and then nothing may arrive any more. */
      readonly notAfterMs?: number | undefined;
    }
  /** Undoes merge commits of the target and brings the result to the origin as `branch`. */
  | {
      readonly kind: 'revert';
      readonly key: string;
      readonly repo: Repo;
      readonly bead: string;
      readonly branch: string;
      readonly commits: readonly string[];
      readonly landed?: readonly LandedCommit[] | undefined;
      readonly author: Author;
      readonly dateMs: number;
    };

export interface GateRun {
  readonly name: string;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  /** Something else ended it by this signal (a shutdown, out of memory): that says nothing about the work. */
  readonly killedBy?: string | undefined;
  readonly durationMs: number;
  readonly tail: string;
}

export type JobResult =
  | { readonly result: 'error'; readonly message: string }
  | { readonly result: 'repo_ready'; readonly targetSha: string }
  | { readonly result: 'branch_ready'; readonly head: string }
  | { readonly result: 'verified'; readonly head: string; readonly ahead: number }
  | { readonly result: 'refused'; readonly code: string; readonly message: string }
  | { readonly result: 'promoted'; readonly head: string }
  | { readonly result: 'branch_moved'; readonly actual: string | null }
  | {
      readonly result: 'candidate';
      /** The merge request by itself on the target. */
      readonly candidate: string;
      readonly tree: string;
      readonly targetSha: string;
      /** The three are missing in answers of an older runner, which merges the first entry only. */
      readonly targetTree?: string | undefined;
      readonly made?: readonly MadeList[] | undefined;
      readonly leftOut?: readonly LeftOut[] | undefined;
    }
  | {
      readonly result: 'conflict';
      readonly targetSha: string;
      readonly paths: readonly string[];
      readonly message: string;
    }
  | ({ readonly result: 'already_merged'; readonly targetSha: string } & Brought)
  | TargetRewrite
  | { readonly result: 'gates'; readonly green: boolean; readonly runs: readonly GateRun[] }
  | { readonly result: 'pushed'; readonly targetSha: string }
  | { readonly result: 'lost_race'; readonly targetSha: string | null }
  | { readonly result: 'reverted'; readonly head: string }
  | { readonly result: 'nothing_to_revert'; readonly message: string };

export type JobAnswer = { readonly state: 'accepted' } | { readonly state: 'done'; readonly result: JobResult };

/** What an attempt used of one model. Money is millionths of a US dollar; null: no cost was said. */
export interface UsageOfModel {
  readonly model: string | null;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly tokensCached: number;
  readonly microUsd: number | null;
  /** The part of the tokens whose cost was not said. */
  readonly unpricedIn: number;
  readonly unpricedOut: number;
  readonly unpricedCached: number;
}

/** Nothing was used of this model; an empty name is unknown. */
export const nothingOf = (model: string): UsageOfModel => ({
  model: model === '' ? null : model,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  microUsd: null,
  unpricedIn: 0,
  unpricedOut: 0,
  unpricedCached: 0,
});

/** Both together, under the name of the first. */
export const sumOfModel = (a: UsageOfModel, b: UsageOfModel): UsageOfModel => ({
  model: a.model,
  tokensIn: a.tokensIn + b.tokensIn,
  tokensOut: a.tokensOut + b.tokensOut,
  tokensCached: a.tokensCached + b.tokensCached,
  microUsd: b.microUsd === null ? a.microUsd : (a.microUsd ?? 0) + b.microUsd,
  unpricedIn: a.unpricedIn + b.unpricedIn,
  unpricedOut: a.unpricedOut + b.unpricedOut,
  unpricedCached: a.unpricedCached + b.unpricedCached,
});

export type Fact =
  | {
      readonly type: 'agent_started';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      readonly instance: string;
      readonly pid: number;
      readonly base: string | null;
      /** How it is shut in; a runner that does not say so shuts nothing in. */
      readonly isolation?: Isolation | undefined;
      readonly atMs: number;
    }
  | {
      readonly type: 'agent_done';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      readonly head: string;
      readonly summary: string;
      readonly atMs: number;
    }
  | {
      readonly type: 'agent_no_change';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      readonly reason: string;
      readonly atMs: number;
    }
  /** All that the attempt has used until now: totals, so that a repeat or a lost one changes nothing. */
  | {
      readonly type: 'agent_usage';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      readonly models: readonly UsageOfModel[];
      readonly atMs: number;
    }
  /** The provider refused: the quota of its account for this model is used up. */
  | {
      readonly type: 'quota_limited';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      /** When it is open again; null when the provider did not say. */
      readonly resetsAtMs: number | null;
      readonly reason: string;
      readonly atMs: number;
    }
  | { readonly type: 'agent_exited'; readonly key: string; readonly rig: string; readonly exit: ExitRecord }
  | {
      readonly type: 'agent_event';
      readonly key: string;
      readonly rig: string;
      readonly attempt: string;
      readonly epoch: number;
      readonly eventType: string;
      readonly atMs: number;
      readonly activeTools: readonly string[];
      readonly statusMessage: string | null;
    }
  | {
      readonly type: 'job_finished';
      readonly key: string;
      readonly rig: string;
      readonly jobKey: string;
      readonly result: JobResult;
    };

export type Verdict =
  | { readonly verdict: 'accepted'; readonly message: string }
  | { readonly verdict: 'refused'; readonly code: string; readonly message: string }
  | { readonly verdict: 'superseded'; readonly message: string }
  | { readonly verdict: 'pending'; readonly message: string };

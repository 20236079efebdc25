import type { Molecule } from './model/molecule.ts';
import type { RigConfig } from './commands.ts';
import type { RigBudget, Use } from './budget.ts';
import type { BreakerScope } from './model/breaker.ts';
import type { Agent, Attempt } from './model/agent.ts';
import type { Bead } from './model/bead.ts';
import type { AgentId, AttemptId, BeadId, RunnerInstance } from './model/ids.ts';
import type { Feature } from './model/feature.ts';
import type { JobTrouble } from './model/job-trouble.ts';
import type { Mail } from './model/mail.ts';
import type { RunnerFacts } from './model/runner.ts';
import type { Revert } from './model/revert.ts';
import type { Proposal } from './model/proposal.ts';
import type { Review } from './model/review.ts';
import type { Probe, Train } from './model/train.ts';
import type { ExitRecord, JobResult } from './facts.ts';

/** A live or ended attempt together with what the runner reported of it. */
export interface AttemptFacts extends Attempt {
  readonly exit: ExitRecord | null;
  /** How far the claim is: null without one. */
  readonly claim: ClaimState | null;
  /** First unanswered observation; null while in contact. */
  readonly contactLostAtMs: number | null;
  /** Rung of the GUPP ladder, taken at `atMs`; it says nothing about any silence but the one since `sinceMs`. */
  readonly gupp: { readonly rung: 1 | 2 | 3 | 4; readonly sinceMs: number; readonly atMs: number } | null;
  /** What the agent waits for a person to answer; gone with the answer and with the attempt. */
  readonly question: { readonly text: string; readonly atMs: number } | null;
}

/**
 * A claim on its way to a verdict. `verifying` and `promoting` wait for the runner's result, which arrives as
 * `verified`, `promoted` or `refused`.
 */
export type ClaimState =
  | { readonly state: 'recorded'; readonly kind: 'done' | 'no_change' }
  | { readonly state: 'verifying' | 'verified' | 'promoting' | 'promoted'; readonly kind: 'done' }
  | { readonly state: 'refused'; readonly kind: 'done'; readonly code: string; readonly message: string };

/** A merge request with the result of its present step, once it arrived. */
export interface ReviewFacts extends Review {
  readonly result: JobResult | null;
}

/** A breaker: infrastructure failures in a row of its scope, and when the next probe may go. */
export interface BreakerFacts {
  readonly scope: BreakerScope;
  readonly failures: number;
  readonly retryAtMs: number;
  readonly openedAtMs: number | null;
  readonly reason: string | null;
  /** An escalation about it is open. */
  readonly escalated: boolean;
}

/** A runner with the processes of this rig that it still has. */
export interface RunnerLoad extends RunnerFacts {
  readonly used: number;
}

/** A provider's refusal, by account and model. It is closed until `resetsAtMs`. */
export interface QuotaWindow {
  readonly scope: string;
  readonly account: string;
  readonly model: string;
  /** When it was closed, without having been open since. */
  readonly openedAtMs: number;
  /** The newest refusal that it knows. */
  readonly reportedAtMs: number;
  readonly resetsAtMs: number;
  /** The provider said until when. */
  readonly isKnown: boolean;
  readonly isBurst: boolean;
  /** Refusals in a row that did not say until when. */
  readonly strikes: number;
  readonly reason: string;
  /** `other`: the rig that met it tells people. */
  readonly told: 'no' | 'yes' | 'other';
}

/** What rules may read: lazy, indexed, read-only. Nothing here costs more than what it returns. */
export interface RigView {
  config(): RigConfig;
  /** A parked rig that is emptied before its removal: what continues a branch is dispatched all the same. */
  isDraining(): boolean;
  bead(id: BeadId): Bead | null;
  agent(id: AgentId): Agent | null;
  attempt(id: AttemptId): AttemptFacts | null;
  /** The attempt of this bead that has not ended. */
  liveAttempt(bead: BeadId): AttemptFacts | null;
  /** Attempts (live or ended) of an agent whose process is not proven gone. */
  unresolvedAttempt(agent: AgentId): AttemptFacts | null;
  /** The newest ended attempt of a bead. */
  lastAttempt(bead: BeadId): AttemptFacts | null;
  /**
   * True when another lineage got a process since the `count`-th last attempt of this bead was dispatched: anywhere, or at
   * this runner.
   */
  othersStarted(bead: BeadId, count: number, runner: string | null): boolean;
  review(mergeRequest: BeadId): ReviewFacts | null;
  reviewOf(source: BeadId): ReviewFacts | null;
  /** Open, unblocked, unheld issues whose `notBefore` has passed and whose lineage has no process left, in order. */
  readyBeads(nowMs: number, limit: number): readonly Bead[];
  /** The next moment at which a bead that only backs off becomes ready. */
  nextBackoffEnd(nowMs: number): number | null;
  /** Attempts that hold a slot: live ones and those whose process is not proven gone. */
  slotsTaken(): number;
  idleAgents(): readonly Agent[];
  agentNames(): ReadonlySet<string>;
  /** The agent that last worked on this lineage. */
  lastAgentOf(source: BeadId): AgentId | null;
  /** The merge request that occupies the train of a target branch. */
  activeReview(target: string): ReviewFacts | null;
  /** The front of the line: queued, unblocked merge requests in order. */
  line(target: string, limit: number): readonly ReviewFacts[];
  /** Merge requests of the round under way, in their order; the first leads it. */
  round(target: string): readonly ReviewFacts[];
  /** Runs of the gates on the lists of this leader's round. */
  probes(leader: BeadId): readonly Probe[];
  train(target: string): Train;
  /** What this target was seen at: last, then the tips that rewrites left behind. Empty: it was never seen. */
  formerTips(target: string): readonly string[];
  /** Why an order to the runner is not done yet; null: it is, or nothing failed so far. */
  trouble(jobKey: string): JobTrouble | null;
  /** True when this tree passed exactly these gates. */
  isTested(tree: string, gates: string): boolean;
  /** The pull request of a merge request; null with the strategy `direct`. */
  proposal(mergeRequest: BeadId): Proposal | null;
  /** True when agents of this lineage had this commit accepted. */
  isOwnHead(source: BeadId, sha: string): boolean;
  /** Since when the forge does not answer about the pull request that waits longest, and whether people were told. */
  forgeSilence(): { readonly sinceMs: number | null; readonly told: boolean };
  /** The feature branch of this name; null for any other branch. */
  feature(branch: string): Feature | null;
  /** What a bead of kind `revert` is to undo; null for any other. */
  revert(bead: BeadId): Revert | null;
  /** True while a live bead merges into this branch, or lands it. */
  featureInUse(branch: string): boolean;
  /** True when the convoy of this bead was aborted: what runs may end well, nothing is tried again. */
  isAborted(bead: BeadId): boolean;
  /** The rework beads that block a merge request, the oldest first: more than one when changes were asked for while one ran. */
  openReworks(mergeRequest: BeadId): readonly Bead[];
  /** Beads that wait for this one. */
  dependents(bead: BeadId): readonly BeadId[];
  /** The breaker of a scope; with no failures where nothing failed. */
  breaker(scope: BreakerScope): BreakerFacts;
  /** Every breaker that counts failures, by scope: the rig's own first. */
  breakers(): readonly BreakerFacts[];
  /** Moving average of what attempts of this kind used; null where nothing is known. */
  average(of: { readonly runtime: string; readonly model: string | null; readonly kind: string }): {
    readonly tokens: number | null;
    readonly microUsd: number | null;
  };
  /** Budgets that this rig draws on. */
  budgets(): readonly RigBudget[];
  /** This rig's use of a budget. */
  useOf(budget: RigBudget): Use;
  quotaWindow(scope: string): QuotaWindow | null;
  /** When an agent that still runs was last dispatched in this scope. */
  lastDispatch(scope: string): number | null;
  /** Slots taken by agents of a runtime or of an account. */
  slotsOf(by: { readonly runtime: string } | { readonly account: string }): number;
  /** Merge requests that wait for a person. */
  reviewsWaiting(): number;
  /** Mail that nobody has read until its expiry, oldest first. */
  expiredMail(nowMs: number, limit: number): readonly Mail[];
  /** When the next unread mail expires. */
  nextMailExpiry(): number | null;
  runnerInstance(): RunnerInstance | null;
  /** False on a host without a runner of its own: work waits for one that is registered. */
  hasLocalRunner(): boolean;
  /** All runners that this rig knows of, by name. */
  runners(): readonly RunnerLoad[];
  /** Where this lineage was worked on last. */
  lastRunnerOf(source: BeadId): string | null;
  /** The formula that a bead follows. */
  molecule(bead: BeadId): Molecule | null;
  /** True when the end of this bead was reported to the town. */
  endReported(bead: BeadId): boolean;
  /** True while something of this branch lives, ended after `beforeMs`, or is needed by what lives. */
  isKept(source: BeadId, beforeMs: number): boolean;
  /** True while a bead or a mail waits for this agent. */
  isAgentNeeded(agent: AgentId): boolean;
  /** True when the policy of its convoy cancels it once something it waits for has failed. */
  skipsFailed(bead: BeadId): boolean;
  /** True when the town must hear of this bead's end: it is in a convoy, or a bead of another rig waits for it. */
  isWatched(bead: BeadId): boolean;
}

import type { Usage } from '../usage.ts';
import type { AgentId, AttemptId, BeadId, RunnerInstance, Sha } from './ids.ts';

export const AGENT_ROLES = ['polecat', 'refinery', 'crew'] as const;
export type AgentRole = (typeof AGENT_ROLES)[number];

/**
 * `idle`: no hook. `starting`: dispatched, process not confirmed. `working`/`waiting`: process confirmed; waiting means
 * for a person or at rest. `stalled`: no activity (GUPP). `stopping`: stop ordered. `unknown`: contact lost; it has a
 * takeover deadline. `dead`: retired, its name is history.
 */
export const AGENT_STATUSES = [
  'idle',
  'starting',
  'working',
  'waiting',
  'stalled',
  'stopping',
  'unknown',
  'dead',
] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export interface Agent {
  readonly id: AgentId;
  readonly role: AgentRole;
  readonly name: string;
  readonly status: AgentStatus;
  readonly hookBeadId: BeadId | null;
  /** Epoch of its live or last attempt. */
  readonly epoch: number;
  readonly runnerId: RunnerInstance | null;
  readonly leaseUntilMs: number | null;
  readonly lastActivityAtMs: number | null;
  readonly lastEventType: string | null;
  readonly activeTools: readonly string[];
  readonly statusMessage: string | null;
  readonly checkpoint: string | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** How an attempt ended; exactly one. */
export const OUTCOMES = [
  'done',
  'no_change',
  'blocked',
  'rejected',
  'no_progress',
  'agent_error',
  'infra',
  'quota',
  'evicted',
  'cancelled',
  'superseded',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Only these count against the bead; an infrastructure failure is never charged to it. */
export const COUNTED_OUTCOMES: ReadonlySet<Outcome> = new Set<Outcome>(['no_progress', 'agent_error', 'rejected']);

export interface Attempt {
  readonly id: AttemptId;
  readonly beadId: BeadId;
  readonly sourceBeadId: BeadId;
  readonly agentId: AgentId;
  readonly epoch: number;
  readonly runtime: string;
  readonly model: string | null;
  /** Rework round of the lineage: 0 for the first task. */
  readonly round: number;
  readonly startedAtMs: number;
  /** When the runner confirmed the process, null before. */
  readonly runningAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly outcome: Outcome | null;
  readonly exitCode: number | null;
  readonly reason: string | null;
  readonly signature: string | null;
  /** The agent said "done" at this commit: a claim until verified. */
  readonly claimedHead: Sha | null;
  readonly claimedAtMs: number | null;
  readonly claimSummary: string | null;
  /** A verdict that the claim was refused with; the agent may claim again while it lives. */
  readonly claimRefusal: string | null;
  /** Verified head: its ref is in the rig's bare clone. */
  readonly headSha: Sha | null;
  readonly baseSha: Sha | null;
  /** The process is proven gone (exit record, or never started). A successor may start only then. */
  readonly processGone: boolean;
  readonly runnerId: RunnerInstance | null;
  /** Name of the runner that has it. */
  readonly runner: string;
  /** What it said to have used so far. */
  readonly usage: Usage;
  /** What of its estimate it has not used, while it lives. */
  readonly reservedTokens: number;
  readonly reservedMicroUsd: number;
  /** It ran and did not say (all of) what it used: counted with this. */
  readonly assumedTokens: number;
  readonly assumedMicroUsd: number;
  /** `<account>/<model>` whose quota it draws on; null: of an older program. */
  readonly quotaScope: string | null;
  /** The last refusal of its provider for lack of quota. */
  readonly quota: QuotaReport | null;
}

/** Said by an agent: its provider refuses for lack of quota, until then if it knows. */
export interface QuotaReport {
  readonly resetsAtMs: number | null;
  readonly reason: string;
  readonly atMs: number;
}

/** Deterministic names, so that a second try collides instead of doubling. */
export const attemptRef = (sourceBead: BeadId, epoch: number): string =>
  `refs/gt/attempts/${sourceBead}/${String(epoch)}`;
export const rescueRef = (sourceBead: BeadId, attempt: AttemptId): string => `refs/gt/rescue/${sourceBead}/${attempt}`;
export const branchName = (sourceBead: BeadId): string => `gt/${sourceBead}`;
export const mergingRef = (mergeRequest: BeadId): string => `refs/gt/merging/${mergeRequest}`;

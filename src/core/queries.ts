import type { StoppedTrain } from './model/train.ts';
import type { AttentionItem } from './attention-item.ts';
import type { Agent, Attempt } from './model/agent.ts';
import type { Bead, BeadPhase, BeadStatus, Blocker } from './model/bead.ts';
import type { Convoy, ConvoyBead } from './model/convoy.ts';
import type { ConvoyLanding } from './model/landing.ts';
import type { ConvoyRevert } from './model/revert.ts';
import type { Escalation, EscalationOption, EscalationRoute } from './model/escalation.ts';
import type { AgentId, AttemptId, BeadId, ConvoyId, RigName } from './model/ids.ts';
import type { Health } from './model/health.ts';
import type { Isolation } from './model/isolation.ts';
import type { MayorStatus } from './model/mayor.ts';
import type { Molecule } from './model/molecule.ts';
import type { WaitsFor } from './model/proposal.ts';
import type { ChecksState, PullRequestState } from './model/pull-request.ts';
import type { Review } from './model/review.ts';

/** A page of a list; `next` continues it, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface BeadFilter {
  readonly rig?: RigName | undefined;
  readonly statuses?: readonly BeadStatus[] | undefined;
  readonly convoy?: ConvoyId | undefined;
  /** Merge requests are beads as well; lists show issues unless asked. */
  readonly includeMergeRequests: boolean;
  /** Otherwise oldest first. A page that goes on asks with the same. */
  readonly isNewestFirst?: boolean | undefined;
  readonly limit: number;
  readonly after?: string | undefined;
}

/** The place of a bead in lists, oldest first. */
export const byCreation = (
  a: { readonly createdAtMs: number; readonly id: string },
  b: { readonly createdAtMs: number; readonly id: string },
): number => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1);

export interface BeadSummary extends Bead {
  readonly rig: RigName;
  readonly phase: BeadPhase;
  /** Agent of the live attempt. */
  readonly agentId: AgentId | null;
  readonly attempts: number;
}

export interface BeadDetail extends BeadSummary {
  readonly blockers: readonly Blocker[];
  readonly attemptList: readonly Attempt[];
  readonly review: ShownReview | null;
  readonly reworkBeads: readonly BeadId[];
  readonly molecule: Molecule | null;
  readonly why: Why;
}

/** One sentence for people and the same in fields: what it waits for, which rule, since when, what would change it. */
export interface Why {
  readonly id: string;
  readonly state: string;
  readonly sentence: string;
  readonly rule: string;
  readonly sinceMs: number | null;
  /** What would change it; null when nothing will (terminal). */
  readonly next: string | null;
  /** The command by which a person changes it, where one does. */
  readonly command: string | null;
  /** When the rule looks again by itself. */
  readonly wakeAtMs: number | null;
}

export interface AgentSummary extends Agent {
  readonly rig: RigName;
  readonly attemptId: AttemptId | null;
  readonly runtime: string | null;
  /** How its process is or was shut in; null: not known. */
  readonly isolation: Isolation | null;
}

/** The pull request of a merge request, as far as people look at it. */
export interface PullSummary {
  readonly number: number;
  readonly url: string;
  readonly state: PullRequestState;
  readonly checks: ChecksState;
  readonly approvals: number;
  readonly waitsFor: WaitsFor | null;
  readonly waitReason: string | null;
  /** Since when the forge does not answer; null while it does. */
  readonly silentSinceMs: number | null;
}

export interface ShownReview extends Review {
  /** Null with the strategy `direct`, and before it is opened. */
  readonly pullRequest: PullSummary | null;
}

export interface QueueEntry extends ShownReview {
  readonly rig: RigName;
  readonly title: string;
  readonly status: BeadStatus;
  readonly openBlockers: number;
  /** 1 is next; null when it is not waiting in line. */
  readonly place: number | null;
  readonly why: Why;
}

export interface ConvoyDetail extends Convoy {
  readonly beads: readonly (ConvoyBead & { readonly bead: BeadSummary | null })[];
  readonly landings: readonly ConvoyLanding[];
  readonly reverts: readonly ConvoyRevert[];
  readonly why: Why;
}

/** One journal row: an action that was applied, with the rule and the reason. */
export interface JournalEntry {
  /** Actor that wrote it (`town` or `rig/<name>`) and its place there: order holds per actor. */
  readonly actor: string;
  readonly seq: number;
  readonly tick: number;
  readonly atMs: number;
  readonly entity: string;
  readonly action: string;
  readonly rule: string;
  readonly reason: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** `cursor` is opaque and holds one place per actor. */
export interface FeedPage {
  readonly items: readonly JournalEntry[];
  readonly cursor: string;
}

export interface RigSummary {
  readonly id: RigName;
  readonly prefix: string;
  readonly url: string;
  readonly targetBranch: string;
  /** `ready`, `parked`, `draining` before its removal, or `breaker_open` with its reason in `statusReason`. */
  readonly status: 'ready' | 'parked' | 'draining' | 'breaker_open';
  readonly statusReason: string | null;
  readonly polecatsMax: number;
  /** What runs its beads that name no other. */
  readonly runtime: string;
  readonly liveAttempts: number;
  readonly counts: Readonly<Record<BeadStatus, number>>;
  readonly readyBeads: number;
  readonly queueLength: number;
  /** Merge trains that are paused or red. */
  readonly stoppedTrains: readonly StoppedTrain[];
  readonly gates: readonly string[];
  /** How agents of the rig's own runtime are shut in. */
  readonly isolation: Isolation;
  /** Of its settings and stopped trains; as its ETag says it. */
  readonly tag: string;
  readonly createdAtMs: number;
}

/** What still keeps a rig from being removed. All zero: nothing of it runs or waits. */
export interface RigRest {
  /** Attempts whose process is not proven gone. */
  readonly running: number;
  /** Merge requests that have not ended. */
  readonly merging: number;
  /** Of those, held until a person decides, or waiting for people at their forge. */
  readonly waitingForPeople: number;
  /** Beads that have not ended. */
  readonly open: number;
  /** Messages and orders of it that have not arrived. */
  readonly unsent: number;
}

/** Something that a drain waits for, in the words of `gt why`. */
export type RestItem = Pick<Why, 'id' | 'sentence' | 'command'>;

export interface RigRemoval extends RigRest {
  readonly id: RigName;
  readonly status: 'removed' | 'draining';
  /** What runs or is being merged, what a person can move first; at most `DRAIN_NAMED_MAX`. */
  readonly waitsFor: readonly RestItem[];
}

export interface EscalationSummary extends Escalation {
  readonly status: 'open' | 'acknowledged' | 'resolved';
  readonly routes: readonly EscalationRoute[];
  /** Answers that a person may give now; empty when there is nothing to choose. */
  readonly options: readonly EscalationOption[];
}

export interface TownStatus {
  readonly id: string;
  readonly name: string;
  readonly rigs: readonly RigSummary[];
  readonly convoys: readonly Convoy[];
  readonly workingAgents: number;
  readonly mergedLastHour: number;
  /** What needs a person, worst first: `attention` in `attention.ts`. */
  readonly attention: readonly AttentionItem[];
  readonly runner: {
    readonly instance: string | null;
    readonly state: 'up' | 'down' | 'unknown';
    readonly pid: number | null;
  };
  /** What the watchdog knows of rigs and runner; asked only while there is live work. */
  readonly health: readonly Health[];
  readonly violations: readonly string[];
}

/** What an agent sees of its own hook. */
export interface HookView {
  readonly agent: AgentId;
  readonly attempt: AttemptId;
  readonly epoch: number;
  readonly round: number;
  readonly bead: BeadSummary;
  readonly source: BeadSummary;
  readonly checkpoint: string | null;
  readonly prompt: string;
}

/** What an agent may do with the capability of its attempt; the API checks the verb of each call. */
export const AGENT_VERBS = [
  'hook',
  'prime',
  'checkpoint',
  'bead',
  'done',
  'mail_send',
  'mail_check',
  'wait',
  'escalate',
  'handoff',
  'mol_current',
  'mol_advance',
  'status',
  'nudge',
  'bead_create',
] as const;

/** What a reviewer of the refinery may do beside; a polecat's token has none of it. */
export const REVIEWER_VERBS = ['request_changes', 'review_approve'] as const;
export type AgentVerb = (typeof AGENT_VERBS)[number] | (typeof REVIEWER_VERBS)[number];

/** Who an attempt's capability speaks for; every call of an agent is checked against the live row. */
export interface Capability {
  readonly town: string;
  readonly rig: RigName;
  readonly agent: AgentId;
  readonly bead: BeadId;
  readonly attempt: AttemptId;
  readonly epoch: number;
  readonly verbs: readonly string[];
  readonly expiresAtMs: number;
}

/**
 * What the mayor may do with the capability of its session: its own conversation, and these commands of the town. The
 * routes behind each are in `src/api/mayor-rights.ts`; everything else is refused.
 */
export const MAYOR_VERBS = [
  'session',
  'status',
  'list_rigs',
  'list_beads',
  'list_agents',
  'list_convoys',
  'why',
  'sling',
  'sling_batch',
  'bead_update',
  'bead_reassign',
  'convoy_start',
  'convoy_change',
  'agent_reset',
  'nudge',
  'escalation_acknowledge',
] as const;
export type MayorVerb = (typeof MAYOR_VERBS)[number];

/** Who a session of the mayor speaks for. */
export interface MayorCapability {
  readonly role: 'mayor';
  readonly town: string;
  readonly attempt: AttemptId;
  readonly epoch: number;
  readonly sitting: number;
  readonly verbs: readonly string[];
  readonly expiresAtMs: number;
}

/** What `gt mayor status` shows. */
export interface MayorSummary {
  readonly status: MayorStatus;
  readonly isConfigured: boolean;
  readonly runtime: string | null;
  /** Its live process. */
  readonly attempt: AttemptId | null;
  readonly sitting: number | null;
  readonly waitingMessages: number;
  /** Given to it and not answered. */
  readonly openMessages: number;
  readonly unreadMail: number;
  /** Processes in a row that brought nothing. */
  readonly failures: number;
  /** When it is tried again after a failure. */
  readonly retryAtMs: number | null;
  readonly isBreakerOpen: boolean;
  /** Where its session runs; null without one. */
  readonly runner: string | null;
  /** Why no runner would take a session; null: one would. */
  readonly noRunner: string | null;
}

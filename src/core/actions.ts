import type { BreakerScope } from './model/breaker.ts';
import type { BudgetTold } from './budget.ts';
import type { QuotaWindow } from './view.ts';
import type { AgentStatus, Outcome } from './model/agent.ts';
import type { BeadStatus, CloseReason, Evidence, Hold } from './model/bead.ts';
import type { Seen } from './model/health.ts';
import type { Route, RouteState, Severity } from './model/escalation.ts';
import type { AgentId, AttemptId, BeadId, MailId, Sha } from './model/ids.ts';
import type { FeatureState } from './model/feature.ts';
import type { RevertState } from './model/revert.ts';
import type { RigToTown, TownToRig } from './messages.ts';
import type { NewMail } from './model/mail.ts';
import type { ForgeAsk, ProposalChange } from './model/proposal.ts';
import type { MergeStep } from './model/review.ts';
import type { MergedEntry, TrainState } from './model/train.ts';
import type { RoundOutcome } from './train/rates.ts';
import type { Job } from './facts.ts';
import type { Ref } from './refs.ts';

/**
 * What rules of a rig decide. Every variant is a guarded change: it names the status or version it judged, and is a
 * recorded no-op when that no longer holds.
 */
export type RigAction =
  /** Hook a ready bead to an agent, take the next epoch, order the start. */
  | {
      readonly type: 'dispatch_agent';
      readonly bead: BeadId;
      readonly agent: AgentId;
      readonly isNew: boolean;
      readonly round: number;
      /** Which runner gets its process. */
      readonly runner: string;
    }
  | {
      readonly type: 'transition_bead';
      readonly bead: BeadId;
      readonly from: BeadStatus;
      readonly to: BeadStatus;
      readonly closeReason?: CloseReason;
      readonly evidence?: Evidence;
    }
  | { readonly type: 'transition_agent'; readonly agent: AgentId; readonly from: AgentStatus; readonly to: AgentStatus }
  /** Frees the hook; the agent keeps its identity. */
  | { readonly type: 'unhook_agent'; readonly agent: AgentId }
  | {
      readonly type: 'end_attempt';
      readonly attempt: AttemptId;
      readonly outcome: Outcome;
      readonly reason: string;
      readonly signature: string | null;
    }
  /** The runner will never report this process again: its loss is proven or its deadline is over. */
  | { readonly type: 'declare_gone'; readonly attempt: AttemptId }
  | {
      readonly type: 'stop_agent';
      readonly attempt: AttemptId;
      readonly epoch: number;
      readonly mode: 'graceful' | 'now';
      readonly at: number;
    }
  /** Charges a counted failure to the bead and sets when it may be tried again. */
  | {
      readonly type: 'charge_bead';
      readonly bead: BeadId;
      readonly failures: number;
      readonly signature: string;
      readonly notBeforeMs: number;
    }
  /** Waits for its quota window and keeps its place; nothing is charged. */
  | { readonly type: 'park_bead'; readonly bead: BeadId; readonly untilMs: number; readonly reason: string }
  | { readonly type: 'release_bead'; readonly bead: BeadId }
  /** Nothing that draws on this account and model is dispatched until it opens. */
  | { readonly type: 'close_quota'; readonly window: QuotaWindow }
  | { readonly type: 'mark_quota_told'; readonly scope: string; readonly told: boolean }
  /** Asks the town for a part of a shared budget; totals, see `RigBudget`. */
  | {
      readonly type: 'reserve_budget';
      readonly budget: string;
      readonly wanted: number;
      readonly least: number;
      readonly waiting: boolean;
    }
  /** Gives back what is not needed now: others may wait for it. */
  | { readonly type: 'settle_budget'; readonly budget: string; readonly returned: number }
  /** Starts of it that failed in a row; nothing is charged. */
  | { readonly type: 'count_start_failure'; readonly bead: BeadId; readonly startFailures: number }
  | { readonly type: 'hold_bead'; readonly bead: BeadId; readonly hold: Hold; readonly reason: string }
  | { readonly type: 'reset_breaker'; readonly scope: BreakerScope }
  | {
      readonly type: 'trip_breaker';
      readonly scope: BreakerScope;
      readonly failures: number;
      readonly retryAtMs: number;
      readonly reason: string;
    }
  | { readonly type: 'verify_done'; readonly attempt: AttemptId; readonly job: Job }
  | { readonly type: 'promote_branch'; readonly attempt: AttemptId; readonly job: Job }
  /** The agent may go on and claim again. */
  | { readonly type: 'clear_claim'; readonly attempt: AttemptId; readonly code: string; readonly message: string }
  /** `branch`: the one that the source continues, where that is not the source's own. */
  | { readonly type: 'create_review'; readonly source: BeadId; readonly head: Sha; readonly branch?: string }
  /** Moves a convoy's feature branch to its next state; `job` is the check of that state. */
  | {
      readonly type: 'feature_step';
      readonly branch: string;
      readonly from: FeatureState;
      readonly to: FeatureState;
      readonly job: Job | null;
      readonly reason?: string | null;
      readonly retryAtMs?: number | null;
    }
  /** Moves a revert on; `body` is what an agent is told of it. */
  | {
      readonly type: 'revert_step';
      readonly bead: BeadId;
      readonly from: RevertState;
      readonly to: RevertState;
      readonly job: Job | null;
      readonly body?: string;
    }
  /** A verified rework moves the merge request's head and puts it back in line. */
  /** The branch moved. Back in line, unless there is more rework to do first. */
  | { readonly type: 'advance_review'; readonly mergeRequest: BeadId; readonly head: Sha; readonly isLast: boolean }
  | {
      readonly type: 'create_rework';
      readonly mergeRequest: BeadId;
      readonly kind: 'rework' | 'conflict' | 'review' | 'feedback';
      readonly title: string;
      readonly body: string;
      /** Its first attempt waits until then. */
      readonly notBeforeMs: number;
      readonly preferAgent: AgentId | null;
      /** It is no round of rework. */
      readonly isNoRound?: boolean;
    }
  /** Moves the merge request to its next step; `job` is the effect of that step. */
  | {
      readonly type: 'start_merge' | 'merge_step';
      readonly mergeRequest: BeadId;
      readonly fromStep: MergeStep;
      readonly toStep: MergeStep;
      readonly job: Job | null;
      /** Null: what was recorded did not land. */
      readonly candidate?: { readonly sha: Sha; readonly tree: string; readonly targetSha: Sha } | null;
      readonly gateLog?: string;
      readonly gateSignature?: string | null;
      readonly gateKills?: number;
      readonly mergeSha?: Sha;
      readonly races?: number;
      readonly requeueAtMs?: number;
      readonly heldReason?: string | null;
      readonly deadlineAtMs?: number;
      /** Place in the round; null outside of one. */
      readonly position?: number | null;
      readonly suspect?: string | null;
      /** The head that its review agent is asked about, or is not for a reason: each is asked about once. */
      readonly reviewAsked?: Sha;
      /** A person is asked whether it may bring back what was in this former tip of the target. */
      readonly mayRevive?: readonly Sha[];
      readonly flakes?: number;
      /** What the forge is asked in this step; only with the strategy `pr`. */
      readonly forge?: ForgeAsk;
      readonly pull?: ProposalChange;
      /** A tree that passed the rig's gates outside of a round. */
      readonly passed?: string;
    }
  /** What is noted of a pull request within its step: whom it waits for, since when. */
  | { readonly type: 'pull_note'; readonly mergeRequest: BeadId; readonly change: ProposalChange }
  /** The pull request of cancelled work is to be closed, with a word. */
  | { readonly type: 'close_pull'; readonly mergeRequest: BeadId; readonly asks: number; readonly comment: string }
  /** Somebody else pushed to the branch of a pull request: their commit is what is merged now. */
  | { readonly type: 'adopt_head'; readonly mergeRequest: BeadId; readonly from: Sha; readonly head: Sha }
  /** Runs of the gates on the lists of a round; without a job the tree is known to pass. */
  | { readonly type: 'order_probes'; readonly leader: BeadId; readonly probes: readonly ProbeOrder[] }
  /** A run that something else ended is ordered again under another key. */
  | { readonly type: 'repeat_probe'; readonly key: string; readonly job: Job }
  /** A round that can't go on: all but `except` go back in line, and nobody waits for its runs any more. */
  | {
      readonly type: 'dissolve_round';
      readonly target: string;
      readonly except: BeadId | null;
      readonly reason: string;
    }
  /** Entries in line that are suspected by this mark: a round showed more of their group. Null: they are as good as fresh. */
  | {
      readonly type: 'change_suspicion';
      readonly target: string;
      readonly mark: string;
      readonly to: string | null;
    }
  | {
      readonly type: 'train_state';
      readonly target: string;
      readonly state: TrainState;
      readonly reason: string | null;
      readonly redTree: string | null;
      readonly retryAtMs: number | null;
    }
  /** What a round showed of how often entries are bad and gates fail for nothing. */
  | { readonly type: 'train_learn'; readonly target: string; readonly seen: RoundOutcome }
  /** A blocker ended: one wait less, or a visible failure. */
  | {
      readonly type: 'resolve_blocker';
      readonly blocker: BeadId;
      readonly dependents: readonly BeadId[];
      readonly cleared: boolean;
    }
  /** Tells the town; exactly once per key. */
  | { readonly type: 'send_message'; readonly key: string; readonly message: RigToTown }
  | {
      readonly type: 'raise_escalation';
      readonly causeKey: string;
      readonly severity: 'low' | 'medium' | 'high' | 'critical';
      readonly category: string;
      readonly subject: Ref;
      readonly message: string;
    }
  | { readonly type: 'resolve_escalation'; readonly causeKey: string; readonly bead: BeadId | null }
  /** A rung of the GUPP ladder, valid for the silence that began at `sinceMs`. */
  | {
      readonly type: 'gupp_step';
      readonly attempt: AttemptId;
      readonly rung: 1 | 2 | 3 | 4;
      readonly sinceMs: number;
    }
  /** The silence is over: its mail, if nobody read it, is not true any more. */
  | { readonly type: 'gupp_reset'; readonly attempt: AttemptId; readonly mailKey: string }
  /** A short word into a live session; a repeat of the key is the same one. */
  | {
      readonly type: 'send_nudge';
      readonly attempt: AttemptId;
      readonly key: string;
      readonly from: string;
      readonly text: string;
      readonly mode: NudgeMode;
    }
  | { readonly type: 'send_mail'; readonly mail: NewMail }
  /** Nobody read it in time: back to the sender, or to rest. */
  | { readonly type: 'return_mail'; readonly mail: MailId }
  /** A branch that ended before then rests, with all that belongs to it. */
  | { readonly type: 'archive_bead'; readonly source: BeadId; readonly endedBeforeMs: number }
  /** Its identity stays taken. */
  | { readonly type: 'retire_agent'; readonly agent: AgentId };

/** A run of the gates on one list. */
export interface ProbeOrder {
  readonly key: string;
  readonly entries: readonly MergedEntry[];
  readonly targetSha: Sha;
  readonly commit: Sha;
  readonly tree: string;
  readonly job: Job | null;
}

/**
 * `immediate`: into the running turn. `wait-idle`: when the turn ends. `queue`: never into the session; the agent finds it
 * with its mail.
 */
export const NUDGE_MODES = ['immediate', 'wait-idle', 'queue'] as const;
export type NudgeMode = (typeof NUDGE_MODES)[number];

/** What the rules of the town decide. */
export type TownAction =
  | {
      readonly type: 'convoy_status';
      readonly convoy: string;
      readonly from: string;
      readonly to: string;
      readonly reasonText: string | null;
    }
  /** Marks beads whose rigs are told to let them run. */
  | { readonly type: 'start_beads'; readonly convoy: string; readonly positions: readonly number[] }
  /** An addition that all rigs took. */
  | { readonly type: 'accept_addition'; readonly convoy: string; readonly batch: number }
  /** These rows are gone: their addition was refused. */
  | { readonly type: 'drop_beads'; readonly convoy: string; readonly positions: readonly number[] }
  /** These rows stay as cancelled: their convoy ended before they were part of it. */
  | { readonly type: 'void_beads'; readonly convoy: string; readonly positions: readonly number[] }
  /** Which rigs have something to land, in order. */
  | {
      readonly type: 'plan_landing';
      readonly convoy: string;
      readonly rigs: readonly { readonly rig: string; readonly empty: boolean }[];
    }
  | { readonly type: 'order_landing'; readonly convoy: string; readonly rig: string; readonly attempt: number }
  | {
      readonly type: 'retry_landing';
      readonly convoy: string;
      readonly rig: string;
      readonly attempt: number;
      readonly notBeforeMs: number;
    }
  /** Why a rig that is next to land is not ordered to; null: it may be. */
  | { readonly type: 'hold_landing'; readonly convoy: string; readonly rig: string; readonly reason: string | null }
  /** A person is asked about so many failed and cancelled beads. */
  | { readonly type: 'ask_about_convoy'; readonly convoy: string; readonly beads: number }
  | { readonly type: 'message_rig'; readonly rig: string; readonly key: string; readonly message: TownToRig }
  | {
      readonly type: 'open_escalation';
      readonly rig: string | null;
      readonly causeKey: string;
      readonly severity: string;
      readonly category: string;
      readonly subject: string;
      readonly message: string;
    }
  /** A rig gets more of a shared budget, or hears of a change of it. */
  | { readonly type: 'grant_budget'; readonly budget: string; readonly rig: string; readonly granted: number }
  | { readonly type: 'mark_budget_told'; readonly budget: string; readonly told: BudgetTold }
  | { readonly type: 'close_escalation'; readonly causeKey: string }
  /** Tells it over one route: an effect, where the route leaves the town. */
  | {
      readonly type: 'route_escalation';
      readonly escalation: string;
      readonly round: number;
      readonly severity: Severity;
      readonly route: Route;
    }
  | {
      readonly type: 're_escalate';
      readonly escalation: string;
      readonly fromRound: number;
      readonly severity: Severity;
      readonly nextAtMs: number | null;
    };

/** Facts of the town to itself: what became of its effects. */
export type TownFact =
  | {
      readonly type: 'escalation_notified';
      readonly escalation: string;
      readonly round: number;
      readonly route: Route;
      readonly state: RouteState;
      readonly error: string | null;
    }
  | { readonly type: 'watchdog_seen'; readonly seen: readonly Seen[] };

/** One decision: its actions hold together or not at all. */
export interface Decision<Action> {
  readonly rule: string;
  readonly entity: Ref;
  /** Constant sentence with the facts that decided; the journal's reason. */
  readonly reason: string;
  readonly actions: readonly Action[];
}

/** What rules return for one entity: decisions, and the moment to look again without any event. */
export interface Verdicts<Action> {
  readonly decisions: readonly Decision<Action>[];
  readonly wakeAtMs: number | null;
}

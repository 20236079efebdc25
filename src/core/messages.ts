import type { Budget, BudgetAccount } from './budget.ts';
import type { NewMail } from './model/mail.ts';
import type { RunnerFacts } from './model/runner.ts';
import type { QuotaWindow } from './view.ts';

/** Messages of a rig actor to the town actor. */
export type RigToTown =
  | {
      readonly type: 'beads_created';
      readonly convoy: string;
      readonly beads: readonly { readonly position: number; readonly bead: string; readonly title: string }[];
    }
  | {
      readonly type: 'beads_refused';
      readonly convoy: string;
      readonly reason: string;
      readonly positions?: readonly number[];
    }
  | {
      readonly type: 'bead_ended';
      readonly bead: string;
      readonly convoy: string | null;
      readonly status: 'closed' | 'failed';
      readonly closeReason: string;
      readonly mergeSha: string | null;
      readonly target: string;
      /** How it ended, for people. */
      readonly note?: string;
    }
  /** A bead that has ended goes on as another one, which takes its place. */
  | {
      readonly type: 'bead_reopened';
      readonly bead: string;
      readonly successor: string;
      /** The convoy whose place it wants; null for none. */
      readonly convoy: string | null;
    }
  /** The landing bead of this attempt; the same one for a repeat. */
  | { readonly type: 'landing_created'; readonly convoy: string; readonly attempt: number; readonly bead: string }
  /** The bead that undoes what a convoy landed on this branch; the same one for a repeat. */
  | {
      readonly type: 'revert_created';
      readonly convoy: string;
      readonly target: string;
      readonly attempt: number;
      readonly bead: string;
    }
  /** A mail for somebody outside of the rig. */
  | { readonly type: 'mail_sent'; readonly mail: NewMail }
  | { readonly type: 'remote_blocker'; readonly blocker: string; readonly bead: string }
  | {
      readonly type: 'escalation_raised';
      readonly causeKey: string;
      readonly severity: 'low' | 'medium' | 'high' | 'critical';
      readonly category: string;
      readonly subject: string;
      readonly text: string;
    }
  | { readonly type: 'escalation_resolved'; readonly causeKey: string }
  /** What this rig used of a budget, gave back of it, and asks for. The newest counts. */
  | { readonly type: 'budget_account'; readonly budget: string; readonly account: BudgetAccount }
  /** A provider refused; other rigs may draw on the same account. */
  | { readonly type: 'quota_closed'; readonly window: QuotaWindow }
  /** Live work began or ended; the town watches a rig only in between. */
  | { readonly type: 'rig_activity'; readonly live: boolean };

/** Messages of the town actor to a rig actor. */
export type TownToRig =
  | {
      readonly type: 'create_convoy_beads';
      readonly convoy: string;
      readonly createdBy: string;
      readonly origin: string;
      readonly tasks: readonly ConvoyTaskMessage[];
      /** Mode review-then-land: the branch that these beads merge into. */
      readonly feature?: string | null;
    }
  | {
      readonly type: 'adopt_beads';
      readonly convoy: string;
      readonly beads: readonly { readonly position: number; readonly bead: string }[];
      readonly feature?: string | null;
      /** Convoys of these beads that failed or were cancelled: they hold nobody back. */
      readonly ended?: readonly string[];
    }
  /** Whether the successor of a bead takes its place in the convoy; null: it runs by itself. */
  | {
      readonly type: 'take_successor';
      readonly convoy: string;
      readonly successor: string;
      readonly place: {
        readonly position: number;
        readonly started: boolean;
        readonly skip: boolean;
        readonly feature: string | null;
      } | null;
    }
  | { readonly type: 'gate_moved'; readonly ref: string; readonly successor: string }
  /** A person resolved what this rig had raised: the next time is news again. */
  | { readonly type: 'escalation_closed'; readonly causeKey: string }
  /** Merge the convoy's feature branch into the rig's target branch, once. */
  | {
      readonly type: 'land_convoy';
      readonly convoy: string;
      readonly title: string;
      readonly attempt: number;
      readonly beads: readonly string[];
    }
  /** Undo these merge commits on this branch, once. */
  | {
      readonly type: 'revert_convoy';
      readonly convoy: string;
      readonly title: string;
      readonly target: string;
      readonly attempt: number;
      readonly commits: readonly string[];
      readonly by: string;
    }
  | {
      readonly type: 'start_convoy';
      readonly convoy: string;
      readonly names: readonly { readonly ref: string; readonly bead: string }[];
      /** Which of its beads may run; all of them when it is missing. */
      readonly positions?: readonly number[];
      /** Policy `skip`: a bead that waits for a failed one is cancelled. */
      readonly skip?: boolean;
    }
  | { readonly type: 'convoy_policy'; readonly convoy: string; readonly skip: boolean }
  /** `not_started` leaves beads alone that an agent took already; `live` ends all that has not ended. */
  | {
      readonly type: 'cancel_convoy';
      readonly convoy: string;
      readonly reason: string;
      readonly scope?: 'not_started' | 'live';
    }
  /** These beads are no longer of the convoy; `cancel` ends what was made for it. */
  | {
      readonly type: 'leave_convoy';
      readonly convoy: string;
      readonly positions: readonly number[];
      readonly cancel: boolean;
      readonly reason: string;
    }
  | { readonly type: 'runner_changed'; readonly runner: RunnerFacts }
  /** It is none any more; whatever it had is lost. */
  | { readonly type: 'runner_removed'; readonly id: string }
  /** A budget as this rig should know it; `granted` is all that it was ever given. */
  | {
      readonly type: 'budget_terms';
      readonly budget: Budget;
      readonly since: number;
      readonly granted: number;
      readonly townSpent: number;
      readonly townReserved: number;
    }
  | { readonly type: 'budget_ended'; readonly budget: string }
  /** The rig was removed and is added again: its account of every budget that it knows, so that those which ended since end. */
  | { readonly type: 'accounts_asked' }
  | { readonly type: 'quota_closed'; readonly window: QuotaWindow }
  | { readonly type: 'watch_bead'; readonly bead: string }
  | { readonly type: 'deliver_mail'; readonly mail: NewMail }
  | { readonly type: 'gate_cleared'; readonly ref: string }
  | { readonly type: 'gate_failed'; readonly ref: string; readonly reason: string };

export interface ConvoyTaskMessage {
  readonly position: number;
  readonly title: string;
  readonly body: string;
  readonly priority: string;
  readonly runtime: string | null;
  readonly model: string | null;
  /** Positions in the same rig. */
  readonly localDeps: readonly number[];
  /** Ids of beads that exist in the same rig. */
  readonly localBeads: readonly string[];
  /** `<convoy>/<position>` or a bead id of another rig. */
  readonly remoteDeps: readonly string[];
}

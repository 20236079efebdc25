import type { MergeStyle } from './facts.ts';
import type { Reviewer } from './model/reviewer.ts';
import type { MergeStrategy } from './model/review.ts';
import type { ForgeSite } from './model/pull-request.ts';
import { TRAIN_BATCH, TRAIN_LANES } from './limits.ts';
import type { BeadId, RigName } from './model/ids.ts';
import type { Price } from './prices.ts';
import type { RuntimePreset } from './runtime-presets.ts';
import type { Formula } from './model/molecule.ts';
import type { RigShield } from './model/isolation.ts';
import type { FailurePolicy, MergeMode } from './model/convoy.ts';
import type { Origin, Priority } from './model/bead.ts';

/** Who asks, and the key that makes a repeat of the same request the same answer. */
export interface Caller {
  /** `human/<user>`, an agent's identity, or `system`. Comes from the credential, never from the body. */
  readonly actor: string;
  readonly origin: Origin;
  readonly idempotencyKey?: string | undefined;
  /** Versions of the thing for which the change is meant (`src/core/etag.ts`); missing: whatever it is now. */
  readonly ifMatch?: readonly string[] | undefined;
}

/** One gate of a rig: a shell command that must exit 0 in a worktree of exactly the candidate's tree. */
export interface Gate {
  readonly name: string;
  readonly run: string;
  readonly timeoutMs: number;
}

/** Everything about a rig that rules and effects read; from the town's file, pushed to the actor when it changes. */
export interface RigConfig {
  readonly name: RigName;
  readonly prefix: string;
  readonly url: string;
  readonly targetBranch: string;
  readonly polecatsMax: number;
  readonly gates: readonly Gate[];
  readonly runtime: string;
  readonly model: string | null;
  /** For the `command` runtime: the program and its arguments as one shell line. */
  readonly command: string | null;
  readonly wallClockMs: number;
  readonly ownerEmail: string;
  readonly parked: boolean;
  /** Missing in settings of an older program. */
  readonly caps?: RigCaps | undefined;
  /** Only runners with all of these get its agents. */
  readonly runnerLabels?: readonly string[] | undefined;
  /** How its merge trains work; missing in settings of an older program. */
  readonly merging?: MergingConfig | undefined;
  /** The code host of its pull requests; missing: no such host is known. */
  readonly forge?: ForgeSite | undefined;
  /** Looks at work before it is merged; missing: nobody does. */
  readonly reviewer?: Reviewer | undefined;
  /** People who work on this rig by hand; each has the address `<rig>/crew/<name>`. */
  readonly crew?: readonly string[] | undefined;
  /** Isolation and limits of its agents; missing in settings of an older program. */
  readonly shield?: RigShield | undefined;
  /** Runtimes that the town's file adds or changes, by name. */
  readonly runtimes?: Readonly<Record<string, RuntimePreset>> | undefined;
}

export interface MergingConfig {
  /** Entries that are tested as one list; 1: one at a time. */
  readonly batch: number;
  /** Lists that are tested at once. */
  readonly lanes: number;
  readonly style: MergeStyle;
  /** How merge requests for the rig's own branches are merged; missing in settings of an older program: `direct`. */
  readonly strategy?: MergeStrategy | undefined;
  /** When a pull request is merged; missing: the default. */
  readonly pull?: PullPolicy | undefined;
}

/** When a pull request is merged. */
export interface PullPolicy {
  /** People who approve it, at least. */
  readonly approvals: number;
  /** `required`: checks must be there and green, or the rig has gates. `optional`: none are fine as well. */
  readonly checks: 'required' | 'optional';
  /** True: no talk about it may be open. */
  readonly threads: boolean;
  /** All else holds for so long: time for people to object. */
  readonly delayMs: number;
  /** `auto`: the town has it merged when all holds. `people`: somebody merges it there. */
  readonly merge: 'auto' | 'people';
}

export const DEFAULT_PULL: PullPolicy = { approvals: 1, checks: 'required', threads: true, delayMs: 0, merge: 'auto' };

export const DEFAULT_MERGING: MergingConfig = { batch: TRAIN_BATCH, lanes: TRAIN_LANES, style: 'merge' };

/** Whose quota agents draw on, what it costs, and how many may do so at once. */
export interface RigCaps {
  /** The provider's account; null: one per runtime. */
  readonly account: string | null;
  /** Prices of the town, by the start of a model's name; they win over the list. */
  readonly prices: Readonly<Record<string, Price>>;
  /** Polecats of this rig at once that draw on one account; null: no limit of their own. */
  readonly perAccountMax: number | null;
  /** Polecats of this rig at once, by runtime. */
  readonly perRuntimeMax: Readonly<Record<string, number>>;
  /** No new polecat while more merge requests wait for a person; null: off. */
  readonly reviewsWaitingMax: number | null;
}

export const NO_CAPS: RigCaps = {
  account: null,
  prices: {},
  perAccountMax: null,
  perRuntimeMax: {},
  reviewsWaitingMax: null,
};

/** What may be changed of a rig after it was added; what is missing stays, null goes back to the default. */
export interface RigSettings {
  readonly parked?: boolean | undefined;
  readonly target_branch?: string | undefined;
  readonly polecats_max?: number | null | undefined;
  readonly runtime?: string | null | undefined;
  readonly model?: string | null | undefined;
  readonly command?: string | null | undefined;
  readonly wall_clock?: string | null | undefined;
  readonly owner_email?: string | null | undefined;
}

export interface CreateBead {
  readonly rig: RigName;
  readonly title: string;
  readonly body: string;
  readonly priority: Priority;
  readonly dependsOn: readonly BeadId[];
  readonly runtime: string | null;
  readonly model: string | null;
  readonly targetBranch: string | null;
  /** False: recorded only (hold `staged`) until it is slung. */
  readonly sling: boolean;
  /** The one agent that may take it: its identity, or its name in the rig. */
  readonly pinnedAgent: string | null;
  /** The bead during whose work it was noted. */
  readonly parentId: BeadId | null;
  /** Steps that its agent follows. */
  readonly formula?: Formula | null | undefined;
}

export interface SlingBead {
  readonly bead: BeadId;
  readonly runtime: string | null;
  readonly model: string | null;
  /** As of `CreateBead`; null: as it was. */
  readonly pinnedAgent: string | null;
}

export interface ConvoyTask {
  readonly rig: RigName;
  readonly title: string;
  readonly body: string;
  readonly priority: Priority;
  readonly runtime: string | null;
  readonly model: string | null;
  /** Positions of the same plan, or ids of beads that exist already. */
  readonly dependsOn: readonly (number | BeadId)[];
}

/** Either new tasks, or beads that exist. */
export interface ConvoyPlan {
  readonly tasks: readonly ConvoyTask[];
  readonly beads: readonly BeadId[];
}

export interface CreateConvoy extends ConvoyPlan {
  readonly title: string;
  readonly mergeMode: MergeMode;
  readonly onFailure: FailurePolicy;
  /** Mode review-then-land: rigs in the order in which they land. */
  readonly landingOrder?: readonly RigName[] | undefined;
  /** True: beads run only after `gt convoy start`. */
  readonly staged: boolean;
}

/** What may change until the convoy has ended; what is missing stays. */
export interface UpdateConvoy {
  readonly title?: string | undefined;
  readonly onFailure?: FailurePolicy | undefined;
  readonly landingOrder?: readonly RigName[] | undefined;
}

/** What a person may do to a convoy that has not ended. */
export type ConvoyChange =
  /** Takes part whole or not at all. */
  | { readonly type: 'add'; readonly plan: ConvoyPlan }
  | { readonly type: 'remove'; readonly beads: readonly BeadId[] }
  | { readonly type: 'update'; readonly update: UpdateConvoy }
  | { readonly type: 'close'; readonly note: string }
  /** Undoes what a convoy that has ended landed; a repeat changes nothing. */
  | { readonly type: 'revert' };

/** What a person may do about an escalation. `decide` applies one of its options, named by letter or by name. */
export type EscalationCommand =
  | { readonly type: 'ack' }
  | { readonly type: 'resolve'; readonly note: string }
  | { readonly type: 'decide'; readonly option: string };

/**
 * How a rig is removed. False: only when it has no work. True: it is parked and drained first. `go_on`: asked further of a
 * drain that was begun; it begins none, so that a person who unparks the rig meanwhile has the last word.
 */
export type RigDrain = boolean | 'go_on';

/** What a person may do to a rig as a whole. */
export type RigCommand =
  /** A parked rig finishes what is in its merge line, with its rework, and begins nothing else; unparking ends that. */
  | { readonly type: 'drain' }
  /** What could not be started there is tried again now: its breakers close. */
  | { readonly type: 'retry' }
  /** The train of this branch begins no further round; null: of the rig's own target. The round under way ends. */
  | { readonly type: 'pause_train'; readonly target: string | null; readonly reason: string }
  | { readonly type: 'resume_train'; readonly target: string | null };

/** What may change in a bead while it has not ended; what is missing stays as it is. */
export interface BeadChanges {
  readonly title?: string | undefined;
  readonly body?: string | undefined;
  readonly priority?: Priority | undefined;
  readonly runtime?: string | undefined;
  readonly model?: string | undefined;
  /** Only before work on it began. */
  readonly targetBranch?: string | undefined;
}

/** What a person may do to one bead. */
export type BeadCommand =
  | { readonly type: 'sling'; readonly sling: SlingBead }
  | { readonly type: 'close'; readonly bead: BeadId; readonly reason: 'cancelled' | 'no_change'; readonly note: string }
  | { readonly type: 'hold'; readonly bead: BeadId; readonly note: string }
  | { readonly type: 'release'; readonly bead: BeadId }
  | { readonly type: 'retry'; readonly bead: BeadId }
  /** Answers the bead that takes the place of the one that ended. */
  | { readonly type: 'reopen'; readonly bead: BeadId }
  /** Steps to follow; the same formula again changes nothing. */
  | { readonly type: 'attach_formula'; readonly bead: BeadId; readonly formula: Formula }
  | { readonly type: 'unsling'; readonly bead: BeadId }
  /** To one agent, by its identity or its name in the rig; a session of another one at it ends. */
  | { readonly type: 'reassign'; readonly bead: BeadId; readonly agent: string }
  | { readonly type: 'update'; readonly bead: BeadId; readonly changes: BeadChanges }
  /** `head`: the commit that was looked at; missing: whatever it is. */
  | {
      readonly type: 'request_changes';
      readonly bead: BeadId;
      readonly comment: string;
      readonly head?: string | undefined;
    }
  /** A reviewer has nothing against the merge: kept with the merge request. The gates decide as before. */
  | { readonly type: 'approve'; readonly bead: BeadId; readonly comment: string };

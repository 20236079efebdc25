import type { BeadId, ConvoyId, Sha } from './ids.ts';

/** What a bead is: work for an agent, or the merge request that carries such work to its target. */
export const BEAD_TYPES = ['issue', 'merge_request'] as const;
export type BeadType = (typeof BEAD_TYPES)[number];

/**
 * Why an issue exists. All but `task`, `landing` and `revert` are about another bead's branch (`branchOf`): they continue it,
 * or look at it (`review`).
 */
export const BEAD_KINDS = ['task', 'rework', 'conflict', 'feedback', 'landing', 'revert', 'review'] as const;
export type BeadKind = (typeof BEAD_KINDS)[number];

/** See the transition table in `transitions.ts`, which is the only place that says what may follow what. */
export const BEAD_STATUSES = ['open', 'in_progress', 'in_review', 'closed', 'failed'] as const;
export type BeadStatus = (typeof BEAD_STATUSES)[number];

/**
 * Why a bead that could run is not dispatched.
 * `staged`: recorded, not slung yet (or its convoy is not started). `held`: a person holds it.
 * `parked`: waits for a quota window. `needs_human`: a question only a person can answer.
 */
export const HOLDS = ['staged', 'held', 'parked', 'needs_human'] as const;
export type Hold = (typeof HOLDS)[number];

/** Who wrote the bead's text; a recipe runs only where a person did. */
export const ORIGINS = ['human', 'agent', 'import', 'forge', 'system'] as const;
export type Origin = (typeof ORIGINS)[number];

export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The typed reason a terminal bead ended with. */
export const CLOSE_REASONS = [
  'merged',
  'integrated',
  'no_change',
  'cancelled',
  'attempts_exhausted',
  'merge_failed',
  'source_ended',
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** What proves the end of a bead; facts only (commit ids, reasons), never a claim. */
export interface Evidence {
  readonly head?: Sha | undefined;
  readonly mergeSha?: Sha | undefined;
  readonly target?: string | undefined;
  readonly note?: string | undefined;
  /** Who ended it. */
  readonly by?: string | undefined;
}

export interface Bead {
  readonly id: BeadId;
  readonly type: BeadType;
  readonly kind: BeadKind;
  readonly title: string;
  readonly body: string;
  readonly origin: Origin;
  readonly priority: Priority;
  readonly status: BeadStatus;
  readonly hold: Hold | null;
  /** One sentence for people: why it is held. */
  readonly holdReason: string | null;
  readonly parentId: BeadId | null;
  /** For rework, conflict and feedback: the source bead whose branch is continued. */
  readonly branchOf: BeadId | null;
  readonly convoyId: ConvoyId | null;
  /** `gt/<bead>`, one for life, set when first promoted. */
  readonly branch: string | null;
  readonly targetBranch: string;
  /** Commit of the target that the first attempt started from. */
  readonly baseSha: Sha | null;
  readonly openBlockers: number;
  readonly failedBlockers: number;
  readonly notBeforeMs: number;
  /** How many ended attempts count against the bead (see `COUNTED_OUTCOMES`). */
  readonly failures: number;
  /** Starts in a row that failed before there was a process; not charged, see `START_FAILURES_MAX`. */
  readonly startFailures: number;
  /** Signature of the last counted failure, for the same-signature hold. */
  readonly lastSignature: string | null;
  readonly runtime: string | null;
  readonly model: string | null;
  /** Set when a person or the mayor named the agent (`gt sling --agent`): only that agent may take it. */
  readonly pinnedAgent: string | null;
  readonly createdBy: string;
  readonly closeReason: CloseReason | null;
  readonly evidence: Evidence | null;
  /** A cancel that came while the push was under way; it waits for the push's verdict. */
  readonly cancelRequestedAtMs: number | null;
  /** An escalation about it is open; it resolves itself when the bead ends. */
  readonly escalated: boolean;
  /** The ended bead whose place it takes, and the bead that took its own. */
  readonly reopens: BeadId | null;
  readonly reopenedAs: BeadId | null;
  readonly version: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly closedAtMs: number | null;
}

/** The bead whose branch is worked on: one lineage shares a branch, a merge request and the order of its effects. */
export const sourceOf = (bead: Bead): BeadId => bead.branchOf ?? bead.id;

/**
 * True while a bead may still be meant for another branch: what was begun stands on commits of its target, and a convoy and a
 * round of rework have theirs from somebody else.
 */
export const hasOpenTarget = ({ baseSha, convoyId, branchOf }: Bead): boolean =>
  baseSha === null && convoyId === null && branchOf === null;

export const isTerminal = (status: BeadStatus): boolean => status === 'closed' || status === 'failed';

/**
 * Closed for a reason that lets dependents go on; a cancelled or failed blocker does not. A review is a word about work and
 * never evidence: whatever became of it, the work itself is as it was.
 */
export const clearsDependents = (bead: Bead): boolean =>
  bead.kind === 'review' ||
  (bead.status === 'closed' &&
    (bead.closeReason === 'merged' || bead.closeReason === 'no_change' || bead.closeReason === 'integrated'));

/**
 * The one word for where a bead is: derived, never stored; lists, `gt why` and the inbox say the same. Held beads say by
 * whom or what, ended ones how. `waiting`: its agent asks a person. The last line is of merge requests only.
 */
export type BeadPhase =
  | Hold
  | 'ready'
  | 'blocked'
  | 'blocked_by_failure'
  | 'backing_off'
  | 'running'
  | 'waiting'
  | 'in_review'
  | 'merged'
  | 'integrated'
  | 'no_change'
  | 'cancelled'
  | 'closed'
  | 'failed'
  | 'queued'
  | 'merging'
  | 'reworking';

/** What a bead's own row does not say. */
export interface BeadSurroundings {
  /** The hold of the merge request that carries it. */
  readonly mergeHold: Hold | null;
  /** Its agent waits for an answer of a person. */
  readonly asks: boolean;
}

const NO_SURROUNDINGS: BeadSurroundings = { mergeHold: null, asks: false };

export function phaseOf(bead: Bead, nowMs: number, around: BeadSurroundings = NO_SURROUNDINGS): BeadPhase {
  switch (bead.status) {
    case 'closed':
      return endedPhase(bead.closeReason);
    case 'failed':
      return 'failed';
    case 'in_progress':
      return bead.type === 'merge_request' ? 'merging' : around.asks ? 'waiting' : 'running';
    case 'in_review':
      return around.mergeHold ?? 'in_review';
    default:
      return openPhase(bead, nowMs);
  }
}

function endedPhase(reason: CloseReason | null): BeadPhase {
  switch (reason) {
    case 'merged':
    case 'integrated':
    case 'no_change':
    case 'cancelled':
      return reason;
    default:
      return 'closed';
  }
}

function openPhase(bead: Bead, nowMs: number): BeadPhase {
  if (bead.type === 'merge_request')
    return bead.hold ?? (bead.openBlockers + bead.failedBlockers > 0 ? 'reworking' : 'queued');
  if (bead.failedBlockers > 0) return 'blocked_by_failure';
  // A question to a person comes first: answering it is the only thing that can be done now.
  if (bead.hold === 'needs_human') return 'needs_human';
  if (bead.openBlockers > 0) return 'blocked';
  return bead.hold ?? (bead.notBeforeMs > nowMs ? 'backing_off' : 'ready');
}

export interface Blocker {
  readonly beadId: BeadId;
  /** A bead id, or `<convoy>/<position>` until the other rig has minted the bead. */
  readonly blockerRef: string;
  readonly scope: 'local' | 'remote';
  readonly state: 'open' | 'cleared' | 'failed';
}

import type { BeadId, Sha } from './ids.ts';

/**
 * Where a merge request stands inside `in_progress`. The bead's status stays the authority; the step says which effect
 * is under way, so that a restart asks about exactly that one.
 * `queued`: waits in the train. `preparing`: merge in the object database. `gating`: gates run on the candidate tree.
 * `pushing`: candidate recorded, expected-old-value push under way. `reworking`: blocked by a rework bead. `ended`.
 * With the strategy `pr` it takes no part in rounds. `checking`: merged with the target in the object database. `testing`:
 * gates run on that tree. `opening`: the forge is asked for a pull request. `proposed`: it is open and polled. `accepting`:
 * the forge is asked to merge. `confirming`: the forge says merged; git is asked.
 */
export const MERGE_STEPS = [
  'queued',
  'preparing',
  'gating',
  'pushing',
  'checking',
  'testing',
  'opening',
  'proposed',
  'accepting',
  'confirming',
  'reworking',
  'ended',
] as const;
export type MergeStep = (typeof MERGE_STEPS)[number];
/** Steps in which a round of the train holds the merge request. */
export const ROUND_STEPS: readonly MergeStep[] = ['preparing', 'gating', 'pushing'];
/** Steps of a merge request with a pull request while its bead is in progress. */
export const PULL_STEPS: readonly MergeStep[] = [
  'checking',
  'testing',
  'opening',
  'proposed',
  'accepting',
  'confirming',
];
/** What was asked for can't be taken back: git decides, and a cancel waits for that. */
export const COMMITTED_STEPS: readonly MergeStep[] = ['pushing', 'accepting', 'confirming'];

/** `direct`: the train merges and pushes. `pr`: a pull request at the rig's forge, which merges. */
export const MERGE_STRATEGIES = ['direct', 'pr'] as const;
export type MergeStrategy = (typeof MERGE_STRATEGIES)[number];

/**
 * The target may have its candidate already: a push was ordered, and nobody has said what became of it. Until the next
 * verdict of git nothing may be decided that is only true of work that did not land.
 */
export const mayHaveLanded = ({
  step,
  candidateSha,
  strategy,
}: Pick<Review, 'step' | 'candidateSha' | 'strategy'>): boolean =>
  COMMITTED_STEPS.includes(step) ||
  (strategy === 'direct' && (step === 'queued' || step === 'preparing') && candidateSha !== null);

/** The record of one merge request; its bead carries status and version. */
export interface Review {
  readonly beadId: BeadId;
  readonly sourceBeadId: BeadId;
  readonly branch: string;
  readonly targetBranch: string;
  readonly headSha: Sha;
  /** Target commit that the candidate was made on: the expected old value of the push. */
  readonly targetSha: Sha | null;
  readonly testedTree: string | null;
  /** Outside of a step that made it or pushes it: one whose push has had no verdict; see `mayHaveLanded`. */
  readonly candidateSha: Sha | null;
  readonly mergeSha: Sha | null;
  readonly strategy: MergeStrategy;
  readonly step: MergeStep;
  /** Rework rounds so far; more than `REWORK_ROUNDS_MAX` asks a person. */
  readonly rounds: number;
  /** Lost push races of the present head. */
  readonly races: number;
  /** Orders the train: time of queueing plus priority times the ageing step. */
  readonly queueKey: number;
  readonly queuedAtMs: number;
  /** The current step's key: effects and their results carry it, so a late result of an older step is a no-op. */
  readonly stepKey: string | null;
  readonly deadlineAtMs: number | null;
  readonly heldReason: string | null;
  readonly gateLog: string | null;
  /** How the last red gate failed; null after a green one. The same twice in a row asks a person. */
  readonly gateSignature: string | null;
  /** Gates in a row that something else killed; see `GATE_KILLS_MAX`. */
  readonly gateKills: number;
  /** Place in the round under way; 0 leads it and carries its steps, null outside of one. */
  readonly position: number | null;
  /** Entries with the same name are suspected together: a list of them was red. Null: under no suspicion. */
  readonly suspect: string | null;
  /** The head that the rig's review agent was asked about last. */
  readonly reviewAsked: Sha | null;
  /** Former tips of the target of which it may bring back what people took out: a person was asked, and had it tried again. */
  readonly mayRevive: readonly Sha[];
  /** Red runs that did not come again on the same tree. */
  readonly flakes: number;
  readonly version: number;
}
